"""Citations of watched papers: each citing work is news once, the day's budget is never exceeded, and no key means no call."""

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import ClientSession, web
from pydantic import SecretStr
from redis.asyncio import Redis

from bot.domain.errors import SourceError
from bot.domain.life import EVENT_KINDS, Watch
from bot.ports import Batch
from bot.sources import build_citations
from bot.sources.openalex import AT_ONCE, Citations, OpenAlexSettings, parse_works
from bot.store.papers import Papers
from bot.store.watches import Watches
from tests.papers import a_channel, a_paper
from tests.replay import serve
from tests.sources.context import a_context
from tests.sources.upstreams import Clock

NOW = datetime(2026, 5, 20, 15, tzinfo=UTC)
ID = "2603.00001"


@dataclass
class OpenAlex:
    """The API as its documentation describes it, and as strict: a key, known parameters and filters, at most 100 works a page,
    and no more lists a day than are free."""

    citing: dict[str, list[str]] = field(default_factory=dict)
    """Work -> the works that cite it, the latest first."""
    lists: int = 0
    look_ups: int = 0
    fails_after: int = 10_000
    free: int = 10_000
    """Lists of a day: after them each answer is 429."""

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/works", self._list)
        app.router.add_get("/works/{id:.+}", self._work)
        return app

    async def _work(self, request: web.Request) -> web.Response:
        if request.query.get("api_key") != "the key":
            return _error(401, "Invalid or missing API key")
        self.look_ups += 1
        work = self.name_of(request.match_info["id"].rpartition(".")[2])
        if work not in self.citing:
            return web.json_response({"error": "not found"}, status=404)
        return web.json_response({"id": f"https://openalex.org/{work}", "title": "A work"})

    async def _list(self, request: web.Request) -> web.Response:
        if refused := self._refused(request.query):
            return _error(*refused)
        if self.lists >= self.free:
            return _error(429, "Daily limit exceeded", {"Retry-After": "3600"})
        if self.lists >= self.fails_after:
            return web.Response(status=500)
        self.lists += 1
        works = self.citing[request.query["filter"].removeprefix("cites:")]
        if request.query["sort"] == "publication_date":
            works = works[::-1]
        most = int(request.query.get("per_page", "25"))
        rows = [{"id": f"https://openalex.org/{w}", "title": f"On {w}"} for w in works[:most]]
        meta = {"count": len(works), "db_response_time_ms": 9, "page": 1, "per_page": most}
        return web.json_response({"meta": meta, "results": rows, "group_by": []})

    @staticmethod
    def _refused(query: Mapping[str, str]) -> tuple[int, str] | None:
        known = {"api_key", "filter", "sort", "per_page", "page", "cursor", "select"}
        rules = {
            "per_page must be a number between 1 and 100.": 1 <= int(query.get("per_page", "25")) <= 100,
            "Invalid filter.": re.fullmatch(r"cites:W[1-9]\d*", query.get("filter", "")),
            "Invalid sort.": query.get("sort") in {"publication_date:desc", "publication_date"},
            "Unknown parameter.": query.keys() <= known,
        }
        if query.get("api_key") != "the key":
            return 401, "Invalid or missing API key"
        return next(((400, message) for message, kept in rules.items() if not kept), None)

    @staticmethod
    def name_of(number: str) -> str:
        return f"W{int(number)}"


