"""Addresses that are accepted or refused; none that is accepted can do harm."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.email.address import Address
from bot.domain.errors import UserError


@pytest.mark.parametrize(
    ("typed", "accepted"),
    [
        ("ada@example.org", "ada@example.org"),
        ("  Ada.Lovelace+papers@Example.ORG ", "Ada.Lovelace+papers@example.org"),
        ("o'neil@mail.example.co.uk", "o'neil@mail.example.co.uk"),
        ("ada@exämple.org", "ada@xn--exmple-cua.org"),
    ],
)
def test_usual_addresses_are_accepted(typed: str, accepted: str) -> None:
    assert str(Address.parse(typed)) == accepted


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "ada",
        "@example.org",
        "ada@",
        "ada@localhost",
        "ada@127.0.0.1",
        "ada@[127.0.0.1]",
        "ada@example..org",
        "ada@-example.org",
        "a..da@example.org",
        ".ada@example.org",
        '"a b"@example.org',
        "ada@example.org,eve@example.org",
        "ada@example.org eve@example.org",
        "ada@example.org\r\nBcc: eve@example.org",
        "Ada <ada@example.org>",
        "ada@eve@example.org",
        "äda@example.org",
        "=?utf-8?q?x?=@example.org",
        "a=?b@example.org",
        "a" * 65 + "@example.org",
        "a" * 1_000_000 + "@example.org",
        "ada@" + "ä" * 1_000_000,
        "ada@example.123",
        "ada@" + "a." * 125 + "org",
        "ada%example.net@example.org",
        "example.net!ada@example.org",
        "|program@example.org",
        "`program`@example.org",
        "-option@example.org",
        "ada@faß.example",
        "ada@FAẞ.example",
        "ada@exa\u200dmple.org",
    ],
)
def test_other_text_is_refused(typed: str) -> None:
    with pytest.raises(UserError):
        Address.parse(typed)


def test_addresses_are_compared_without_case() -> None:
    first, second = Address.parse("Ada@Example.org"), Address.parse("ada@example.org")
    assert first.identity == second.identity
    assert first.masked == "A…@example.org"


@given(st.text(max_size=30), st.text(max_size=30))
def test_an_accepted_address_cannot_end_a_line_or_add_another(local: str, domain: str) -> None:
    try:
        text = str(Address.parse(f"{local}@{domain}"))
    except UserError:
        return
    assert text.isascii()
    assert text.isprintable()
    assert not set(text) & set(' ,;<>"()[]:\\')
    assert text.count("@") == 1


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("victim+1@example.org", "Victim@example.org"),
        ("v.ict.im+x+y@gmail.com", "victim@googlemail.com"),
        ("vic-tim@pm.me", "victim@proton.me"),
        ("victim@me.com", "victim@icloud.com"),
    ],
)
def test_spellings_of_one_inbox_share_its_limits(first: str, second: str) -> None:
    assert Address.parse(first).inbox == Address.parse(second).inbox
    assert Address.parse(first).identity != Address.parse(second).identity


@pytest.mark.parametrize(
    ("first", "second"),
    [("v.ictim@example.org", "victim@example.org"), ("victim@example.org", "victim@example.net")],
)
def test_different_inboxes_have_different_limits(first: str, second: str) -> None:
    assert Address.parse(first).inbox != Address.parse(second).inbox
