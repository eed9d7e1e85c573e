"""Bounces are read from a mailbox. Other mails stay in it, and no mail stops the reader."""

import asyncio
import poplib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from structlog.testing import capture_logs

from adapters.email.address import Address
from adapters.email.bounces import BounceReports, return_address
from adapters.email.mailbox import Mailbox, parse_mailbox
from bot.domain.errors import ConfigurationError
from tests.adapters.email.harness import email_harness
from tests.adapters.email.test_bounces import a_report
from tests.papers import a_paper
from tests.platform_harness import arrive
from tests.waiting import until

PRIVATE = (
    b"From: eve@example.org\r\nTo: bounces@example.org\r\nSubject: Lunch?\r\n\r\n.hidden\r\nAt noon.\r\n"
)


@dataclass
class Pop3Server:
    """A POP3 server with one user, as RFC 1939 describes it: mails marked with DELE are deleted at QUIT."""

    mails: list[bytes] = field(default_factory=list)
    password: str = "secret"
    port: int = 0
    commands: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Pop3Server"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        mails, deleted = dict(enumerate(self.mails, 1)), set()
        logged_in = False
        writer.write(b"+OK ready\r\n")
        while line := await reader.readline():
            self.commands.append(line.decode().strip())
            word, *rest = self.commands[-1].split(" ")
            if word == "PASS":
                logged_in = rest == [self.password]
                writer.write(b"+OK\r\n" if logged_in else b"-ERR [AUTH] wrong\r\n")
            elif word == "USER":
                writer.write(b"+OK\r\n")
            elif word == "QUIT":
                if logged_in:
                    self.mails = [mail for number, mail in mails.items() if number not in deleted]
                writer.write(b"+OK bye\r\n")
                break
            elif not logged_in:
                writer.write(b"-ERR not yet\r\n")
            elif word == "DELE":
                deleted.add(int(rest[0]))
                writer.write(b"+OK\r\n")
            else:
                writer.write(b"+OK\r\n" + b"".join(_response_lines(word, rest, mails)) + b".\r\n")
        await writer.drain()
        writer.close()


def _response_lines(word: str, rest: list[str], mails: dict[int, bytes]) -> list[bytes]:
    if word == "UIDL":
        return [b"%d uid%d\r\n" % (number, hash(mail)) for number, mail in mails.items()]
    if word == "LIST":
        return [b"%d %d\r\n" % (number, len(mail)) for number, mail in mails.items()]
    lines = mails[int(rest[0])].split(b"\r\n")[:-1]
    if word == "TOP":
        lines = lines[: lines.index(b"") + 1 + int(rest[1])]
    return [(b"." + line if line.startswith(b".") else line) + b"\r\n" for line in lines]


def mailbox(box: Pop3Server, password: str) -> Mailbox:
    address, found = parse_mailbox(f"pop3://bounces%40example.org:{password}@127.0.0.1:{box.port}")
    assert (str(address), bool(found)) == ("bounces@example.org", True)
    assert found is not None
    assert password not in repr(found)
    return found


async def test_a_report_pauses_its_address_and_is_deleted_but_other_mails_stay(redis: Redis) -> None:
    async with email_harness(redis) as harness, Pop3Server().open() as box:
        await harness.say("subscribe paper")
        report = a_report(return_address(Address.parse("bounces@example.org"), harness.channel))
        box.mails = [PRIVATE, report, a_report(action="delayed")]
        reading = mailbox(box, "secret")

        async def handle(mail: bytes) -> bool:
            return await BounceReports(harness.addresses).accept(mail, harness.bot.core)

        assert await reading.read(handle) == 1
        assert box.mails == [PRIVATE, a_report(action="delayed")]
        await arrive(harness.bot, a_paper())
        assert await harness.posted() == []
        box.commands.clear()
        assert await reading.read(handle) == 0
        assert not any(line.startswith(("RETR", "TOP", "DELE")) for line in box.commands)


async def test_only_the_start_of_a_huge_mail_is_read() -> None:
    async with Pop3Server([a_report() + b"x\r\n" * 200_000]).open() as box:
        sizes = []

        async def handle(mail: bytes) -> bool:
            sizes.append(len(mail))
            return False

        await mailbox(box, "secret").read(handle)
        assert sizes[0] < 10_000


async def test_a_mailbox_is_retried_after_a_wrong_password() -> None:
    async with Pop3Server().open() as box:

        async def handle(mail: bytes) -> bool:
            raise AssertionError(mail)

        with pytest.raises(poplib.error_proto, match="AUTH"):
            await mailbox(box, "wrong").read(handle)
        watching = asyncio.create_task(mailbox(box, "wrong").watch(handle))
        await until(lambda: box.commands.count("PASS wrong") >= 2, "a second attempt")
        assert not watching.done()
        watching.cancel()


async def test_a_mail_whose_handler_fails_does_not_block_the_others() -> None:
    mails = [b"Subject: bad\r\n\r\n1\r\n", b"Subject: long\r\n\r\n" + b"x" * 5_000 + b"\r\n", a_report()]
    async with Pop3Server(list(mails)).open() as box:
        reading, read = mailbox(box, "secret"), []

        async def handle(mail: bytes) -> bool:
            read.append(mail)
            if b"bad" in mail:
                raise RecursionError
            return True

        with capture_logs() as logs:
            assert await reading.read(handle) == 1
            assert await reading.read(handle) == 0
        assert box.mails == mails[:2]
        assert len(read) == 2
        assert [entry["event"] for entry in logs] == ["bounce_mail_failed", "bounce_mail_unreadable"]


async def test_a_mail_is_read_again_if_redis_was_unavailable() -> None:
    async with Pop3Server([a_report()]).open() as box:
        reading = mailbox(box, "secret")

        async def unavailable(_mail: bytes) -> bool:
            raise RedisConnectionError

        async def available(_mail: bytes) -> bool:
            return True

        with pytest.raises(RedisConnectionError):
            await reading.read(unavailable)
        assert await reading.read(available) == 1


def test_a_setting_with_only_an_address_has_no_mailbox() -> None:
    assert parse_mailbox("bounces@example.org") == (Address("bounces", "example.org"), None)


def test_the_address_can_differ_from_the_user_name() -> None:
    address, found = parse_mailbox("pop3s://paperboy:x@mail.example.org?address=bounces@example.org")
    assert (str(address), found and (found.host, found.port, found.secure)) == (
        "bounces@example.org",
        ("mail.example.org", 995, True),
    )


@pytest.mark.parametrize(
    "setting",
    [
        "",
        "bounces",
        "imap://bounces%40example.org:secret@h",
        "pop3s://user:secret@host",
        "pop3s://u:secret@h:p",
    ],
)
def test_an_unreadable_setting_is_named_without_its_secret(setting: str) -> None:
    with pytest.raises(ConfigurationError, match="PAPERBOY_MAIL_BOUNCE can't be read") as caught:
        parse_mailbox(setting)
    assert "u:secret" not in str(caught.value)
