"""The contract of `bot.ports.Platform`, which every registered platform must meet.

A new platform joins by its `tests/adapters/<name>/contract.py`; see CONTRIBUTING.md.
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
    """Yield the platform's channel. A registered platform without a `contract.py` fails here."""
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


async def test_text_of_a_paper_is_never_markup(place: Place) -> None:
    await place.platform.send(place.to, card(HOSTILE), "k1")
    assert HOSTILE in place.posted()[0]


async def test_a_post_whose_answer_was_lost_is_found_or_lookup_is_unsupported(
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


async def test_a_missing_channel_is_reported_as_gone_and_not_as_a_temporary_error(place: Place) -> None:
    elsewhere = ChannelRef(place.to.platform, place.to.workspace, place.nowhere)
    with pytest.raises(ChannelGone):
        await place.platform.send(elsewhere, card("One"), "k1")
    assert place.posted() == []


def test_a_platform_has_a_name_and_a_policy_for_uncertain_posts(place: Place) -> None:
    assert place.platform.name == place.to.platform
    assert place.platform.on_uncertain in {"resend", "hold"}
