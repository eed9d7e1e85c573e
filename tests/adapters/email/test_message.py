"""A mail's headers and parts; text from outside adds none."""

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.email.address import Address
from adapters.email.message import FromAddress, UnsafeMessage, compose, encode_header, message_id
from adapters.email.render import Frame, Rendered, render
from bot.cards.build import paragraph
from bot.cards.paper import paper_card
from bot.cards.sanitize import plain
from bot.domain.errors import ConfigurationError, UserError
from bot.domain.models import Reason
from bot.ports import File
from bot.text.bibliography import FORMATS, Format, Listed
from tests.papers import a_paper

NOW = datetime(2026, 3, 3, tzinfo=UTC)
ADA = Address.parse("ada@example.org")
SENDER = FromAddress.parse("Paperboy <papers@example.org>")
STOP = "https://papers.example.org/email/unsubscribe/" + "x" * 200
FRAME = Frame("You asked for it.", (("Stop", STOP),))


def a_mail(
    title: str = "On paper",
    query: str = "paper",
    sender: FromAddress = SENDER,
    author: str = "Ada Lovelace",
    zone: str = "UTC",
) -> bytes:
    card = paper_card(a_paper(title=title, authors=(author,)), (Reason(3, query),), NOW)
    card = replace(card, blocks=(*card.blocks, paragraph(zone)))
    return compose(
        render(card, FRAME), sender=sender, to=ADA, identity="<id@example.org>", date=NOW, unsubscribe=STOP
    )


def read(source: bytes) -> EmailMessage:
    return message_from_bytes(source, policy=policy.default)


def test_the_headers_offer_one_click_unsubscribe() -> None:
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


def test_all_attempts_share_a_message_id() -> None:
    assert message_id("email:a:b/p1", "example.org") == message_id("email:a:b/p1", "example.org")
    assert message_id("email:a:b/p1", "example.org") != message_id("email:a:b/p2", "example.org")


ENCODED = "=?utf-8?q?=0d=0aBcc:_v@b.co=0d=0a=0d=0aBODY?="
HOSTILE = st.one_of(
    st.text(max_size=300),
    st.lists(
        st.sampled_from(
            [
                ENCODED,
                "=?utf-8?b?DQpCY2M6IHZAYi5jbw==?=",
                "=?",
                "?=",
                "\r\n",
                "\nBcc: v@b.co\n\n",
                "\ud800",
                "\x00",
                "é",
                "<",
                ">",
                '"',
                "\\",
                ",",
                ";",
                "(",
                "a" * 90,
                " " * 90,
                "--===",
                "\u2028",
                "\x85",
                "Bcc: v@b.co",
            ]
        ),
        max_size=12,
    ).map("".join),
)
"""Text that an upstream or a person could send."""
NAMES = read(a_mail()).keys()


@given(title=HOSTILE, author=HOSTILE, query=HOSTILE, name=HOSTILE, zone=HOSTILE)
def test_outside_text_never_adds_a_header_or_a_part(
    title: str, author: str, query: str, name: str, zone: str
) -> None:
    source = a_mail(title, query, FromAddress(name, SENDER.address), author, zone)
    mail = read(source)
    assert mail.keys() == NAMES
    assert str(mail["To"]) == "ada@example.org"
    assert mail["From"].addresses[0].addr_spec == "papers@example.org"
    assert [part.get_content_type() for part in mail.walk()] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]
    assert not any(part.defects for part in mail.walk())
    assert source.isascii()
    assert max(map(len, source.split(b"\r\n"))) <= 998
    assert b"\n" not in source.replace(b"\r\n", b"")
    assert b"\r" not in source.replace(b"\r\n", b"")


@given(HOSTILE)
def test_a_subject_survives_encoding(text: str) -> None:
    source = f"Subject: {encode_header('Subject', plain(text))}\r\n\r\n".encode("ascii")
    assert str(read(source)["Subject"]).split() == plain(text).split()


@given(HOSTILE, st.sampled_from(["example.org", "=?utf-8?q?x?=.org"]))
def test_an_accepted_address_never_adds_a_header_or_a_recipient(local: str, domain: str) -> None:
    try:
        address = Address.parse(f"{local}@{domain}")
    except UserError:
        return
    mail = read(
        compose(
            Rendered("Hello", "Hello\n", "<p>Hello</p>"),
            sender=SENDER,
            to=address,
            identity="<id@example.org>",
            date=NOW,
            unsubscribe=STOP,
        )
    )
    assert [found.addr_spec for found in mail["To"].addresses] == [str(address)]
    assert mail.keys() == NAMES


