"""arXiv's feeds: which papers are announced, and when to poll."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import ClientSession, web
from redis.asyncio import Redis

from bot.domain.errors import SourceError
from bot.sources.arxiv import build
from bot.sources.arxiv.announcements import parse_announcements
from bot.sources.arxiv.calendar import Calendar
from bot.sources.arxiv.rss import ArxivRss, Cursor, fingerprint, next_poll
from bot.sources.http import Upstream
from tests.replay import serve
from tests.sources.context import a_context
from tests.sources.upstreams import Announced, Clock, Respond, app_of, rss, sending

Build = Callable[..., Awaitable[ArxivRss]]


@pytest.fixture
async def source(redis: Redis) -> AsyncIterator[Build]:
    """Return a function that builds a source without the gate, to read from a server that answers with `respond`."""
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(ClientSession())

        async def make(respond: Respond, *, cross: bool = False, clock: Clock | None = None) -> ArxivRss:
            url = await stack.enter_async_context(serve(app_of(respond)))
            world = a_context(url, session, redis, clock=clock)
            upstream = Upstream("arXiv", session, user_agent="test", now=world.now)
            return ArxivRss("cs.CL", upstream, url, world.now, calendar=Calendar(), cross=cross)

        yield make


KINDS = rss(
    Announced("2605.00001"),
    Announced("2605.00002", "cross"),
    Announced("2605.00003", "replace"),
    Announced("2605.00004", "replace-cross"),
)


@pytest.mark.parametrize(("cross", "ids"), [(False, ["2605.00001"]), (True, ["2605.00001", "2605.00002"])])
async def test_cross_lists_are_optional_and_replacements_never_listed(
    source: Build, cross: bool, ids: list[str]
) -> None:
    batch = await (await source(sending(KINDS), cross=cross)).fetch(None)
    assert [paper.id for paper in batch.papers] == ids


async def test_an_announced_paper_has_all_its_fields(source: Build) -> None:
    row = Announced("2605.00001", authors=r"Ada Lovelace (Here, There), Emmy Noether", title="a < b & c")
    (paper,) = (await (await source(sending(rss(row)))).fetch(None)).papers
    assert (paper.id, paper.title, paper.abstract) == ("2605.00001", "a < b & c", "We count.")
    assert paper.authors == ("Ada Lovelace", "Emmy Noether")
    assert paper.categories == ("cs.CL", "cs.AI")
    assert paper.published == datetime(2026, 5, 20, 4, tzinfo=UTC)
    assert (paper.url, paper.pdf_url) == (
        "https://arxiv.org/abs/2605.00001",
        "https://arxiv.org/pdf/2605.00001",
    )
    assert paper.sources == ("arxiv",)


async def test_each_category_is_requested_separately(redis: Redis) -> None:
    requested = []

    async def respond(request: web.Request) -> web.StreamResponse:
        requested.append(request.path)
        return web.Response(body=rss())

    async with ClientSession() as session, serve(app_of(respond)) as url:
        feed, oai = build(a_context(url, session, redis))
        await feed.fetch(None)
    assert (feed.name, oai.name, requested) == ("arxiv:cs.CL", "arxiv:cs.CL:oai", ["/rss/cs.CL"])


async def test_a_feed_with_the_same_ids_has_nothing_new(source: Build) -> None:
    rows = [Announced("2605.00001"), Announced("2605.00002")]
    answers = iter([rss(*rows), rss(*reversed(rows), title="rebuilt"), rss(*rows, Announced("2605.00003"))])

    async def respond(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=next(answers))

    feed = await source(respond)
    first = await feed.fetch(None)
    second = await feed.fetch(first.cursor)
    third = await feed.fetch(second.cursor)
    assert [len(batch.papers) for batch in (first, second, third)] == [2, 0, 3]
    assert first.cursor == second.cursor != third.cursor


async def test_an_unknown_category_is_named(source: Build) -> None:
    body = rss(title="Feed error for query: cs.CL")
    for status in (400, 200):
        with pytest.raises(SourceError, match=r"'cs\.CL'.*PAPERBOY_ARXIV_CATEGORIES"):
            await (await source(sending(body, status=status))).fetch(None)


async def test_polling_stops_for_the_evening_when_the_batch_has_arrived(source: Build) -> None:
    evening = Clock(new_york(20, 15, "05-20"))
    feed = await source(sending(rss(Announced("2605.00001"))), clock=evening)
    assert feed.next_poll(evening.at) == new_york(20, 35, "05-20")
    batch = await feed.fetch(None)
    assert feed.next_poll(evening.at) == new_york(0, 10, "05-21")
    await feed.fetch(batch.cursor)
    assert feed.next_poll(evening.at) == new_york(0, 10, "05-21")


async def test_an_empty_feed_does_not_end_the_evening(source: Build) -> None:
    evening = Clock(new_york(20, 15, "05-20"))
    feed = await source(sending(rss()), clock=evening)
    await feed.fetch("some other ids")
    assert feed.next_poll(evening.at) == new_york(20, 35, "05-20")


def test_the_order_of_ids_does_not_matter() -> None:
    assert fingerprint(["a", "b", "a"]) == fingerprint(["b", "a"]) != fingerprint(["ab"])


def test_the_announce_type_is_read_from_the_text_if_its_field_is_missing() -> None:
    body = rss(Announced("2605.00001", "cross")).replace(b"arxiv:announce_type", b"arxiv:other")
    (announcement,) = parse_announcements(body).announcements
    assert (announcement.kind, announcement.paper.abstract) == ("cross", "We count.")


def new_york(hour: int, minute: int, day: str, offset: int = 4) -> datetime:
    """Return a New York wall time of 2026 in UTC, by manual calculation; `offset` is 5 in winter."""
    return datetime.fromisoformat(f"2026-{day}T00:00+00:00") + timedelta(hours=hour + offset, minutes=minute)


@pytest.mark.parametrize(
    ("now", "then"),
    [
        (new_york(12, 0, "05-20"), new_york(20, 15, "05-20")),
        (new_york(20, 15, "05-20"), new_york(20, 35, "05-20")),
        (new_york(20, 40, "05-20"), new_york(20, 55, "05-20")),
        (new_york(23, 55, "05-20"), new_york(0, 10, "05-21")),
        (new_york(0, 10, "05-21"), new_york(2, 0, "05-21")),
        (new_york(2, 0, "05-21"), new_york(6, 0, "05-21")),
        # There are no announcements on Friday and Saturday evenings.
        (new_york(12, 0, "05-22"), new_york(0, 10, "05-23")),
        (new_york(12, 0, "05-23"), new_york(0, 10, "05-24")),
        (new_york(12, 0, "05-24"), new_york(20, 15, "05-24")),
        # New Year's Day: polled in case it isn't a holiday.
        (new_york(12, 0, "01-01", 5), new_york(0, 10, "01-02", 5)),
        # Clocks go forward at 2:00 on 8 March: there is no 2:00, and evenings are an hour earlier in UTC.
        (new_york(12, 0, "03-07", 5), new_york(0, 10, "03-08", 5)),
        (new_york(0, 10, "03-08", 5), new_york(2, 0, "03-08", 5)),
        (new_york(2, 0, "03-08", 5), new_york(6, 0, "03-08", 4)),
        (new_york(12, 0, "03-08", 4), new_york(20, 15, "03-08", 4)),
        # Clocks go back at 2:00 on 1 November.
        (new_york(0, 10, "11-01", 4), new_york(2, 0, "11-01", 5)),
        (new_york(12, 0, "11-01", 5), new_york(20, 15, "11-01", 5)),
    ],
)
def test_the_schedule_follows_new_york(now: datetime, then: datetime) -> None:
    assert next_poll(now, None, Calendar()) == then


def test_a_batch_of_yesterday_does_not_end_this_evening() -> None:
    yesterday = new_york(20, 35, "05-19")
    assert next_poll(new_york(20, 15, "05-20"), yesterday, Calendar()) == new_york(20, 35, "05-20")


async def test_a_cross_list_updates_categories_but_is_not_announced(source: Build) -> None:
    batch = await (await source(sending(KINDS))).fetch(None)
    assert [(paper.id, paper.sources) for paper in batch.updates] == [("2605.00002", ())]


async def test_a_silent_category_raises_an_alarm(source: Build) -> None:
    clock, cursor = Clock(), None
    for day in ("05-17", "05-18", "05-19"):
        clock.at = new_york(20, 15, day)
        batch = await (await source(sending(rss(Announced(f"2605.{day[-2:]}001"))), clock=clock)).fetch(
            cursor
        )
        cursor = batch.cursor
    stale = await source(sending(rss(Announced("2605.19001"))), clock=clock)
    for moment, alarm in ((new_york(23, 55, "05-20"), False), (new_york(6, 0, "05-21"), True)):
        clock.at = moment
        batch = await stale.fetch(cursor)
        assert bool(batch.alarm) == alarm
        cursor = batch.cursor
    assert "cs.CL has had nothing new since Wed 20 May" in str(batch.alarm)
    fresh = await source(sending(rss(Announced("2605.20001"))), clock=clock)
    assert (await fresh.fetch(cursor)).alarm is None


async def test_a_category_with_few_papers_raises_no_alarm(source: Build) -> None:
    clock = Clock(new_york(20, 15, "05-18"))
    feed = await source(sending(rss(Announced("2605.00001"))), clock=clock)
    cursor = (await feed.fetch(None)).cursor
    clock.at = new_york(6, 0, "05-22")
    assert (await feed.fetch(cursor)).alarm is None


def test_the_cursor_of_an_earlier_version_is_read() -> None:
    ids = fingerprint(["2605.00001"])
    assert Cursor.parse(ids) == Cursor(ids)
    whole = Cursor(ids, new_york(20, 15, "05-18"), 4)
    assert Cursor.parse(str(whole)) == whole
