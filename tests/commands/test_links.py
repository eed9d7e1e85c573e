"""Cards for links that people post: from the store, or from an upstream within a second, or none."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from time import monotonic

import pytest
from aiohttp import ClientSession
from redis.asyncio import Redis

from bot.cards import Card
from bot.commands.core import Commands
from bot.commands.links import LOOKUP_LEASE, LOOKUP_WAIT, MAX_CARDS
from bot.commands.services import Services
from bot.domain.models import ChannelSettings
from bot.sources import build_finders
from bot.sources.upstream_search import UpstreamSearch
from tests.commands.conftest import See
from tests.papers import a_channel, a_paper
from tests.replay import serve
from tests.sources.context import a_context
from tests.sources.searchable import Searchable
from tests.sources.upstreams import app_of
from tests.waiting import until

KNOWN, FOREIGN, SLOW = (f"https://arxiv.org/abs/2605.0000{number}" for number in (1, 2, 3))


class Shown:
    """Records the cards that a platform receives, and the seconds until they come."""

    def __init__(self, core: Commands) -> None:
        self._core = core
        self.calls: list[Mapping[str, Card]] = []
        self.after = 0.0

    async def post(self, *links: str) -> list[str]:
        """Post a message with links. Returns the links that got a card."""
        began, before = monotonic(), len(self.calls)

        async def show(cards: Mapping[str, Card]) -> None:
            self.after = monotonic() - began
            self.calls.append(cards)

        await self._core.show_links(links, a_channel(), show)
        return [link for cards in self.calls[before:] for link in cards]


@pytest.fixture
def upstreams() -> Searchable:
    return Searchable(huggingface=("2605.00002",))


@pytest.fixture
async def shown(services: Services, redis: Redis, upstreams: Searchable, see: See) -> AsyncIterator[Shown]:
    await see(a_paper("2605.00001"))
    async with serve(app_of(upstreams.respond)) as url, ClientSession() as session:
        search = UpstreamSearch(build_finders(a_context(url, session, redis, pace=0.01)), paper_timeout=3.0)
        yield Shown(Commands(replace(services, upstream_search=search)))


async def test_a_stored_paper_gets_its_card_without_a_lookup(shown: Shown, upstreams: Searchable) -> None:
    assert await shown.post(
        KNOWN, "https://arxiv.org/list/cs.CL/recent", "https://arxiv.org/pdf/2605.00001"
    ) == [KNOWN]
    assert upstreams.asked == []
    [(_, card)] = shown.calls[0].items()
    assert [button.label for button in card.blocks[0].actions] == ["Save", "Similar", "Abstract"]  # type: ignore[union-attr]


async def test_an_unknown_paper_is_looked_up_once_and_stored(shown: Shown, upstreams: Searchable) -> None:
    assert await shown.post(FOREIGN) == [FOREIGN]
    requests = len(upstreams.asked)
    assert await shown.post(FOREIGN) == [FOREIGN]
    assert len(upstreams.asked) == requests


async def test_an_unknown_paper_is_looked_up_once_an_hour(shown: Shown, upstreams: Searchable) -> None:
    nowhere = "https://arxiv.org/abs/2605.99999"
    assert await shown.post(nowhere) == []
    requests = len(upstreams.asked)
    assert await shown.post(nowhere) == []
    assert len(upstreams.asked) == requests
    assert await shown.post(KNOWN, nowhere) == [KNOWN]


async def test_a_late_paper_is_stored_and_does_not_delay_other_cards(
    shown: Shown, upstreams: Searchable
) -> None:
    upstreams.huggingface, upstreams.late = ("2605.00003",), ("/api/papers/2605.00003",)
    posting = asyncio.create_task(shown.post(SLOW, KNOWN))
    await until(lambda: shown.calls, "the first cards")
    assert list(shown.calls[0]) == [KNOWN]
    assert shown.after >= LOOKUP_WAIT
    upstreams.released.set()
    assert await posting == [KNOWN]
    assert await shown.post(SLOW) == [SLOW]


async def test_a_cancelled_lookup_is_repeated_after_its_lease(
    shown: Shown, upstreams: Searchable, redis: Redis
) -> None:
    upstreams.huggingface, upstreams.late = ("2605.00003",), ("/api/papers/2605.00003",)
    posting = asyncio.create_task(shown.post(SLOW))
    await until(lambda: upstreams.asked, "the lookup")
    posting.cancel()
    await asyncio.wait({posting})
    [lease] = [key async for key in redis.scan_iter("*looked up*")]
    assert 0 < await redis.ttl(lease) <= LOOKUP_LEASE
    await redis.delete(lease)
    upstreams.late = ()
    assert await shown.post(SLOW) == [SLOW]
    assert await redis.ttl(lease) > LOOKUP_LEASE


async def test_a_channel_with_link_cards_off_gets_none(
    shown: Shown, services: Services, upstreams: Searchable
) -> None:
    await services.settings.put(a_channel(), ChannelSettings(links=False))
    assert await shown.post(KNOWN, FOREIGN) == []
    assert upstreams.asked == []


async def test_the_number_of_cards_per_message_is_limited(shown: Shown, see: See) -> None:
    ids = [f"2605.1{number:04}" for number in range(MAX_CARDS + 3)]
    await see(*map(a_paper, ids))
    assert len(await shown.post(*(f"https://arxiv.org/abs/{paper_id}" for paper_id in ids))) == MAX_CARDS
