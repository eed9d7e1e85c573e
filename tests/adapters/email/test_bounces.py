"""What comes back to the return address pauses whom it says, and nothing else does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.email.address import Address
from adapters.email.bounces import bounced, return_address
from bot.domain.models import ChannelRef

CHANNEL = ChannelRef("email", "abcdefgh", "abcdefghijklmnopqrstuvwxyz")
RETURN = return_address(Address.parse("bounces@example.org"), CHANNEL)


def a_report(
    to: str = RETURN, action: str = "failed", status: str = "5.1.1", kind: str = "delivery-status"
) -> bytes:
    """A report as RFC 3464 has it."""
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


def test_a_final_failure_names_its_channel() -> None:
    assert bounced(a_report()) == (CHANNEL, "mail came back: 5.1.1")


def test_servers_that_shout_are_understood() -> None:
    assert bounced(a_report(RETURN.upper(), "FAILED")) == (CHANNEL, "mail came back: 5.1.1")


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
        b"",
        b"\xff\xfe\x00",
    ],
)
def test_anything_else_says_nothing(report: bytes) -> None:
    assert bounced(report) is None


@given(st.binary(max_size=400))
def test_no_bytes_break_it(noise: bytes) -> None:
    report = a_report()
    for at in (0, 60, 200, 400, len(report)):
        bounced(report[:at] + noise + report[at:])


def test_a_return_address_is_one_that_servers_take() -> None:
    local = RETURN.partition("@")[0]
    assert len(local) <= 64
    assert str(Address.parse(RETURN)) == RETURN
