"""Which addresses are taken, and that none of them can do harm."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.email.address import Address
from bot.domain.errors import UserError


@pytest.mark.parametrize(
    ("typed", "taken"),
    [
        ("ada@example.org", "ada@example.org"),
        ("  Ada.Lovelace+papers@Example.ORG ", "Ada.Lovelace+papers@example.org"),
        ("o'neil@mail.example.co.uk", "o'neil@mail.example.co.uk"),
        ("ada@exämple.org", "ada@xn--exmple-cua.org"),
    ],
)
def test_usual_addresses_are_taken(typed: str, taken: str) -> None:
    assert str(Address.parse(typed)) == taken


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
        "a" * 65 + "@example.org",
        "ada@" + "a." * 125 + "org",
    ],
)
def test_what_is_no_address_is_said_to_be_none(typed: str) -> None:
    with pytest.raises(UserError):
        Address.parse(typed)


def test_capitals_do_not_make_another_mailbox_and_its_owner_knows_it_again() -> None:
    first, second = Address.parse("Ada@Example.org"), Address.parse("ada@example.org")
    assert first.identity == second.identity
    assert first.masked == "A…@example.org"


@given(st.text(max_size=30), st.text(max_size=30))
def test_nothing_that_is_taken_can_end_a_line_or_name_a_second_address(local: str, domain: str) -> None:
    try:
        text = str(Address.parse(f"{local}@{domain}"))
    except UserError:
        return
    assert text.isascii()
    assert text.isprintable()
    assert not set(text) & set(' ,;<>"()[]:\\')
    assert text.count("@") == 1
