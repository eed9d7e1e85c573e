"""Citations: each work that cites a watched paper is news once, the daily budget is kept, and no key means no call."""

import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import ClientSession
from pydantic import SecretStr
from redis.asyncio import Redis

from bot.domain.errors import SourceError
from bot.domain.life import EVENT_KINDS, Watch
from bot.ports import Batch
from bot.sources import build_citations
from bot.sources.citing_works import parse_works
from bot.sources.openalex import AT_ONCE, PAGE, PAGES, Citations, OpenAlexSettings
from bot.store.papers import Papers
from bot.store.watches import Watches
from tests.papers import a_channel, a_paper
from tests.replay import serve
from tests.sources.context import a_context
from tests.sources.openalex_double import KEY, OpenAlex
from tests.sources.upstreams import Clock

NOW = datetime(2026, 5, 20, 15, tzinfo=UTC)
ID = "2603.00001"


class Room:
    """Watched papers, and the source of their citations."""

    def __init__(self, redis: Redis, source: Citations, api: OpenAlex, clock: Clock) -> None:
        self.papers, self.watches = Papers(redis), Watches(redis)
        self.source, self.api, self.clock = source, api, clock

    async def watch(self, paper_id: str) -> None:
        await self.papers.ingest("test", Batch((a_paper(paper_id),), "c"), 0)
        watch = Watch(frozenset(EVENT_KINDS), "U1 Ada", NOW)
        assert await self.watches.put(a_channel("@U1"), paper_id, watch)
        self.api.citing.setdefault(self.api.name_of(paper_id.rpartition(".")[2]), [])

    async def watch_many(self, most: int) -> None:
        for n in range(most):
            await self.watch(f"2603.{n + 1:05}")

    async def poll(self) -> None:
        """Fetch and store page by page."""
        more = True
        while more:
            batch = await self.source.fetch(await self.papers.cursor(self.source.name))
            assert batch.papers == ()
            await self.papers.ingest(self.source.name, batch, 0)
            more = batch.more

    async def next_day(self) -> None:
        self.clock.at += timedelta(days=1)
        await self.poll()

    async def events(self, paper_id: str = ID) -> list[str]:
        return [event.text for event in (await self.papers.get([paper_id]))[paper_id].events]


@pytest.fixture
async def room(redis: Redis) -> AsyncIterator[Room]:
    api, clock = OpenAlex(), Clock(NOW)
    async with serve(api.app()) as url, ClientSession() as session:
        settings = OpenAlexSettings.model_construct(openalex_url=url, openalex_key=SecretStr(KEY))
        (source,) = build_citations(a_context(url, session, redis, settings, clock=clock, pace=0.0))
        assert isinstance(source, Citations)
        yield Room(redis, source, api, clock)


async def test_each_citing_work_is_news_once(room: Room) -> None:
    await room.watch(ID)
    room.api.citing["W1"] = ["W11", "W10"]
    await room.poll()
    assert await room.events() == [], "works that already cite it aren't news"
    room.api.citing["W1"] = ["W12", "W11", "W10"]
    await room.next_day()
    assert await room.events() == ["Cited by a new paper: “On W12” (OpenAlex, days to weeks late)"]
    await room.next_day()
    room.api.citing["W1"] = ["W15", "W14", "W13", "W12", "W11", "W10"]
    await room.next_day()
    await room.next_day()
    assert (await room.events())[1:] == [
        "Cited by 3 new papers: “On W15”, “On W14” and 1 more (OpenAlex, days to weeks late)"
    ]
    assert room.api.look_ups == 1, "its id is remembered"


async def test_all_papers_are_queried_once_a_day_and_in_parts(room: Room) -> None:
    await room.watch_many(AT_ONCE + 5)
    await room.poll()
    await room.poll()
    assert room.api.lists == AT_ONCE + 5
    await room.next_day()
    assert room.api.lists == 2 * (AT_ONCE + 5)


