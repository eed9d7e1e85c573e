"""What a mail's headers say, and that nobody else can say anything in them."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.email.address import Address
from adapters.email.message import Sender, compose, message_id
from adapters.email.render import Frame, render
from bot.cards.paper import paper_card
from bot.domain.errors import ConfigurationError
from bot.domain.models import Reason
from tests.papers import a_paper

NOW = datetime(2026, 3, 3, tzinfo=UTC)
ADA = Address.parse("ada@example.org")
SENDER = Sender.parse("Paperboy <papers@example.org>")
STOP = "https://papers.example.org/email/unsubscribe/" + "x" * 200
FRAME = Frame("You asked for it.", (("Stop", STOP),))


def a_mail(title: str = "On paper", query: str = "paper", sender: Sender = SENDER) -> bytes:
    card = paper_card(a_paper(title=title), (Reason(3, query),), NOW)
    return compose(
        render(card, FRAME), sender=sender, to=ADA, identity="<id@example.org>", date=NOW, unsubscribe=STOP
    )


def read(source: bytes) -> EmailMessage:
    return message_from_bytes(source, policy=policy.default)


def test_the_headers_are_those_of_a_list_that_can_be_left_with_one_click() -> None:
    mail = read(a_mail())
    assert {name: str(value) for name, value in mail.items() if name != "Content-Type"} == {
        "From": "Paperboy <papers@example.org>",
        "To": "ada@example.org",
        "Subject": "On paper · Ada Lovelace",
        "Date": "Tue, 03 Mar 2026 00:00:00 +0000",
        "Message-ID": "<id@example.org>",
        "Auto-Submitted": "auto-generated",
        "List-Id": "<paperboy.example.org>",
        "List-Unsubscribe": f"<{STOP}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "MIME-Version": "1.0",
    }
    assert f"\r\nList-Unsubscribe: <{STOP}>\r\n".encode() in a_mail()


def test_each_attempt_at_a_delivery_has_the_same_name() -> None:
    assert message_id("email:a:b/p1", "example.org") == message_id("email:a:b/p1", "example.org")
    assert message_id("email:a:b/p1", "example.org") != message_id("email:a:b/p2", "example.org")


@given(st.text(max_size=300), st.text(max_size=50), st.text(min_size=1, max_size=50))
def test_whatever_a_paper_says_is_never_a_header(title: str, query: str, name: str) -> None:
    source = a_mail(title, query, Sender(name, SENDER.address))
    mail = read(source)
    assert set(mail.keys()) == set(read(a_mail()).keys())
    assert len(mail.keys()) == len(read(a_mail()).keys())
    assert mail["To"] == "ada@example.org"
    assert mail["From"].addresses[0].addr_spec == "papers@example.org"
    assert source.isascii()
    assert max(map(len, source.split(b"\r\n"))) <= 998
    assert b"\n" not in source.replace(b"\r\n", b"")


def test_a_line_break_in_a_title_ends_nothing() -> None:
    mail = read(a_mail("On paper\r\nBcc: eve@example.org\r\n\r\nBuy this"))
    assert mail["Bcc"] is None
    assert str(mail["Subject"]).startswith("On paper Bcc: eve@example.org Buy this")


@pytest.mark.parametrize("text", ["", "Paperboy", "Paperboy <>", "a@b", "a@example.org, b@example.org"])
def test_a_sender_that_is_no_address_is_said_to_be_none(text: str) -> None:
    with pytest.raises(ConfigurationError, match="PAPERBOY_MAIL_FROM"):
        Sender.parse(text)


def test_a_sender_without_a_name_gets_ours() -> None:
    assert Sender.parse("papers@example.org") == SENDER
