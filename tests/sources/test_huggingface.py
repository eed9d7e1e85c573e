"""Hugging Face's lists: which days are read, which papers are news, and when to poll."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import UTC, date, datetime, timedelta

import pytest
from aiohttp import ClientSession
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from bot.domain.errors import SourceError
from bot.ports import Batch
from bot.sources.http import Upstream
from bot.sources.huggingface import LONGEST_WALK, STRETCH, Cursor, HuggingFace, list_date, next_poll, plan
from tests.replay import serve
from tests.sources.upstreams import WEDNESDAY, Clock, Lists, app_of, listed

DAY = timedelta(days=1)


class World:
    """A Hugging Face whose lists a test provides, a clock, and the source that reads it."""

    def __init__(self, source: Callable[[Clock], HuggingFace], lists: Lists) -> None:
        self.clock = Clock(WEDNESDAY)
        self.source = source(self.clock)
        self.lists = lists
        self.cursor: str | None = None

    async def fetch(self) -> Batch:
        """Fetch from the last cursor; the cursor moves only if that succeeds."""
        self.lists.asked.clear()
        batch = await self.source.fetch(self.cursor)
        self.cursor = batch.cursor
        return batch


@pytest.fixture
async def world() -> AsyncIterator[World]:
    lists, progress = Lists({}), []
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(ClientSession())
        url = await stack.enter_async_context(serve(app_of(lists.respond)))

        def build(clock: Clock) -> HuggingFace:
            upstream = Upstream("Hugging Face", session, user_agent="test", now=clock.now)
            return HuggingFace(upstream, url, clock.now, lambda *step: progress.append(step))

        yield World(build, lists)
    assert all(name == "huggingface" and 0 < done <= total for name, done, total in progress)


def ids(batch: Batch) -> list[str]:
    return [paper.id for paper in batch.papers]


# -- the very first fetch


async def test_the_first_fetch_announces_the_newest_list_only(world: World) -> None:
    world.lists.days = {
        "2026-05-06": [listed("2605.00001")],  # one day too old
        "2026-05-07": [listed("2605.00002")],
        "2026-05-19": [listed("2605.00003")],
        "2026-05-20": [listed("2605.00004")],
    }
    batch = await world.fetch()
    assert ids(batch) == ["2605.00004"]
    assert [paper.id for paper in batch.history] == ["2605.00002", "2605.00003"]
    assert world.lists.dates[0] == "2026-05-20"
    assert len(world.lists.dates) == 14


async def test_on_a_weekend_friday_is_the_newest_list(world: World) -> None:
    world.clock.at = WEDNESDAY + 4 * DAY
    world.lists.days = {"2026-05-21": [listed("2605.00001")], "2026-05-22": [listed("2605.00002")]}
    batch = await world.fetch()
    assert ids(batch) == ["2605.00002"]
    assert [paper.id for paper in batch.history] == ["2605.00001"]


async def test_history_that_the_first_fetch_cannot_read_is_read_later(world: World) -> None:
    world.lists.days = {f"2026-05-{n}": [listed(f"2605.000{n}")] for n in range(15, 21)}
    world.lists.failing = {"2026-05-18": 500}
    with capture_logs() as logs:
        batch = await world.fetch()
    assert (ids(batch), [paper.id for paper in batch.history]) == (["2605.00020"], ["2605.00019"])
    assert [entry["log_level"] for entry in logs] == ["warning", "warning"]  # history, and the trending order
    world.lists.failing = None
    batch = await world.fetch()
    assert [paper.id for paper in batch.history] == [f"2605.000{n}" for n in range(15, 20)]


@pytest.mark.parametrize("failing", ["2026-05-20", "2026-05-19"])
async def test_the_first_fetch_fails_without_the_newest_list(failing: str, world: World) -> None:
    world.lists.days = {"2026-05-19": [listed("2605.00001")]}
    world.lists.failing = {failing: 500}
    with pytest.raises(SourceError, match="500"):
        await world.fetch()


async def test_a_wrong_address_is_an_error_and_not_an_empty_list(world: World) -> None:
    world.lists.failing = {(WEDNESDAY - n * DAY).date().isoformat(): 404 for n in range(14)}
    with pytest.raises(SourceError, match="check its address"):
        await world.fetch()


# -- later fetches


async def test_the_list_of_today_and_the_one_before_are_read_at_each_poll(world: World) -> None:
    world.lists.days = {"2026-05-19": [], "2026-05-20": [listed("2605.00001")]}
    await world.fetch()
    world.lists.days["2026-05-20"].insert(0, listed("2605.00002", upvotes=9))
    assert ids(await world.fetch()) == ["2605.00002", "2605.00001"]
    assert world.lists.dates == ["2026-05-20", "2026-05-19"]


async def test_on_monday_fridays_list_is_read_again(world: World) -> None:
    world.cursor = str(Cursor(date(2026, 5, 25), first=date(2026, 5, 20), swept=date(2026, 5, 25)))
    world.clock.at = datetime(2026, 5, 25, 15, tzinfo=UTC)
    world.lists.days = {"2026-05-22": [listed("2605.00001")]}
    assert ids(await world.fetch()) == ["2605.00001"]
    assert world.lists.dates == ["2026-05-25", "2026-05-24", "2026-05-23", "2026-05-22"]


async def test_after_downtime_all_missed_days_are_announced(world: World) -> None:
    world.lists.days = {"2026-05-20": [listed("2605.00020")]}
    await world.fetch()
    world.lists.days |= {f"2026-05-{n}": [listed(f"2605.000{n}")] for n in (21, 22, 25, 26, 27, 28, 29)}
    world.clock.at += 9 * DAY
    assert ids(await world.fetch()) == [f"2605.000{n}" for n in (20, 21, 22, 25, 26, 27, 28, 29)]


async def test_after_a_long_downtime_at_most_90_days_are_read(world: World) -> None:
    world.lists.days = {"2026-05-20": [listed("2605.00020")]}
    await world.fetch()
    world.clock.at += 2 * LONGEST_WALK * DAY
    read, more = set[str](), True
    with capture_logs() as logs:
        while more:
            more = (await world.fetch()).more
            read |= set(world.lists.dates)
            assert len(world.lists.dates) <= STRETCH
    assert len(read) == LONGEST_WALK
    assert "lists_too_old_to_announce" in logs[0]["event"]


async def test_after_downtime_a_list_that_fails_costs_ten_days_of_progress(world: World) -> None:
    world.lists.days = {"2026-05-20": [listed("2605.00020")]}
    await world.fetch()
    world.lists.days |= {"2026-05-27": [listed("2605.00027")], "2026-06-10": [listed("2606.00010")]}
    world.clock.at += 22 * DAY
    assert ids(await world.fetch()) == ["2605.00020", "2605.00027"]
    world.lists.failing = {"2026-06-05": 503}
    with pytest.raises(SourceError):
        await world.fetch()
    world.lists.failing = {}
    batch = await world.fetch()
    assert (world.lists.dates[-1], batch.more) == ("2026-05-29", True)
    last = await world.fetch()
    assert (ids(last), last.more) == (["2606.00010"], False)


async def test_the_cursor_does_not_pass_a_day_that_fails(world: World) -> None:
    world.lists.days = {"2026-05-20": [listed("2605.00020")]}
    await world.fetch()
    before = world.cursor
    world.clock.at += 5 * DAY
    world.lists.days = {"2026-05-21": [listed("2605.00021")], "2026-05-25": [listed("2605.00025")]}
    world.lists.failing = {"2026-05-21": 502}
    with pytest.raises(SourceError):
        await world.fetch()
    assert world.cursor == before
    world.lists.failing = None
    assert ids(await world.fetch()) == ["2605.00021", "2605.00025"]


async def test_older_lists_are_read_once_a_day_for_upvotes(world: World) -> None:
    world.lists.days = {"2026-05-19": [listed("2605.00019")], "2026-05-20": [listed("2605.00020")]}
    await world.fetch()
    world.clock.at += 2 * DAY
    world.lists.days["2026-05-19"] = [listed("2605.00019", upvotes=99), listed("2605.00018")]
    batch = await world.fetch()
    assert world.lists.dates == [f"2026-05-{n}" for n in range(22, 14, -1)]
    assert ids(batch) == ["2605.00020"]
    assert [(paper.id, paper.upvotes) for paper in batch.history] == [("2605.00019", 99), ("2605.00018", 3)]
    await world.fetch()
    assert world.lists.dates == ["2026-05-22", "2026-05-21"]


async def test_a_late_listing_on_an_announced_day_is_announced(world: World) -> None:
    await world.fetch()
    world.clock.at += 5 * DAY
    await world.fetch()
    world.clock.at += DAY
    world.lists.days["2026-05-21"] = [listed("2605.00021")]
    assert ids(await world.fetch()) == ["2605.00021"]


async def test_a_failing_sweep_delays_nothing_and_is_retried(world: World) -> None:
    world.lists.days = {"2026-05-20": [listed("2605.00020")], "2026-05-22": [listed("2605.00022")]}
    await world.fetch()
    world.clock.at += 3 * DAY
    world.lists.failing = {"2026-05-18": 500}
    with capture_logs():
        assert "2605.00022" in ids(await world.fetch())
        await world.fetch()
    assert "2026-05-18" in world.lists.dates


async def test_a_paper_on_two_lists_is_in_the_batch_once(world: World) -> None:
    again = listed("2605.00001", upvotes=8)
    world.lists.days = {"2026-05-18": [listed("2605.00001")], "2026-05-20": [again, listed("2605.00002")]}
    batch = await world.fetch()
    assert ids(batch) == ["2605.00001", "2605.00002"]
    assert batch.history == ()


async def test_old_papers_on_a_new_list_are_announced(world: World) -> None:
    world.lists.days = {"2026-05-20": [listed("1706.03762", publishedAt="2017-06-12T00:00:00.000Z")]}
    assert ids(await world.fetch()) == ["1706.03762"]


async def test_a_future_list_is_not_read(world: World) -> None:
    await world.fetch()
    world.clock.at += DAY
    world.lists.future_from = date(2026, 5, 21)  # the server's clock is behind ours
    world.lists.days = {"2026-05-20": [listed("2605.00020")]}
    assert ids(await world.fetch()) == ["2605.00020"]
    world.lists.future_from, world.lists.days["2026-05-21"] = None, [listed("2605.00021")]
    assert ids(await world.fetch()) == ["2605.00020", "2605.00021"]


async def test_a_clock_set_back_does_not_move_the_cursor_back(world: World) -> None:
    await world.fetch()
    before = Cursor.parse(world.cursor or "")
    world.clock.at -= 3 * DAY
    await world.fetch()
    assert Cursor.parse(world.cursor or "").day == before.day


@pytest.mark.parametrize("cursor", ["nonsense", "[]", "{}", '{"day": 1}', '{"day": "2026-05-20"}'])
async def test_a_cursor_that_cant_be_read_is_an_error(cursor: str, world: World) -> None:
    with pytest.raises(SourceError, match="cursor"):
        await world.source.fetch(cursor)


# -- pages


@pytest.mark.parametrize("page", [100, 50, 7])
async def test_every_page_of_a_list_is_read(page: int, world: World) -> None:
    rows = [listed(f"2605.{n:05}") for n in range(300)]
    world.lists.page, world.lists.days = page, {"2026-05-20": rows[: page * 3 - 1]}
    batch = await world.fetch()
    assert len(batch.papers) == page * 3 - 1
    of_the_day = [query for query in world.lists.asked if query.get("date") == "2026-05-20"]
    assert [(query["p"], query["limit"]) for query in of_the_day] == [
        ("0", "100"),
        ("1", "100"),
        ("2", "100"),
    ]


async def test_a_server_that_repeats_a_page_is_not_asked_endlessly(world: World) -> None:
    world.lists.days = {"2026-05-20": [listed("2605.00001")] * 1000}
    assert ids(await world.fetch()) == ["2605.00001"]
    assert world.lists.dates.count("2026-05-20") == 2


# -- trending


async def test_the_trending_order_is_a_signal(world: World) -> None:
    world.lists.days = {"2026-05-20": [listed("2605.00001")]}
    world.lists.trending = [listed("2401.00009"), listed("2605.00001")]
    batch = await world.fetch()
    assert batch.trending == ("2401.00009", "2605.00001")
    assert ids(batch) == ["2605.00001"]  # it isn't a source of new papers


@pytest.mark.parametrize("status", [403, 429, 500])
async def test_a_missing_trending_order_is_not_an_error(status: int, world: World) -> None:
    world.lists.days = {"2026-05-20": [listed("2605.00001")]}
    world.lists.trending = status
    with capture_logs():
        batch = await world.fetch()
    assert (ids(batch), batch.trending) == (["2605.00001"], None)


# -- time


@pytest.mark.parametrize(
    ("now", "newest"),
    [
        ("2026-05-20T15:00Z", "2026-05-20"),
        ("2026-05-21T01:29Z", "2026-05-20"),
        ("2026-05-21T01:30Z", "2026-05-21"),  # 21:30 in New York's summer
        ("2026-01-21T02:29Z", "2026-01-20"),
        ("2026-01-21T02:30Z", "2026-01-21"),  # and in its winter
        ("2026-03-08T02:30Z", "2026-03-08"),  # the night in which clocks go forward
        ("2026-03-09T01:30Z", "2026-03-09"),
        ("2026-11-01T01:30Z", "2026-11-01"),  # the night in which clocks go back
        ("2026-11-02T02:29Z", "2026-11-01"),
        ("2026-11-02T02:30Z", "2026-11-02"),
    ],
)
def test_the_list_date_changes_at_half_past_nine_in_new_york(now: str, newest: str) -> None:
    assert list_date(datetime.fromisoformat(now)).isoformat() == newest


@pytest.mark.parametrize(
    ("now", "minutes"),
    [
        ("2026-05-20T02:00Z", 15),
        ("2026-05-20T11:59Z", 15),
        ("2026-05-20T12:00Z", 60),
        ("2026-05-20T23:00Z", 60),
        ("2026-05-21T01:00Z", 30),  # the list opens at 01:30
        ("2026-05-21T01:30Z", 15),
        ("2026-01-21T02:00Z", 30),  # in winter at 02:30
        ("2026-05-22T11:00Z", 15),  # Friday
        ("2026-05-23T02:00Z", 60),  # Friday evening in New York: no list for Saturday
        ("2026-05-24T08:00Z", 60),
        ("2026-05-25T01:15Z", 15),  # Sunday evening: Monday's list opens
        ("2026-05-25T01:31Z", 15),
        ("2026-03-09T01:29Z", 1),  # the first evening of summer time
        ("2026-11-02T01:31Z", 59),  # the first evening of winter time
    ],
)
def test_polls_are_frequent_while_lists_grow(now: str, minutes: int) -> None:
    moment = datetime.fromisoformat(now)
    assert next_poll(moment) - moment == timedelta(minutes=minutes)


@given(st.dates(date(2025, 1, 1), date(2028, 1, 1)), st.integers(-3, 60), st.integers(0, 9))
def test_every_day_since_the_cursor_is_read(today: date, age: int, swept: int) -> None:
    reached = Cursor(today - age * DAY, first=date(2025, 1, 1), swept=today - swept * DAY)
    with capture_logs():
        walk = plan(reached, today)
    days = list(walk)
    assert len(days) == len(walk) <= LONGEST_WALK
    assert days == sorted(days, reverse=True)
    assert walk.needed in days
    if 0 <= age < LONGEST_WALK:
        assert reached.day >= walk.needed
    assert any(day < today and day.weekday() < 5 for day in days if day >= walk.needed)


@given(st.dates(), st.dates(), st.dates())
def test_a_cursor_survives_storage(day: date, first: date, swept: date) -> None:
    cursor = Cursor(day, first, swept)
    assert Cursor.parse(str(cursor)) == cursor
    assert re.fullmatch(r"[\x20-\x7e]+", str(cursor))
