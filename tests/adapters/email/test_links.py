"""A link in a mail does one thing, for one address, for a limited time, and can't be forged."""

from datetime import UTC, datetime, timedelta

import pytest

from adapters.email.address import Address
from adapters.email.addresses import Account
from adapters.email.links import ACT_FOR, CONFIRM_FOR, MANAGE_FOR, WAIT, Links, Purpose, SignupRequest
from bot.domain.errors import UserError
from bot.domain.models import ChannelRef
from bot.encryption import Encryptor

KEY = "a key that can't be guessed"
NOW = datetime(2026, 3, 3, tzinfo=UTC)
ADA = Address.parse("ada@example.org")
ACCOUNT = Account(ChannelRef("email", "abcdefgh", "abcdefghijklmnopqrstuvwxyz"), ADA, "0011223344556677")
REQUEST = SignupRequest(address=str(ADA), query="diffusion", every="daily", zone="Europe/Berlin")


def links(key: str = KEY, later: timedelta = timedelta(0)) -> Links:
    return Links("https://papers.example.org", Encryptor([key]), lambda: NOW + later)


def token(url: str) -> str:
    base, purpose, token = url.rsplit("/", 2)
    assert base == "https://papers.example.org/email"
    assert purpose
    return token


def links_by_purpose() -> dict[Purpose, str]:
    return {
        "confirm": links().confirm(REQUEST, ACCOUNT.generation),
        "act": links().act(ACCOUNT, "save 2603.00001"),
        "manage": links().manage(ACCOUNT),
        "unsubscribe": links().unsubscribe(ACCOUNT),
    }


def test_a_confirm_link_contains_the_request() -> None:
    assert links().read("confirm", token(links_by_purpose()["confirm"])).request == REQUEST


def test_links_do_not_show_address_channel_or_command() -> None:
    for url in links_by_purpose().values():
        assert "ada" not in url
        assert ACCOUNT.channel.channel not in url
        assert "2603" not in url


@pytest.mark.parametrize(
    ("purpose", "lifetime"), [("confirm", CONFIRM_FOR), ("act", ACT_FOR), ("manage", MANAGE_FOR)]
)
def test_links_expire(purpose: Purpose, lifetime: timedelta) -> None:
    found = token(links_by_purpose()[purpose])
    assert links(later=lifetime).read(purpose, found).token == found
    with pytest.raises(UserError, match="expired"):
        links(later=lifetime + timedelta(seconds=1)).read(purpose, found)


def test_the_link_to_the_account_expires_within_an_hour() -> None:
    assert timedelta(hours=1) >= MANAGE_FOR


def test_unsubscribe_links_never_expire() -> None:
    found = token(links_by_purpose()["unsubscribe"])
    assert links(later=timedelta(days=3000)).read("unsubscribe", found).channel == ACCOUNT.channel


def test_a_link_of_one_kind_does_not_work_as_another() -> None:
    for purpose, url in links_by_purpose().items():
        for other in links_by_purpose().keys() - {purpose}:
            with pytest.raises(UserError, match="something else"):
                links().read(other, token(url))


@pytest.mark.parametrize("forged", ["", "x", "ä", "gAAAA", "a" * 200, "\ud800", "a" * 1_000_000])
def test_forged_links_are_refused(forged: str) -> None:
    with pytest.raises(UserError, match="Copy the whole link"):
        links().read("manage", forged)


def test_a_ticket_works_only_after_its_wait_and_for_its_address() -> None:
    ticket = links().ticket(ADA)
    assert not links().has_waited(ticket, ADA)
    assert links(later=WAIT).has_waited(ticket, ADA)
    assert links(later=WAIT).has_waited(ticket, Address.parse("ada+papers@example.org"))
    assert not links(later=WAIT).has_waited(ticket, Address.parse("eve@example.org"))
    assert not links(later=timedelta(hours=2)).has_waited(ticket, ADA)
    assert not links(later=WAIT).has_waited("made up", ADA)


def test_a_new_key_before_the_old_one_keeps_links_working() -> None:
    old = token(links_by_purpose()["unsubscribe"])
    both = Links("", Encryptor(["another key, just as good", KEY]), lambda: NOW)
    assert both.read("unsubscribe", old).channel == ACCOUNT.channel
    with pytest.raises(UserError):
        links("another key, just as good").read("unsubscribe", old)


@pytest.mark.parametrize(
    "content", ['[1764450000.0, "a state of an installation"]', "{}", "1", '["act"]', "x"]
)
def test_content_that_was_encrypted_for_another_purpose_is_refused(content: str) -> None:
    sealed = Encryptor([KEY]).seal(content)
    with pytest.raises(UserError, match="incomplete"):
        links().read("act", sealed)


def test_a_used_link_cannot_be_respelled_into_a_new_one() -> None:
    """Python decodes Base64 leniently: junk within it, or its unused last bits, would make a used link look new."""
    found = token(links_by_purpose()["act"])
    others = [
        f"{found[:9]}{junk}{found[9:]}" for junk in ("!!!!", "....", "    ", "\n\n\n\n", "%20%", "====")
    ]
    others += [found + "====AAAA", found[:-1] + chr(ord(found[-1]) ^ 1), found.swapcase()]
    for other in others:
        with pytest.raises(UserError):
            links().read("act", other)
    assert {links().read("act", found + "=" * n).token for n in range(4)} == {found}