def _error(status: int, message: str, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response({"error": "Invalid request", "message": message}, status=status, headers=headers)


class Room:
    """Watched papers, and the source that asks about them."""

    def __init__(self, redis: Redis, source: Citations, api: OpenAlex, clock: Clock) -> None:
        self.papers, self.watches = Papers(redis), Watches(redis)
        self.source, self.api, self.clock = source, api, clock

    async def watch(self, paper_id: str) -> None:
        await self.papers.ingest("test", Batch((a_paper(paper_id),), "c"), 0)
        watch = Watch(frozenset(EVENT_KINDS), "U1 Ada", NOW)
        assert await self.watches.put(a_channel("@U1"), paper_id, watch)
        self.api.citing.setdefault(self.api.name_of(paper_id.rpartition(".")[2]), [])

    async def poll(self) -> None:
        """Fetch page by page, and store each."""
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
        settings = OpenAlexSettings.model_construct(openalex_url=url, openalex_key=SecretStr("the key"))
        (source,) = build_citations(a_context(url, session, redis, settings, clock=clock, pace=0.0))
        assert isinstance(source, Citations)
        yield Room(redis, source, api, clock)


async def test_each_citing_work_is_news_once(room: Room) -> None:
    await room.watch(ID)
    room.api.citing["W1"] = ["W11", "W10"]
    await room.poll()
    assert await room.events() == [], "what cites it already is no news"
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


async def test_a_round_is_made_once_a_day_and_in_parts(room: Room) -> None:
    for n in range(AT_ONCE + 5):
        await room.watch(f"2603.{n + 1:05}")
    await room.poll()
    await room.poll()
    assert room.api.lists == AT_ONCE + 5
    await room.next_day()
    assert room.api.lists == 2 * (AT_ONCE + 5)


async def test_the_budget_of_a_day_is_never_exceeded(room: Room) -> None:
    room.source._budget = 7
    for n in range(10):
        await room.watch(f"2603.{n + 1:05}")
    for _ in range(4):
        await room.poll()
    assert room.api.lists == 7
    await room.next_day()
    assert room.api.lists == 10, "the round goes on with those that are left"
    await room.next_day()
    assert room.api.lists == 17


async def test_a_failure_in_between_loses_nothing_and_repeats_nothing(room: Room) -> None:
    for n in range(4):
        await room.watch(f"2603.{n + 1:05}")
    room.api.fails_after = 2
    with pytest.raises(SourceError):
        await room.poll()
    room.api.fails_after = 10_000
    await room.poll()
    assert room.api.lists == 4


async def test_an_old_work_that_moves_up_in_a_full_list_is_no_news(room: Room) -> None:
    """Works are merged and removed. What was below the list, and what comes back, was there before."""
    await room.watch(ID)
    works = [f"W{n}" for n in range(500, 350, -1)]
    room.api.citing["W1"] = works
    await room.poll()
    room.api.citing["W1"] = [work for work in works if work not in {"W480", "W470"}]
    await room.next_day()
    room.api.citing["W1"] = works
    await room.next_day()
    assert await room.events() == []
    room.api.citing["W1"] = ["W501", *works[:40], "W999", *works[40:]]
    await room.next_day()
    await room.next_day()
    assert await room.events() == [
        "Cited by 2 new papers: “On W501”, “On W999” (OpenAlex, days to weeks late)"
    ]


async def test_a_limit_that_openalex_sets_loses_nothing_and_repeats_nothing(room: Room) -> None:
    for n in range(4):
        await room.watch(f"2603.{n + 1:05}")
    await room.poll()
    for n in range(4):
        room.api.citing[f"W{n + 1}"] = [f"W1{n}"]
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


async def test_a_paper_that_openalex_does_not_know_costs_nothing(room: Room) -> None:
    await room.watch(ID)
    room.api.citing.clear()
    await room.poll()
    assert room.api.lists == 0
    assert await room.events() == []


async def test_papers_that_no_one_watches_are_not_asked_about(room: Room) -> None:
    await room.papers.ingest("test", Batch((a_paper(ID),), "c"), 0)
    await room.poll()
    assert (room.api.lists, room.api.look_ups) == (0, 0)


async def test_without_a_key_there_is_no_such_source(redis: Redis) -> None:
    async with ClientSession() as session:
        settings = OpenAlexSettings.model_construct(openalex_url="http://localhost", openalex_key=None)
        assert build_citations(a_context("http://localhost", session, redis, settings)) == ()


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"results": 3}', b"<html>"])
def test_what_is_no_list_is_an_error(body: bytes) -> None:
    with pytest.raises(SourceError):
        parse_works(body)
