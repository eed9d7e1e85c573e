"""A report of a final failure pauses its address. No report can stall or crash the program."""

import asyncio
from collections.abc import Callable
from email import message_from_bytes, policy
from time import monotonic

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis
from structlog.testing import capture_logs

from adapters.email.address import Address
from adapters.email.addresses import Addresses
from adapters.email.bounce_worker import final_status
from adapters.email.bounces import BounceReports, recipient, return_address
from bot.domain.models import ChannelRef
from bot.encryption import Encryptor
from bot.ports import Rate
from tests.adapters.email.harness import email_harness
from tests.failing_core import FailingCore
from tests.papers import a_paper
from tests.platform_harness import arrive

CHANNEL = ChannelRef("email", "abcdefgh", "abcdefghijklmnopqrstuvwxyz")
RETURN = return_address(Address.parse("bounces@example.org"), CHANNEL)


def a_report(
    to: str = RETURN, action: str = "failed", status: str = "5.1.1", kind: str = "delivery-status"
) -> bytes:
    """Return a report in the format of RFC 3464."""
    return f"""\
Return-Path: <>
From: MAILER-DAEMON@mx.example.net
To: {to}
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type={kind}; boundary="x"

--x
Content-Type: text/plain

I'm sorry to have to inform you.

--x
Content-Type: message/{kind}

Reporting-MTA: dns; mx.example.net

Final-Recipient: rfc822; ada@example.net
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 5.1.1 no such user

--x
Content-Type: message/rfc822

From: papers@example.org
To: ada@example.net
Subject: 3 new papers

Hello.
--x--
""".replace("\n", "\r\n").encode()


def parse_report(report: bytes) -> tuple[ChannelRef | None, str]:
    """Return the recipient of a report, and the status of a final failure."""
    return recipient(report), final_status(message_from_bytes(report, policy=policy.compat32))


def test_a_final_failure_names_its_channel() -> None:
    assert parse_report(a_report()) == (CHANNEL, "5.1.1")


def test_reports_are_read_without_case() -> None:
    assert parse_report(a_report(RETURN.upper(), "FAILED")) == (CHANNEL, "5.1.1")


@pytest.mark.parametrize(
    "report",
    [
        a_report(action="delayed", status="4.4.1"),
        a_report(action="delivered", status="2.0.0"),
        a_report(action="failed", status="4.4.7"),
        a_report(to="bounces@example.org"),
        a_report(to="bounces+abcdefgh-tooshort@example.org"),
        a_report(kind="disposition-notification"),
        b"To: " + RETURN.encode() + b"\r\nSubject: Out of office\r\n\r\nI am away. 5.1.1 failed\r\n",
        b"\r\n\r\nTo: " + RETURN.encode() + b"\r\n",
        b"",
        b"\xff\xfe\x00",
    ],
)
def test_other_mails_do_not_pause_an_address(report: bytes) -> None:
    channel, status = parse_report(report)
    assert not (channel and status)


@given(st.binary(max_size=400))
def test_reports_with_any_bytes_are_read(noise: bytes) -> None:
    report = a_report()
    for at in (0, 60, 200, 400, len(report)):
        parse_report(report[:at] + noise + report[at:])


def test_mail_servers_accept_a_return_address() -> None:
    local = RETURN.partition("@")[0]
    assert len(local) <= 64
    assert str(Address.parse(RETURN)) == RETURN


HOSTILE: dict[str, Callable[[str], bytes]] = {
    "brackets in a folded To": lambda to: f"To: {to}\r\n {'(' * 18_000}\r\n\r\n".encode(),
    "20 kB of brackets": lambda to: f"To: {to}, {'(' * 20_000}\r\n\r\n".encode(),
    "64 kB of groups": lambda to: f"To: {'<@a,' * 16_000} {to}\r\n\r\n".encode(),
    "224 kB of encoded words": lambda to: f"To: {to} {'=?utf-8?q?a?= ' * 16_000}\r\n\r\n".encode(),
    "nested parts": lambda to: (
        f"To: {to}\r\n".encode()
        + b"".join(
            b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(5_000)
        )
    ),
    "nested messages": lambda to: (
        f"To: {to}\r\n{'Content-Type: message/rfc822' + chr(13) + chr(10) * 2}".encode() * 5_000
    ),
}
"""Mails for which Python's parser takes seconds or recurses without end."""


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_report_is_logged_and_counts_as_read(redis: Redis, name: str) -> None:
    reports = BounceReports(Addresses(redis, Encryptor(["a key that can't be guessed"])))
    with capture_logs():
        assert not await reports.accept(HOSTILE[name](RETURN), FailingCore())


async def test_a_report_that_takes_too_long_to_parse_is_skipped(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.email.bounces.PARSE_SECONDS", 0.0)
    reports = BounceReports(Addresses(redis, Encryptor(["a key that can't be guessed"])))
    with capture_logs() as logs:
        assert not await reports.accept(a_report(), FailingCore())
    assert [entry["event"] for entry in logs] == ["bounce_report_unreadable"]


async def test_the_answer_is_the_same_whether_the_address_exists_or_not(redis: Redis) -> None:
    async with email_harness(redis) as harness:
        known = a_report(return_address(Address.parse("bounces@example.org"), harness.channel))
        pages = [await harness.browser.post("/email/bounces", report) for report in (known, a_report(), b"")]
        assert {(page.status, page.source) for page in pages} == {(200, "ok\n")}


async def test_a_report_in_any_encoding_is_accepted_as_curl_sends_it(redis: Redis) -> None:
    async with email_harness(redis) as harness:
        await harness.say("subscribe paper")
        report = a_report(return_address(Address.parse("bounces@example.org"), harness.channel)) + b"\xff\xfe"
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        assert (await harness.browser.post("/email/bounces", report, headers=headers)).status == 200
        await arrive(harness.bot, a_paper())
        assert await harness.posted() == []


async def test_other_people_are_answered_while_a_hostile_report_is_read(redis: Redis) -> None:
    async with email_harness(redis) as harness:
        hostile = asyncio.create_task(
            harness.browser.post("/email/bounces", HOSTILE["64 kB of groups"](RETURN))
        )
        slowest = 0.0
        while not hostile.done():
            began = monotonic()
            assert (await harness.browser.get("/email/link")).status == 200
            slowest = max(slowest, monotonic() - began)
        assert (await hostile).status == 200
        assert slowest < 2


async def test_reports_from_one_source_are_limited(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.email.account_pages.BOUNCES_EACH", Rate(2, 60))
    async with email_harness(redis) as harness:
        statuses = [(await harness.browser.post("/email/bounces", b"")).status for _ in range(4)]
    assert statuses == [200, 200, 429, 429]
