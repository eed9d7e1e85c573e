"""What every platform holds to, whatever it is: `CONTRIBUTING.md` says how one is added here."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import StringIO

import discord as library
import pytest
from discord.gateway import DiscordWebSocket
from redis.asyncio import Redis
from rich.console import Console

from adapters.console import CHANNEL, ConsolePlatform
from adapters.console.render import render
from adapters.discord import DiscordPlatform
from adapters.slack.manifest import manifest
from bot.cards import Card
from bot.cards.paper import paper_card
from bot.domain.errors import ChannelGone, DeliveryUncertain, LookupUnsupported
from bot.domain.models import ChannelRef
from bot.ports import Platform
from tests.adapters.discord.double.service import GUILD, DiscordDouble
from tests.adapters.email.postoffice import Mail
from tests.adapters.email.test_delivery import desk_at
from tests.adapters.slack.double import Slack
from tests.adapters.slack.double.people import words
from tests.adapters.slack.test_posting import Desk
from tests.papers import SPRING, a_paper

HOSTILE = "<!channel> @everyone *bold* [link](https://evil.example) `code` & <b>more</b>"


@dataclass
class Place:
    """A channel of a platform, and what everyone sees there."""

    platform: Platform
    to: ChannelRef
    posted: Callable[[], list[str]]
    lose: Callable[[], None] | None = None
    """The next post is taken, and its answer lost; None where that can't happen."""
    nowhere: str = "C0NOWHERE"
    """A channel that is not there."""


@asynccontextmanager
async def console(_redis: Redis) -> AsyncIterator[Place]:
    shown: list[str] = []

    class Wall:
        def post(self, card: Card) -> None:
            paper = StringIO()
            Console(file=paper, width=500).print(render(card, links=False))
            shown.append(paper.getvalue())

        reply = note = typed = post

    yield Place(ConsolePlatform(Wall()), CHANNEL, lambda: shown)  # type: ignore[arg-type]  # only posts come


@asynccontextmanager
async def slack(redis: Redis) -> AsyncIterator[Place]:
    async with Slack(manifest("socket")).serve() as double:
        desk = Desk(double, redis)
        yield Place(
            desk.platform,
            desk.to,
            lambda: [words(message.blocks) for message in desk.room.messages],
            lambda: double.faults.next("chat.postMessage", "lose"),
        )
        await desk.platform.close()


@asynccontextmanager
async def discord(redis: Redis) -> AsyncIterator[Place]:
    base, gateway = library.http.Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    async with DiscordDouble(buckets=False).serve() as double:
        library.http.Route.BASE = double.url
        double.gone.add(4040)
        platform = DiscordPlatform(double.token, redis)
        yield Place(
            platform,
            ChannelRef("discord", str(GUILD), "2000"),
            lambda: [_read(message.body) for message in double.messages],
            lambda: double.weather.queue.append("lose"),
            nowhere="4040",
        )
        await platform.close()
    library.http.Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = base, gateway


def _read(body: object) -> str:
    """All texts of a payload, as they look once Discord has read its markdown."""
    match body:
        case dict():
            return " ".join(_read(value) for key, value in body.items() if key in {"components", "content"})
        case list():
            return " ".join(map(_read, body))
        case _:
            return re.sub(r"\\([^\w\s])|\u200b", r"\1", str(body or ""))


@asynccontextmanager
async def email(redis: Redis) -> AsyncIterator[Place]:
    async with desk_at(redis) as desk:
        address = "ada@example.org"
        yield Place(
            desk.platform,
            await desk.channel(address),
            lambda: [_plain(mail) for mail in desk.office.to(address)],
            lambda: desk.office.faults.setdefault(address, []).append("lose at end"),
        )


def _plain(mail: Mail) -> str:
    """The plain part, its lines joined."""
    part = mail.message.get_body(("plain",))
    assert part is not None
    return " ".join(part.get_content().split())


PLACES: list[Callable[[Redis], AbstractAsyncContextManager[Place]]] = [console, slack, discord, email]


@pytest.fixture(params=PLACES, ids=lambda make: make.__name__)
async def place(request: pytest.FixtureRequest, redis: Redis) -> AsyncIterator[Place]:
    async with request.param(redis) as made:
        yield made


def card(title: str) -> Card:
    return paper_card(a_paper(title=title), (), SPRING)


async def test_a_post_is_confirmed_and_seen_once(place: Place) -> None:
    first = await place.platform.send(place.to, card("One"), "k1")
    second = await place.platform.send(place.to, card("Two"), "k2")
    assert first.id != second.id
    assert ["One" in place.posted()[0], "Two" in place.posted()[1], len(place.posted())] == [True, True, 2]


async def test_whatever_comes_from_a_paper_is_text(place: Place) -> None:
    await place.platform.send(place.to, card(HOSTILE), "k1")
    assert HOSTILE in place.posted()[0]


async def test_a_post_whose_answer_was_lost_is_found_or_nobody_can_say(place: Place) -> None:
    if place.lose is not None:
        place.lose()
    began = datetime.now(UTC) - timedelta(minutes=1)
    with suppress(DeliveryUncertain):
        await place.platform.send(place.to, card("One"), "k1")
    try:
        found = await place.platform.find(place.to, "k1", began)
    except LookupUnsupported:
        return
    assert found is not None
    assert await place.platform.find(place.to, "k2", began) is None
    assert len(place.posted()) == 1


async def test_a_channel_that_is_not_there_is_gone_and_not_a_passing_fault(place: Place) -> None:
    elsewhere = ChannelRef(place.to.platform, place.to.workspace, place.nowhere)
    with pytest.raises(ChannelGone):
        await place.platform.send(elsewhere, card("One"), "k1")
    assert place.posted() == []


def test_it_says_who_it_is_and_what_to_do_with_what_nobody_knows(place: Place) -> None:
    assert place.platform.name == place.to.platform
    assert place.platform.on_uncertain in {"resend", "hold"}