async def test_the_budget_of_a_day_is_never_exceeded(room: Room) -> None:
    room.source._calls.most = 7
    await room.watch_many(10)
    for _ in range(4):
        await room.poll()
    assert room.api.lists == 7
    await room.next_day()
    assert room.api.lists == 10, "the round continues with the remaining papers"
    await room.next_day()
    assert room.api.lists == 17


async def test_a_failure_in_between_loses_nothing_and_repeats_nothing(room: Room) -> None:
    await room.watch_many(4)
    room.api.fails_after = 2
    with pytest.raises(SourceError):
        await room.poll()
    room.api.fails_after = 10_000
    await room.poll()
    assert room.api.lists == 4


async def test_an_old_work_that_moves_up_in_a_full_list_is_not_news(room: Room) -> None:
    """OpenAlex merges and removes works, so that older ones move up or come back."""
    await room.watch(ID)
    works = [f"W{n}" for n in range(90_000, 90_000 - PAGE * PAGES - 50, -1)]
    room.api.citing["W1"] = works
    await room.poll()
    room.api.citing["W1"] = [work for work in works if work not in {"W89980", "W89970"}]
    await room.next_day()
    room.api.citing["W1"] = works
    await room.next_day()
    assert await room.events() == []
    room.api.citing["W1"] = ["W90001", *works[:40], "W99999", *works[40:]]
    await room.next_day()
    await room.next_day()
    assert await room.events() == [
        "Cited by 2 new papers: “On W90001”, “On W99999” (OpenAlex, days to weeks late)"
    ]


async def test_a_limit_that_openalex_sets_loses_nothing_and_repeats_nothing(room: Room) -> None:
    await room.watch_many(4)
    await room.poll()
    room.api.citing |= {f"W{n + 1}": [f"W1{n}"] for n in range(4)}
    room.api.has_budget_headers = False
    room.api.free = room.api.lists + 2
    with pytest.raises(SourceError):
        await room.next_day()
    room.api.free = 10_000
    await room.next_day()
    await room.next_day()
    for n in range(4):
        assert await room.events(f"2603.{n + 1:05}") == [
            f"Cited by a new paper: “On W1{n}” (OpenAlex, days to weeks late)"
        ]


async def test_all_pages_of_a_paper_are_read(room: Room) -> None:
    """A work that is added late is listed by its date, not at the top."""
    await room.watch(ID)
    works = [f"W{n}" for n in range(1000, 650, -1)]
    room.api.citing["W1"] = works
    await room.poll()
    assert room.api.lists == 4
    room.api.citing["W1"] = ["W2000", *works[:330], "W2001", *works[330:], "W2002"]
    await room.next_day()
    await room.next_day()
    assert await room.events() == [
        "Cited by 3 new papers: “On W2000”, “On W2001” and 1 more (OpenAlex, days to weeks late)"
    ]


async def test_a_full_last_page_is_followed_by_an_empty_one(room: Room) -> None:
    await room.watch(ID)
    room.api.citing["W1"] = [f"W{n}" for n in range(10 + 2 * PAGE, 10, -1)]
    await room.poll()
    assert room.api.lists == 3
    room.api.citing["W1"] = ["W900", *room.api.citing["W1"]]
    await room.next_day()
    assert await room.events() == ["Cited by a new paper: “On W900” (OpenAlex, days to weeks late)"]


async def test_a_budget_that_ends_within_a_paper_causes_no_false_news(room: Room) -> None:
    """Works of the first reading aren't news, even if it takes days; works beyond the budget are read later."""
    await room.watch(ID)
    works = [f"W{n}" for n in range(1000, 650, -1)]
    room.api.citing["W1"] = works
    room.source._calls.most = 2
    await room.poll()
    assert (room.api.lists, await room.events()) == (2, [])
    room.source._calls.most = 10
    await room.next_day()
    assert await room.events() == []
    room.api.citing["W1"] = ["W2000", *works[:150], "W2001", *works[150:250], "W2002", *works[250:]]
    room.source._calls.most = 2
    await room.next_day()
    assert await room.events() == [
        "Cited by 2 new papers: “On W2000”, “On W2001” (OpenAlex, days to weeks late)"
    ]
    room.source._calls.most = 10
    await room.next_day()
    await room.next_day()
    assert (await room.events())[1:] == ["Cited by a new paper: “On W2002” (OpenAlex, days to weeks late)"]


