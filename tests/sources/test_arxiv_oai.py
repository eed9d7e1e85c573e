"""The harvest of arXiv: which papers are news, and where the next harvest begins."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, date, datetime, timedelta

import pytest
from aiohttp import ClientSession, web
from redis.asyncio import Redis

from bot.domain.errors import SourceError
from bot.ports import Batch
from bot.sources.arxiv.calendar import Calendar
from bot.sources.arxiv.oai import ArxivOai, Cursor, set_of
from bot.sources.http import Upstream
from tests.replay import serve
from tests.sources.context import a_context
from tests.sources.oai_answers import Stored, oai, oai_error
from tests.sources.upstreams import Clock, Respond, app_of, sending

Build = Callable[..., Awaitable[ArxivOai]]
KNOWN = str(Cursor(since=date(2026, 5, 18), began=date(2026, 4, 1), newest="2605.00010"))
NIGHT = datetime(2026, 5, 20, 3, 0, tzinfo=UTC)
"""23:00 in New York on Tuesday."""


@pytest.fixture
async def source(redis: Redis) -> AsyncIterator[Build]:
    """Return a function that builds a source without the gate, to read from a server that answers with `respond`."""
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(ClientSession())

        async def make(respond: Respond, *, cross: bool = False, now: datetime = NIGHT) -> ArxivOai:
            url = await stack.enter_async_context(serve(app_of(respond)))
            world = a_context(url, session, redis, clock=Clock(now))
            upstream = Upstream("arXiv", session, user_agent="test", now=world.now)
            return ArxivOai(
                "cs.CL", upstream, url, world.now, world.progress, calendar=Calendar(), cross=cross
            )

        yield make


def ids(batch: Batch) -> tuple[list[str], list[str], list[str]]:
    """Return the ids of announced, remembered, and only updated papers."""
    parts = (batch.papers, batch.history, batch.updates)
    news, history, updates = ([paper.id for paper in part] for part in parts)
    return news, history, updates


def versions(*days: str) -> tuple[datetime, ...]:
    return tuple(datetime.fromisoformat(f"{day}T12:00+00:00") for day in days)


@pytest.mark.parametrize(
    ("row", "is_news"),
    [
        (Stored("2605.00011"), True),
        (Stored("2605.00010"), False),  # announced before the first fetch
        (
            Stored("2605.00011", submitted=versions("2026-05-18", "2026-05-19")),
            True,
        ),  # replaced during downtime
        (Stored("2605.00011", submitted=versions("2026-02-01")), True),  # held back for months
        (Stored("2605.00009", submitted=versions("2026-05-18", "2026-05-19")), False),  # a replacement
        (Stored("2602.00009", submitted=versions("2026-02-01")), False),  # new journal reference
        (Stored("hep-th/0401001", submitted=versions("2004-01-01")), False),
        (Stored("2605.00011", categories="cs.AI cs.CL"), False),  # a cross-list
        (Stored("2605.00011", source_type="I"), False),
    ],
)
async def test_first_announcements_in_the_category_are_news(
    source: Build, row: Stored, is_news: bool
) -> None:
    batch = await (await source(sending(oai(row)))).fetch(KNOWN)
    assert ids(batch) == (([row.paper_id], [], []) if is_news else ([], [], [row.paper_id]))


async def test_cross_lists_are_news_if_configured(source: Build) -> None:
    row = Stored("2605.00011", categories="cs.AI cs.CL")
    assert ids(await (await source(sending(oai(row)), cross=True)).fetch(KNOWN))[0] == ["2605.00011"]


async def test_an_update_changes_categories_and_withdrawal_but_not_the_text(source: Build) -> None:
    row = Stored("2605.00009", submitted=versions("2026-05-18", "2026-05-19"), source_type="I")
    (update,) = (await (await source(sending(oai(row)))).fetch(KNOWN)).updates
    assert (update.sources, update.withdrawn, update.categories) == ((), True, ("cs.CL", "cs.AI"))


async def test_the_first_fetch_announces_the_latest_evening_only(source: Build) -> None:
    rows = (
        Stored(
            "2604.00001", stamp=date(2026, 5, 8), submitted=versions("2026-04-20")
        ),  # older than the range of the first harvest
        Stored("2605.00001", stamp=date(2026, 5, 8), submitted=versions("2026-05-07")),
        Stored("2605.00002", stamp=date(2026, 5, 20), submitted=versions("2026-05-10")),  # changed recently
        Stored("2605.00003", stamp=date(2026, 5, 20), submitted=versions("2026-05-18")),
    )
    queries: list[dict[str, str]] = []

    async def respond(request: web.Request) -> web.StreamResponse:
        queries.append(dict(request.query))
        return web.Response(body=oai(*rows))

    oai_source = await source(respond)
    batch = await oai_source.fetch(None)
    assert ids(batch) == (["2605.00003"], ["2605.00001", "2605.00002"], [])
    assert json.loads(batch.cursor) == {"since": "2026-05-18", "began": "2026-05-06", "newest": "2605.00003"}
    await oai_source.fetch(batch.cursor)
    assert [query["from"] for query in queries] == ["2026-05-06", "2026-05-18"]
    assert queries[0] | {"from": ""} == {
        "verb": "ListRecords",
        "metadataPrefix": "arXivRaw",
        "set": "cs:cs:CL",
        "from": "",
    }


async def test_at_a_weekend_the_first_fetch_announces_nothing(source: Build) -> None:
    row = Stored("2605.00003", stamp=date(2026, 5, 22), submitted=versions("2026-05-21"))
    batch = await (await source(sending(oai(row)), now=datetime(2026, 5, 23, 15, tzinfo=UTC))).fetch(None)
    assert ids(batch) == ([], ["2605.00003"], [])


class Paged:
    """Two pages: the second one from the first page's last day on, or by a token, which can have expired."""

    def __init__(self, first: date, *, expired: bool = False) -> None:
        self.requests: list[dict[str, str]] = []
        self.first = first
        self.expired = expired

    async def respond(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(dict(request.query))
        token = request.query.get("resumptionToken")
        if token and self.expired:
            return web.Response(body=oai_error("badResumptionToken"))
        if token or request.query["from"] > "2026-05-18":
            later = datetime(2026, 5, 21, 0, 10, tzinfo=UTC)
            return web.Response(body=oai(Stored("2605.00012"), token="", answered=later))
        return web.Response(body=oai(Stored("2605.00011", self.first), token="verb%3DListRecords%26skip%3D1"))


AFTER = Cursor(since=date(2026, 5, 18), began=date(2026, 4, 1), newest="2605.00010")
"""Cursor after both pages: the next list begins two days before the first page's answer, not the last one's."""


async def test_the_next_page_begins_with_the_last_day_of_the_previous_one(source: Build) -> None:
    server = Paged(date(2026, 5, 19))
    first = await (await source(server.respond)).fetch(KNOWN)
    assert (ids(first)[0], first.more) == (["2605.00011"], True)
    second = await (await source(server.respond)).fetch(first.cursor)  # by another process, after a kill
    assert (ids(second)[0], second.more) == (["2605.00012"], False)
    assert [query.get("from") for query in server.requests] == ["2026-05-18", "2026-05-19"]
    assert Cursor.parse(second.cursor) == AFTER


async def test_a_day_with_several_pages_is_read_by_token(source: Build) -> None:
    server = Paged(date(2026, 5, 18))
    first = await (await source(server.respond)).fetch(KNOWN)
    second = await (await source(server.respond)).fetch(first.cursor)
    assert (first.more, ids(second)[0], second.more) == (True, ["2605.00012"], False)
    assert server.requests[1] == {"verb": "ListRecords", "resumptionToken": "verb%3DListRecords%26skip%3D1"}
    assert Cursor.parse(second.cursor) == AFTER


async def test_an_expired_token_restarts_its_day(source: Build) -> None:
    server = Paged(date(2026, 5, 18), expired=True)
    oai_source = await source(server.respond)
    first = await oai_source.fetch(KNOWN)
    again = await oai_source.fetch(first.cursor)
    assert [query.get("from") for query in server.requests] == ["2026-05-18", None, "2026-05-18"]
    assert (ids(again)[0], again.more) == (["2605.00011"], True)


async def test_a_paper_announced_long_ago_is_not_news(source: Build) -> None:
    for_years = str(Cursor(since=date(2026, 5, 18), began=date(2024, 1, 1), newest="2401.00001"))
    rows = (Stored("2510.00001", submitted=versions("2025-10-01")), Stored("2604.00001"))
    batch = await (await source(sending(oai(*rows)))).fetch(for_years)
    assert ids(batch) == (["2604.00001"], [], ["2510.00001"])


async def test_a_category_without_papers_announces_its_first_ones(source: Build) -> None:
    first = await (await source(sending(oai()))).fetch(None)
    assert Cursor.parse(first.cursor).newest == "2605.00000"
    old = Stored("2403.00001", submitted=versions("2024-03-01", "2026-05-19"))
    batch = await (await source(sending(oai(old, Stored("2605.00001"))))).fetch(first.cursor)
    assert ids(batch)[0] == ["2605.00001"]


async def test_an_unreadable_cursor_is_an_error(source: Build) -> None:
    for cursor in ("2026-05-18", "{}", "[]", '{"since": "soon", "began": "2026-05-01"}'):
        with pytest.raises(SourceError, match="cursor"):
            await (await source(sending(oai()))).fetch(cursor)


async def test_arxiv_is_polled_in_the_morning_and_at_night(source: Build) -> None:
    oai_source = await source(sending(oai()))
    night, morning = datetime(2026, 5, 21, 3, tzinfo=UTC), datetime(2026, 5, 21, 11, tzinfo=UTC)
    assert oai_source.next_poll(night - timedelta(minutes=1)) == night
    assert oai_source.next_poll(night) == morning
    assert oai_source.next_poll(morning) == night + timedelta(days=1)


@pytest.mark.parametrize(
    ("category", "name"),
    [
        ("cs.AI", "cs:cs:AI"),
        ("q-bio.NC", "q-bio:q-bio:NC"),
        ("hep-th", "physics:hep-th"),
        ("astro-ph.CO", "physics:astro-ph:CO"),
        ("cs", "cs:cs"),
    ],
)
def test_sets_are_named_by_group_and_archive(category: str, name: str) -> None:
    assert set_of(category) == name
