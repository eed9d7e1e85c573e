"""Enrichment queries upstreams about known papers at fixed ages; it updates papers and announces none."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import ClientSession, web
from redis.asyncio import Redis

from bot.domain.errors import SourceError
from bot.domain.models import Paper
from bot.ports import Batch
from bot.sources import build_enrichers
from bot.sources.enrichment import Enrichment, EnrichmentSettings, build_enrichment
from bot.store import keys
from bot.store.papers import Papers
from tests.papers import a_paper
from tests.replay import serve
from tests.sources.context import a_context
from tests.sources.upstreams import Clock, Respond, app_of, listed, sending

Build = Callable[..., Awaitable[Enrichment]]
NOW = datetime(2026, 5, 20, 15, tzinfo=UTC)


def seen(paper_id: str, age: timedelta, **more: object) -> Paper:
    """Return a paper of that age, which only arXiv has listed."""
    return replace(a_paper(paper_id, sources=("arxiv",)), published=NOW - age, **more)  # type: ignore[arg-type]


@pytest.fixture
async def enrichment(redis: Redis) -> AsyncIterator[Build]:
    """Return a function that stores papers and builds an enrichment whose upstream answers with `respond`."""
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(ClientSession())

        async def build(of: str, respond: Respond, *papers: Paper) -> Enrichment:
            await Papers(redis).ingest("arxiv", Batch(papers=(), history=papers, cursor="c"), 0)
            url = await stack.enter_async_context(serve(app_of(respond)))
            settings = EnrichmentSettings.model_construct(enrich=(of,))
            world = a_context(url, session, redis, settings, clock=Clock(NOW), pace=0.001)
            (built,) = build_enrichment(world, build_enrichers(world))
            return built

        yield build


class Scholar:
    """Semantic Scholar, with TLDRs by its own ids of papers."""

    def __init__(self, **tldrs: str) -> None:
        self.tldrs = tldrs
        self.requests: list[list[str]] = []
        self.keys: list[str | None] = []

    async def respond(self, request: web.Request) -> web.StreamResponse:
        assert (request.method, request.path) == ("POST", "/graph/v1/paper/batch")
        ids = (await request.json())["ids"]
        self.requests.append(ids)
        self.keys.append(request.headers.get("x-api-key"))
        rows = [{"paperId": i, "tldr": {"text": self.tldrs[i]}} if i in self.tldrs else None for i in ids]
        return web.json_response(rows)


def ago(**time: float) -> str:
    return (NOW - timedelta(**time)).isoformat()


async def test_a_paper_gets_its_tldr(enrichment: Build) -> None:
    scholar = Scholar(**{"ARXIV:p1": "It counts.", "ARXIV:2605.00001": "It counts.\n Twice."})
    enricher = await enrichment(
        "semanticscholar",
        scholar.respond,
        seen("2605.00001", timedelta(days=1, minutes=10)),
        seen("doi:10.1101/1", timedelta(days=3, minutes=10)),
        seen("2605.00003", timedelta(days=2)),  # not of an age at which it is queried
        seen("2605.00004", timedelta(days=1, minutes=10), tldr="It has one."),
        seen("feed:1", timedelta(days=1, minutes=10)),
    )
    batch = await enricher.fetch(ago(minutes=30))
    assert scholar.requests == [["ARXIV:2605.00001", "DOI:10.1101/1"]]
    assert scholar.keys == ["the key"]
    assert [(paper.id, paper.tldr, paper.sources) for paper in batch.updates] == [
        ("2605.00001", "It counts. Twice.", ())
    ]
    assert (batch.papers, batch.history, batch.more, batch.cursor) == ((), (), False, NOW.isoformat())


async def test_a_paper_is_queried_once_at_each_age(enrichment: Build) -> None:
    scholar = Scholar()
    enricher = await enrichment(
        "semanticscholar", scholar.respond, seen("2605.00001", timedelta(days=1, minutes=10))
    )
    first = await enricher.fetch(None)
    assert (await enricher.fetch(first.cursor)).updates == ()
    batch = await enricher.fetch(ago(minutes=30))
    await enricher.fetch(batch.cursor)
    assert len(scholar.requests) == 1


async def test_a_backlog_after_downtime_is_processed_in_steps(enrichment: Build) -> None:
    enricher = await enrichment("semanticscholar", Scholar().respond)
    cursor, steps, more = ago(days=1), 0, True
    while more:
        batch = await enricher.fetch(cursor)
        cursor, steps, more = batch.cursor, steps + 1, batch.more
    assert (steps, cursor) == (4, NOW.isoformat())


async def test_papers_unknown_to_semantic_scholar_are_not_an_error(enrichment: Build) -> None:
    no_ids = sending(b'{"error": "No valid paper ids given"}', status=400)
    enricher = await enrichment("semanticscholar", no_ids, seen("2605.00001", timedelta(days=1, minutes=10)))
    assert (await enricher.fetch(ago(minutes=30))).updates == ()


@pytest.mark.parametrize("body", [b"", b"[]", b'{"data": []}', b"<html>"])
async def test_an_unreadable_answer_is_an_error(enrichment: Build, body: bytes) -> None:
    enricher = await enrichment(
        "semanticscholar", sending(body), seen("2605.00001", timedelta(days=1, minutes=10))
    )
    with pytest.raises(SourceError, match="Semantic Scholar"):
        await enricher.fetch(ago(minutes=30))


async def test_a_page_of_hugging_face_provides_code_and_upvotes(enrichment: Build) -> None:
    page = listed("2605.00001", upvotes=7, githubRepo="https://github.com/a/b", githubStars=5)["paper"]

    async def respond(request: web.Request) -> web.StreamResponse:
        known = request.path == "/api/papers/2605.00001"
        return web.json_response(page) if known else web.json_response({"error": "no"}, status=404)

    enricher = await enrichment(
        "huggingface",
        respond,
        seen("2605.00001", timedelta(days=1, minutes=10)),
        seen("2605.00002", timedelta(days=1, minutes=10)),
        replace(seen("2605.00003", timedelta(days=1, minutes=10)), sources=("arxiv", "huggingface")),
    )
    (update,) = (await enricher.fetch(ago(minutes=30))).updates
    assert (update.id, update.code_url, update.code_stars, update.upvotes) == (
        "2605.00001",
        "https://github.com/a/b",
        5,
        7,
    )
    assert update.sources == ()


class Pages:
    """Hugging Face's pages of papers. `failing` maps ids to statuses of their answers."""

    def __init__(self, **failing: int) -> None:
        self.failing = {paper_id.replace("_", "."): status for paper_id, status in failing.items()}
        self.requests: list[str] = []

    async def respond(self, request: web.Request) -> web.StreamResponse:
        paper_id = request.path.removeprefix("/api/papers/")
        self.requests.append(paper_id)
        if status := self.failing.get(paper_id.removeprefix("26")):
            return web.Response(status=status, headers={"Retry-After": "9" * 400} if status == 429 else {})
        return web.json_response(listed(paper_id, upvotes=7)["paper"])