FILE = File("saved.bib", "application/x-bibtex", "@misc{a,\n  title = {Größe}\n}\n")


def a_mail_with_file(file: File = FILE, title: str = "1 paper as BibTeX") -> bytes:
    return compose(
        Rendered(title, "Hello\n", "<p>Hello</p>"),
        sender=SENDER,
        to=ADA,
        identity="<id@example.org>",
        date=NOW,
        attached=file,
    )


@pytest.mark.parametrize("export_format", FORMATS.values(), ids=FORMATS)
def test_a_file_is_attached_unchanged(export_format: Format) -> None:
    file = File(
        f"digest.{export_format.suffix}",
        export_format.mime,
        export_format.write([Listed(a_paper(title="Größe"))]),
    )
    mail = read(a_mail_with_file(file))
    [part] = mail.iter_attachments()
    assert (part.get_content_type(), part.get_filename()) == (file.mime, file.name)
    assert part.get_payload(decode=True) == file.text.encode()
    assert [part.get_content_type() for part in mail.walk()][:4] == [
        "multipart/mixed", "multipart/alternative", "text/plain", "text/html"
    ]  # fmt: skip


@given(HOSTILE, HOSTILE)
def test_a_files_text_adds_no_header_or_part(text: str, title: str) -> None:
    text = text.encode(errors="ignore").decode()
    source = a_mail_with_file(replace(FILE, text=text), title)
    mail = read(source)
    assert sorted(mail.keys()) == sorted(read(a_mail_with_file()).keys())
    [part] = mail.iter_attachments()
    assert part.get_payload(decode=True) == text.encode()
    assert source.isascii()
    assert max(map(len, source.split(b"\r\n"))) <= 998
    assert b"\n" not in source.replace(b"\r\n", b"")


@pytest.mark.parametrize(
    "file",
    [
        replace(FILE, name="a\r\nBcc: v@b.co.bib"),
        replace(FILE, name="../../x.bib"),
        replace(FILE, name="Größe.bib"),
        replace(FILE, name='a".bib'),
        replace(FILE, name=""),
        replace(FILE, mime="text/html\r\nBcc: v@b.co"),
        replace(FILE, mime="multipart/mixed"),
        replace(FILE, mime="message/rfc822"),
    ],
)
def test_a_file_with_an_unsafe_name_or_type_is_not_sent(file: File) -> None:
    with pytest.raises((UnsafeMessage, ValueError, TypeError)):
        a_mail_with_file(file)


def test_an_encoded_word_in_a_title_is_shown_and_not_decoded() -> None:
    mail = read(a_mail(ENCODED))
    assert mail["Bcc"] is None
    assert str(mail["Subject"]).startswith(ENCODED)
    assert "Bcc: v@b.co" not in str(mail.get_body())


def test_a_line_break_in_a_title_does_not_end_its_header() -> None:
    mail = read(a_mail("On paper\r\nBcc: eve@example.org\r\n\r\nBuy this"))
    assert mail["Bcc"] is None
    assert str(mail["Subject"]).startswith("On paper Bcc: eve@example.org Buy this")


@pytest.mark.parametrize("identity", ["<id@example.org>\r\nBcc: v@b.co", "<id@example.org>\r\n\r\nBODY"])
def test_a_mail_that_would_be_parsed_differently_is_not_sent(identity: str) -> None:
    with pytest.raises(UnsafeMessage):
        compose(
            Rendered("Hello", "Hello\n", "<p>Hello</p>"), sender=SENDER, to=ADA, identity=identity, date=NOW
        )


@pytest.mark.parametrize("text", ["", "Paperboy", "Paperboy <>", "a@b", "a@example.org, b@example.org"])
def test_an_invalid_sender_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="PAPERBOY_MAIL_FROM"):
        FromAddress.parse(text)


def test_a_sender_without_a_name_is_called_paperboy() -> None:
    assert FromAddress.parse("papers@example.org") == SENDER
