"""Each answer of a mail server, at each step, leads to the right error."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from adapters.email.smtp_client import SmtpClient
from adapters.email.smtp_url import SmtpServer
from bot.domain.errors import CardRefused, ChannelGone, DeliveryUncertain, RetryLater, SendError
from tests.adapters.email.mail_server import Fault, MailServer
from tests.waiting import until

TO = "ada@example.org"
MAIL = b"Subject: hello\r\n\r\n.a line that begins with a dot\r\n..two\r\n"


@pytest.fixture
async def mail_server() -> AsyncIterator[MailServer]:
    async with MailServer().open() as mail_server:
        yield mail_server


@pytest.fixture
async def client(mail_server: MailServer) -> AsyncIterator[SmtpClient]:
    client = SmtpClient(SmtpServer.parse(mail_server.url), patience=30.0)
    yield client
    await client.close()


async def deliver(client: SmtpClient, to: str = TO) -> None:
    await client.deliver(MAIL, sender="papers@example.org", to=to)


async def test_a_mail_arrives_unchanged(mail_server: MailServer, client: SmtpClient) -> None:
    await deliver(client)
    [mail] = mail_server.mails
    assert (mail.sender, mail.to, mail.source) == ("papers@example.org", TO, MAIL)


@pytest.mark.parametrize(
    ("fault", "error", "accepted"),
    [
        ("421 at sender", RetryLater, 0),
        ("450 at sender", RetryLater, 0),
        ("421 at recipient", RetryLater, 0),
        ("450 at recipient", RetryLater, 0),
        ("550 at recipient", ChannelGone, 0),
        ("554 policy at recipient", RetryLater, 0),
        ("cut at recipient", RetryLater, 0),
        ("cut at data", RetryLater, 0),
        ("cut in data", DeliveryUncertain, 0),
        ("451 at end", RetryLater, 0),
        ("550 at end", ChannelGone, 0),
        ("554 at end", CardRefused, 0),
        ("lose at end", DeliveryUncertain, 1),
        ("nonsense at end", DeliveryUncertain, 1),
    ],
)
async def test_each_fault_has_its_error(
    mail_server: MailServer, client: SmtpClient, fault: Fault, error: type[SendError], accepted: int
) -> None:
    await check_fault(mail_server, client, fault, error, accepted)


@pytest.mark.parametrize(
    ("fault", "error", "accepted"),
    [("hang at recipient", RetryLater, 0), ("hang at end", DeliveryUncertain, 1)],
)
async def test_a_server_that_stops_answering_is_left_after_a_while(
    mail_server: MailServer, fault: Fault, error: type[SendError], accepted: int
) -> None:
    client = SmtpClient(SmtpServer.parse(mail_server.url), patience=1.0)
    await check_fault(mail_server, client, fault, error, accepted)
    await client.close()


async def check_fault(
    mail_server: MailServer, client: SmtpClient, fault: Fault, error: type[SendError], accepted: int
) -> None:
    mail_server.faults[TO] = [fault]
    with pytest.raises(error) as caught:
        await deliver(client)
    assert len(mail_server.mails) == accepted
    assert "ada" not in str(caught.value)
    await deliver(client)  # the next mail gets a working connection
    assert len(mail_server.mails) == accepted + 1


async def test_many_mails_share_a_connection(mail_server: MailServer, client: SmtpClient) -> None:
    for _ in range(5):
        await deliver(client)
    mail_server.faults[TO] = ["550 at recipient"]
    with pytest.raises(ChannelGone):
        await deliver(client)
    await deliver(client)
    assert mail_server.connections == 1


async def test_a_connection_that_was_idle_too_long_is_not_reused(
    mail_server: MailServer, client: SmtpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.email.smtp_client.FRESH", 0.0)
    await deliver(client)
    await deliver(client)
    assert (mail_server.connections, len(mail_server.mails)) == (2, 2)


async def test_waiting_for_a_connection_is_not_a_failed_attempt(
    mail_server: MailServer, client: SmtpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail_server.faults = {f"u{n}@example.org": ["hang at recipient"] for n in range(8)}
    hanging = [asyncio.create_task(deliver(client, to)) for to in mail_server.faults]
    await until(lambda: mail_server.fault_counts.total() >= 8, "all connections to hang")
    monkeypatch.setattr("adapters.email.smtp_client.TURN", 0.05)
    with pytest.raises(RetryLater) as caught:
        await deliver(client)
    assert (caught.value.counts, caught.value.scope) == (False, "channel")
    for task in hanging:
        task.cancel()
    await asyncio.gather(*hanging, return_exceptions=True)


@pytest.mark.parametrize("greeting", ["421 4.3.2 Too busy", "554 No service here"])
async def test_a_server_that_refuses_us_pauses_all_mail(
    mail_server: MailServer, client: SmtpClient, greeting: str
) -> None:
    mail_server.greeting = greeting
    with pytest.raises(RetryLater) as caught:
        await deliver(client)
    assert (caught.value.counts, caught.value.scope) == (False, "platform")


async def test_a_server_that_is_down_pauses_all_mail() -> None:
    client = SmtpClient(SmtpServer.parse("smtp://127.0.0.1:9"))
    with pytest.raises(RetryLater) as caught:
        await deliver(client)
    assert (caught.value.counts, caught.value.scope) == (False, "platform")