async def test_a_kill_at_any_call_exceeds_no_budget_and_loses_nothing(room: Room) -> None:
    for n in range(3):
        await room.watch(f"2603.{n + 1:05}")
        room.api.citing[f"W{n + 1}"] = [f"W{n}{m:03}" for m in range(101, 350)]
    await room.poll()
    for n in range(3):
        room.api.citing[f"W{n + 1}"].insert(150, f"W9{n}")
    room.source._calls.most = 30
    before = room.api.lists
    room.clock.at += timedelta(days=1)
    for calls in range(1, 9):
        room.api.fails_after = room.api.lists + calls
        with contextlib.suppress(SourceError):  # a killed fetch stores nothing
            _ = await room.source.fetch(await room.papers.cursor(room.source.name))
    room.api.fails_after = 10_000
    for _ in range(3):
        await room.poll()
        assert room.api.lists - before <= 30
        before = room.api.lists
        room.clock.at += timedelta(days=1)
    for n in range(3):
        assert await room.events(f"2603.{n + 1:05}") == [
            f"Cited by a new paper: “On W9{n}” (OpenAlex, days to weeks late)"
        ]


async def test_no_call_is_made_once_openalex_reports_an_empty_budget(room: Room) -> None:
    await room.watch_many(4)
    room.api.free = 2
    await room.poll()
    await room.poll()
    assert len(room.api.requests) == 2


async def test_a_work_that_was_merged_is_looked_up_again(room: Room) -> None:
    await room.watch(ID)
    room.api.citing["W1"] = ["W11", "W10"]
    await room.poll()
    room.api.merged["W1"] = "W5"
    room.api.citing["W5"] = ["W12", "W11", "W10"]
    await room.next_day()
    await room.next_day()
    assert await room.events() == ["Cited by a new paper: “On W12” (OpenAlex, days to weeks late)"]
    assert room.api.look_ups == 2


async def test_a_list_that_openalex_refuses_does_not_stop_the_others(room: Room) -> None:
    await room.watch_many(3)
    room.api.refused.add("W2")
    batch = await room.source.fetch(None)
    assert batch.skipped == {"OpenAlex refused the list of works": 1}
    assert {paper.id for paper in batch.updates} == {"2603.00001", "2603.00003"}


async def test_a_403_slows_requests_down(room: Room) -> None:
    await room.watch(ID)
    room.api.slow_down = True
    with pytest.raises(SourceError) as raised:
        await room.poll()
    assert not raised.value.refused
    assert raised.value.retry_after


async def test_a_cursor_of_an_older_version_is_read(room: Room) -> None:
    await room.watch(ID)
    cursor = '{"day": "2026-05-19", "spent": 9000, "after": "", "finished": "2026-05-19"}'
    assert [paper.id for paper in (await room.source.fetch(cursor)).updates] == [ID]


async def test_a_paper_that_openalex_does_not_know_costs_nothing(room: Room) -> None:
    await room.watch(ID)
    room.api.citing.clear()
    await room.poll()
    assert room.api.lists == 0
    assert await room.events() == []


async def test_papers_that_no_one_watches_are_not_queried(room: Room) -> None:
    await room.papers.ingest("test", Batch((a_paper(ID),), "c"), 0)
    await room.poll()
    assert (room.api.lists, room.api.look_ups) == (0, 0)


async def test_without_a_key_there_is_no_source(redis: Redis) -> None:
    async with ClientSession() as session:
        settings = OpenAlexSettings.model_construct(openalex_url="http://localhost", openalex_key=None)
        assert build_citations(a_context("http://localhost", session, redis, settings)) == ()


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"results": 3}', b"<html>"])
def test_an_answer_that_is_not_a_list_is_an_error(body: bytes) -> None:
    with pytest.raises(SourceError):
        parse_works(body)
