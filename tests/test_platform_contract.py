"""The contract of `bot.ports.Platform`, which every registered platform is held to.

CONTRIBUTING.md says how a new one is added: by its `tests/adapters/<name>/contract.py`.
"""

from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from importlib import import_module

import pytest
from redis.asyncio import Redis

from adapters import PLATFORMS
from bot.cards import Card
from bot.cards.paper import paper_card
from bot.domain.errors import ChannelGone, DeliveryUncertain, LookupUnsupported
from bot.domain.models import ChannelRef
from tests.papers import SPRING, a_paper
from tests.platform_place import Place

HOSTILE = "<!channel> @everyone *bold* [link](https://evil.example) `code` & <b>more</b>"


@pytest.fixture(params=PLATFORMS)
async def place(request: pytest.FixtureRequest, redis: Redis) -> AsyncIterator[Place]:
    """A registered platform without a `contract.py` fails here."""
    contract = import_module(f"tests.adapters.{request.param}.contract")
    async with contract.place(redis) as made:
        assert made.platform.name == request.param
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


async def test_a_post_whose_answer_was_lost_is_found_or_the_platform_says_that_it_cannot_look(
    place: Place,
) -> None:
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


def test_it_has_a_name_and_says_what_to_do_with_uncertain_posts(place: Place) -> None:
    assert place.platform.name == place.to.platform
    assert place.platform.on_uncertain in {"resend", "hold"}