def due(*numbers: int) -> tuple[Paper, ...]:
    return tuple(seen(f"2605.{n:05}", timedelta(days=1, minutes=10)) for n in numbers)


async def test_the_cursor_moves_only_past_queried_papers(enrichment: Build) -> None:
    pages = Pages()
    enricher = await enrichment("huggingface", pages.respond, *due(*range(300)))  # all at the same time
    cursor, updates, fetches, more = ago(minutes=30), 0, 0, True
    while more:
        batch = await enricher.fetch(cursor)
        assert batch.cursor != cursor
        cursor, updates, fetches, more = batch.cursor, updates + len(batch.updates), fetches + 1, batch.more
    assert (fetches, updates, len(pages.requests)) == (3, 300, 300)
    assert len(set(pages.requests)) == 300
    assert cursor == NOW.isoformat()


async def test_an_outage_midway_loses_no_paper(enrichment: Build) -> None:
    pages = Pages(**{f"05_{n:05}": 503 for n in (2, 3, 4, 5)})
    enricher = await enrichment("huggingface", pages.respond, *due(*range(1, 6)))
    batch = await enricher.fetch(ago(minutes=30))
    assert ([paper.id for paper in batch.updates], batch.more) == (["2605.00001"], True)
    with pytest.raises(SourceError):
        await enricher.fetch(batch.cursor)
    pages.failing.clear()
    rest = await enricher.fetch(batch.cursor)
    assert [paper.id for paper in rest.updates] == [f"2605.{n:05}" for n in (2, 3, 4, 5)]
    assert (rest.more, rest.cursor) == (False, NOW.isoformat())


async def test_a_page_that_always_fails_does_not_block_the_others(enrichment: Build) -> None:
    enricher = await enrichment("huggingface", Pages(**{"05_00001": 500}).respond, *due(1, 2))
    batch = await enricher.fetch(ago(minutes=30))
    assert ([paper.id for paper in batch.updates], batch.cursor) == (["2605.00002"], NOW.isoformat())


async def test_a_rate_limit_stops_requests_at_once_and_for_at_most_a_day(enrichment: Build) -> None:
    pages = Pages(**{"05_00001": 429})
    enricher = await enrichment("huggingface", pages.respond, *due(1, 2))
    with pytest.raises(SourceError) as raised:
        await enricher.fetch(ago(minutes=30))
    assert (raised.value.retry_after, pages.requests) == (86_400, ["2605.00001"])


async def test_an_unreadable_cursor_is_an_error(enrichment: Build) -> None:
    enricher = await enrichment("huggingface", Pages().respond)
    with pytest.raises(SourceError, match="can't be read"):
        await enricher.fetch("yesterday")


async def test_code_found_later_is_stored_as_a_change_and_not_announced(redis: Redis) -> None:
    papers, paper = Papers(redis), replace(a_paper("2605.00001", sources=("arxiv",)))
    await papers.ingest("arxiv", Batch(papers=(paper,), cursor="c"), 0)
    update = replace(paper, sources=(), code_url="https://github.com/a/b", tldr="It counts.")
    await papers.ingest("enrichment:huggingface", Batch(papers=(), cursor="c", updates=(update,)), 0)
    found = (await papers.get([paper.id]))[paper.id]
    assert (found.code_url, found.tldr, found.sources) == ("https://github.com/a/b", "It counts.", ("arxiv",))
    entries: Any = await redis.xrange(keys.PAPERS)
    changes = [change for _, fields in entries for _, change in json.loads(fields["news"])]
    assert changes[0] == ""
    changed = json.loads(changes[1])
    assert changed["code_url"] == [None, "https://github.com/a/b"]
    assert [event[1] for event in changed["events"][1]] == ["code"]
    assert changed.keys() == {"code_url", "events"}


async def test_only_upstreams_named_in_the_setting_are_queried(redis: Redis) -> None:
    async with ClientSession() as session:
        world = a_context("", session, redis)
        assert build_enrichment(world, build_enrichers(world)) == ()
