"""bioRxiv and medRxiv: pages, versions, withdrawals, and papers added to past days."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, date, datetime

import pytest
from aiohttp import ClientSession, web
from redis.asyncio import Redis

from bot.domain.errors import SourceError
from bot.query import parse
from bot.sources.biorxiv import Biorxiv, Cursor, build, parse_page
from bot.sources.http import Upstream
from tests.replay import serve
from tests.sources.context import a_context
from tests.sources.preprints import Row, posted
from tests.sources.upstreams import Clock, Respond, app_of, sending

Build = Callable[..., Awaitable[Biorxiv]]
KNOWN = str(Cursor(date(2026, 5, 17), date(2026, 5, 1)))


@pytest.fixture
async def source(redis: Redis) -> AsyncIterator[Build]:
    """Return a function that builds a source without the gate, to read from a server that answers with `respond`."""
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(ClientSession())

        async def make(respond: Respond, *categories: str, clock: Clock | None = None) -> Biorxiv:
            url = await stack.enter_async_context(serve(app_of(respond)))
            world = a_context(url, session, redis, clock=clock)
            upstream = Upstream("bioRxiv", session, user_agent="test", now=world.now)
            return Biorxiv(
                "biorxiv", upstream, url, world.now, world.progress, categories=categories or ("all",)
            )

        yield make


def doi(number: int) -> str:
    return f"10.1101/2026.05.18.{number:06}"


async def test_a_paper_has_all_its_fields() -> None:
    row = Row(doi(1).upper(), server="medRxiv", category="Infectious Diseases (except HIV/AIDS)")
    (found,) = parse_page(posted(row), "medRxiv").posted
    paper = found.paper
    assert (paper.id, paper.authors) == (f"doi:{doi(1)}", ("R. Franklin", "B. McClintock"))
    assert paper.url == f"https://www.medrxiv.org/content/{doi(1)}v1"
    assert paper.pdf_url == f"https://www.medrxiv.org/content/{doi(1)}v1.full.pdf"
    assert paper.published == datetime(2026, 5, 20, tzinfo=UTC)
    assert paper.categories == ("infectious-diseases-except-hiv-aids",)
    assert paper.sources == ("medrxiv",)


async def test_later_versions_and_withdrawals_are_never_news(source: Build) -> None:
    rows = (
        Row(doi(1)),
        Row(doi(2), version="2"),
        Row(doi(3), version="2", title="WITHDRAWN: On Counting Cells"),
        Row(doi(4), kind="withdrawn"),
    )
    batch = await (await source(sending(posted(*rows)))).fetch(KNOWN)
    assert [paper.id for paper in batch.papers] == [f"doi:{doi(1)}"]
    assert [(paper.id[-1], paper.withdrawn, paper.sources) for paper in batch.updates] == [
        ("2", None, ()),
        ("3", True, ()),
        ("4", True, ()),
    ]


async def test_only_papers_of_followed_categories_are_listed(source: Build) -> None:
    rows = (Row(doi(1)), Row(doi(2), category="neuroscience"))
    batch = await (await source(sending(posted(*rows)), "neuroscience")).fetch(KNOWN)
    assert [paper.id for paper in batch.papers] == [f"doi:{doi(2)}"]


async def test_the_next_page_begins_after_the_rows_received(source: Build) -> None:
    rows = [Row(doi(n)) for n in range(5)]
    requested = []

    async def respond(request: web.Request) -> web.StreamResponse:
        requested.append(request.path)
        start = int(request.path.split("/")[-2])
        return web.Response(body=posted(*rows[start : start + 2], cursor=start, total=5))

    clock = Clock()
    preprints = await source(respond, clock=clock)
    found, cursor, more = [], KNOWN, True
    while more:
        batch = await preprints.fetch(cursor)
        found += [paper.id for paper in batch.papers]
        cursor, more = batch.cursor, batch.more
        clock.at = datetime(2026, 5, 21, 0, 1, tzinfo=UTC)  # past midnight; the list's dates stay the same
    assert found == [f"doi:{row.doi}" for row in rows]
    assert requested == [f"/details/biorxiv/2026-05-17/2026-05-20/{n}/json" for n in (0, 2, 4)]
    assert Cursor.parse(cursor) == Cursor(date(2026, 5, 17), date(2026, 5, 1))


async def test_the_first_fetch_announces_two_days(source: Build) -> None:
    rows = (Row(doi(1), day="2026-05-10"), Row(doi(2), day="2026-05-19"), Row(doi(3)))
    batch = await (await source(sending(posted(*rows)))).fetch(None)
    assert [paper.id[-1] for paper in batch.papers] == ["2", "3"]
    assert [paper.id[-1] for paper in batch.history] == ["1"]


async def test_an_empty_page_before_the_end_is_an_error(source: Build) -> None:
    with pytest.raises(SourceError, match="empty page"):
        await (await source(sending(posted(cursor=30, total=57)))).fetch(KNOWN)


async def test_a_server_is_followed_if_it_has_categories(redis: Redis) -> None:
    async with ClientSession() as session:
        assert [source.name for source in build(a_context("", session, redis))] == ["biorxiv", "medrxiv"]


@pytest.mark.parametrize("query", ["cat:cancer-biology", "source:biorxiv cells"])
def test_queries_know_source_and_category(query: str) -> None:
    (found,) = parse_page(posted(Row(doi(1))), "bioRxiv").posted
    assert parse(query).matches(found.paper)
