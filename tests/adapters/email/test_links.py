"""A link in a mail does one thing, for one address, for a while; nobody can make one up."""

from datetime import UTC, datetime, timedelta

import pytest

from adapters.email.links import CONFIRM_FOR, MANAGE_FOR, Links, Wish
from bot.domain.errors import UserError
from bot.domain.models import ChannelRef
from bot.encryption import Encryptor

KEY = "a key that nobody can guess"
NOW = datetime(2026, 3, 3, tzinfo=UTC)
CHANNEL = ChannelRef("email", "abcdefgh", "abcdefghijklmnopqrstuvwxyz")
WISH = Wish(address="ada@example.org", query="diffusion", every="daily", zone="Europe/Berlin")


def links(key: str = KEY, later: timedelta = timedelta(0)) -> Links:
    return Links("https://papers.example.org", Encryptor([key]), lambda: NOW + later)


def token(url: str) -> str:
    base, purpose, token = url.partition("?")[0].rsplit("/", 2)
    assert base == "https://papers.example.org/email"
    assert purpose
    return token


def test_a_wish_comes_back_from_its_link() -> None:
    assert links().wish(token(links().confirm(WISH))) == WISH


def test_a_link_shows_neither_address_nor_channel() -> None:
    assert "ada" not in links().confirm(WISH)
    assert CHANNEL.channel not in links().manage(CHANNEL)


def test_a_managing_link_may_begin_with_a_command() -> None:
    url = links().manage(CHANNEL, "save 2603.00001")
    assert url.endswith("?say=save+2603.00001")
    assert links().channel("manage", token(url)) == CHANNEL


@pytest.mark.parametrize(("lives", "make"), [(CONFIRM_FOR, "confirm"), (MANAGE_FOR, "manage")])
def test_a_link_expires(lives: timedelta, make: str) -> None:
    found = token(links().confirm(WISH) if make == "confirm" else links().manage(CHANNEL))

    def read(at: Links) -> object:
        return at.wish(found) if make == "confirm" else at.channel("manage", found)

    assert read(links(later=lives))
    with pytest.raises(UserError, match="expired"):
        read(links(later=lives + timedelta(seconds=1)))


def test_mail_can_be_stopped_from_the_oldest_mail() -> None:
    found = token(links().unsubscribe(CHANNEL))
    assert links(later=timedelta(days=3000)).channel("unsubscribe", found) == CHANNEL


def test_a_link_is_good_for_nothing_else() -> None:
    with pytest.raises(UserError, match="something else"):
        links().channel("manage", token(links().unsubscribe(CHANNEL)))


@pytest.mark.parametrize("made_up", ["", "x", "ä", "gAAAA", "a" * 200])
def test_nobody_makes_one_up(made_up: str) -> None:
    with pytest.raises(UserError, match="copy the whole"):
        links().channel("manage", made_up)


def test_a_new_key_before_the_old_one_keeps_links_alive() -> None:
    old = token(links().unsubscribe(CHANNEL))
    both = Links("", Encryptor(["another key, just as good", KEY]), lambda: NOW)
    assert both.channel("unsubscribe", old) == CHANNEL
    with pytest.raises(UserError):
        links("another key, just as good").channel("unsubscribe", old)
