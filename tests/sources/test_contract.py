"""The contract that every source meets."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import ClientSession, web
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from bot.domain.errors import SourceError
from bot.domain.models import Paper
from bot.ports import Source
from bot.sources import build_sources, module_of
from bot.sources.context import SourceContext
from bot.store import keys
from tests.replay import serve
from tests.sources.context import a_context
from tests.sources.recordings import SOURCES, recordings_of
from tests.sources.recordings.recording import Recording
from tests.sources.upstreams import Respond, app_of, sending

Build = Callable[[Respond], Awaitable[Source]]


RECORDINGS = {f"{name}{kind}": one for name in SOURCES for kind, one in recordings_of(name).items()}


@pytest.fixture(params=RECORDINGS)
def upstream(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def recording(upstream: str) -> Recording:
    return RECORDINGS[upstream]


@pytest.fixture
async def source(upstream: str, redis: Redis) -> AsyncIterator[Build]:
    """Return a function that builds the upstream's first source, to read from a server that answers with `respond`."""
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(ClientSession())

        async def build(respond: Respond) -> Source:
            url = await stack.enter_async_context(serve(app_of(respond)))
            return first(upstream, a_context(url, session, redis, timeout=1.0))

        yield build


def first(upstream: str, world: SourceContext) -> Source:
    """Return the upstream's first source, or the first of one kind."""
    name, _, kind = upstream.partition(":")
    sources: Iterable[Source] = module_of(name).build(world)
    return next(source for source in sources if source.name.endswith(kind))


@pytest.mark.parametrize("name", SOURCES)
def test_every_source_has_a_recording(name: str) -> None:
    assert recordings_of(name)


async def test_names_are_unique(redis: Redis) -> None:
    async with ClientSession() as session:
        names = [source.name for source in build_sources(a_context("http://localhost", session, redis))]
    assert len(set(names)) == len(names) > 0


async def test_a_good_answer_becomes_papers(recording: Recording, source: Build) -> None:
    polled = await source(recording.good)
    batch = await polled.fetch(None)
    assert sorted(paper.id for paper in batch.papers) == sorted(recording.ids)
    for paper in batch.papers + batch.history:
        check(paper, polled.name.partition(":")[0])


def check(paper: Paper, upstream: str) -> None:
    assert paper.title == " ".join(paper.title.split()) != ""
    assert paper.abstract == " ".join(paper.abstract.split())
    assert paper.authors
    assert paper.published.utcoffset() == timedelta(0)
    assert paper.sources == (upstream,)
    assert paper.url.startswith("https://")


async def test_a_second_fetch_from_the_cursor_repeats_nothing_else(
    recording: Recording, source: Build, redis: Redis
) -> None:
    polled = await source(recording.good)
    first = await polled.fetch(None)
    await redis.delete(keys.gate("arxiv"))  # don't wait for the next turn
    again = await polled.fetch(first.cursor)
    assert {paper.id for paper in again.papers} <= set(recording.ids)
    assert again.cursor == first.cursor


async def test_a_list_without_papers_is_not_an_error(recording: Recording, source: Build) -> None:
    batch = await (await source(recording.empty)).fetch(None)
    assert batch.papers == ()


async def test_a_body_that_cant_be_read_is_an_error(
    recording: Recording, source: Build, redis: Redis
) -> None:
    for body in recording.broken:
        await redis.delete(keys.gate("arxiv"))
        with pytest.raises(SourceError):
            await (await source(sending(body))).fetch(None)


async def test_a_truncated_body_is_an_error(source: Build) -> None:
    async def hang_up(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b"[")
        assert request.transport
        request.transport.close()
        return response

    with pytest.raises(SourceError, match="could not be reached"):
        await (await source(hang_up)).fetch(None)


async def test_a_rate_limit_carries_its_retry_time(source: Build) -> None:
    limited = await source(sending(b"", status=429, headers={"Retry-After": "7"}))
    with pytest.raises(SourceError) as raised:
        await limited.fetch(None)
    assert raised.value.retry_after == 7


async def test_a_refusal_is_marked_as_one(source: Build) -> None:
    with pytest.raises(SourceError, match="403") as raised:
        await (await source(sending(b"", status=403))).fetch(None)
    assert raised.value.refused


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_a_server_error_names_its_status(status: int, source: Build) -> None:
    with pytest.raises(SourceError, match=str(status)) as raised:
        await (await source(sending(b"[]", status=status))).fetch(None)
    assert not raised.value.refused


async def test_an_answer_that_never_comes_is_an_error(source: Build) -> None:
    over = asyncio.Event()

    async def hang(_request: web.Request) -> web.StreamResponse:
        await over.wait()
        return web.Response()

    try:
        with pytest.raises(SourceError, match=r"did not answer within [13] s"):
            await (await source(hang)).fetch(None)
    finally:
        over.set()


async def test_an_unreachable_server_is_an_error(upstream: str, redis: Redis) -> None:
    async with ClientSession() as session:
        absent = first(upstream, a_context("http://127.0.0.1:9", session, redis))
        with pytest.raises(SourceError, match="could not be reached"):
            await absent.fetch(None)


async def test_an_invalid_address_is_an_error(upstream: str, redis: Redis) -> None:
    async with ClientSession() as session:
        lost = first(upstream, a_context("nowhere", session, redis))
        with pytest.raises(SourceError, match="check its setting"):
            await lost.fetch(None)


async def test_every_request_has_our_user_agent(recording: Recording, source: Build) -> None:
    agents = []

    async def respond(request: web.Request) -> web.StreamResponse:
        agents.append(request.headers["User-Agent"])
        return await recording.good(request)

    await (await source(respond)).fetch(None)
    assert all(agent.startswith("Paperboy/") and "(+ops@example.org)" in agent for agent in agents)


MOMENTS = st.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone


@given(now=MOMENTS)
def test_the_next_poll_is_within_a_day_and_in_the_future(now: datetime) -> None:
    # Hypothesis runs one test function many times; fixtures would be shared, so this test has none.
    for source in _unconnected():
        following = source.next_poll(now)
        assert timedelta(0) < following - now <= timedelta(days=1)
        assert following.tzinfo is not None
        assert source.next_poll(now) == following


def _unconnected() -> tuple[Source, ...]:
    """Return sources that can't fetch, but know their schedule."""
    nothing = object()
    return build_sources(a_context("", nothing, Redis(), timeout=1))  # type: ignore[arg-type]  # unused
