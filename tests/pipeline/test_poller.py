"""Sources are polled on their own schedules, and a failure is bounded, visible and affects no other source."""

import asyncio
import gc
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis
from structlog.testing import capture_logs

from bot.domain.errors import SourceError
from bot.domain.models import Paper
from bot.domain.polls import PollResult
from bot.pipeline.poll_results import backoff, failed, pause_after
from bot.pipeline.poller import AWAY, Poller
from bot.ports import Batch, Source
from bot.store import keys
from bot.store.lease import Lease
from bot.store.papers import Papers
from bot.store.polls import last_polls

START = datetime(2026, 5, 20, 15, tzinfo=UTC)
HOUR = timedelta(hours=1)


PAPER = Paper(
    id="2605.00001",
    title="On Counting",
    abstract="",
    authors=("Ada Lovelace",),
    url="https://example.org",
    published=START,
)


class SimulatedClock:
    """A clock that each sleep advances."""

    def __init__(self) -> None:
        self.at = START
        self.sleeps: list[float] = []

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.at += timedelta(seconds=seconds)
        await asyncio.sleep(0)


class ScriptedSource:
    """Lists a paper with each cursor of its script, or fails as scripted; then it hangs. Polled hourly."""

    def __init__(self, clock: SimulatedClock, *script: str | Exception, name: str = "scripted") -> None:
        self.name = name
        self._clock = clock
        self._script = list(script)
        self.fetches: list[tuple[datetime, str | None]] = []
        self.finished = asyncio.Event()

    async def fetch(self, cursor: str | None) -> Batch:
        if not self._script:
            self.finished.set()
            await asyncio.Event().wait()
        self.fetches.append((self._clock.now(), cursor))
        answer = self._script.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return Batch(papers=(PAPER,), cursor=answer)

    def next_poll(self, now: datetime) -> datetime:
        return now + HOUR


class SlowSource(ScriptedSource):
    """Answers once a test lets it."""

    def __init__(self, clock: SimulatedClock) -> None:
        super().__init__(clock, "late")
        self.reached = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.dropped = asyncio.Event()

    async def fetch(self, cursor: str | None) -> Batch:
        self.reached.set()
        try:
            await self.may_answer.wait()
        except asyncio.CancelledError:
            self.dropped.set()
            raise
        return await super().fetch(cursor)


class WatchedLease(Lease):
    """A lease that reports when it is renewed."""

    def __init__(self, redis: Redis) -> None:
        super().__init__(redis)
        self.held = False
        self.renewed = asyncio.Event()

    async def acquire(self) -> int | None:
        fence = await super().acquire()
        if self.held:
            self.renewed.set()
        self.held = True
        return fence


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock()


class World:
    """A Redis with its papers, and pollers that share it as processes do."""

    def __init__(self, redis: Redis, clock: SimulatedClock) -> None:
        self.redis = redis
        self.clock = clock

    def poller(self, *sources: Source, renew_every: float = 0.01, lease: Lease | None = None) -> Poller:
        """Return the poller of another process."""
        return Poller(
            sources,
            Papers(self.redis),
            lease or Lease(self.redis),
            self.redis,
            now=self.clock.now,
            sleep=self.clock.sleep,
            jitter=lambda: 0.0,
            renew_every=renew_every,
            lease_timeout=0.1,
        )

    async def take_the_lead(self) -> None:
        """Let another process take the lead, as if the leader had been suspended for too long."""
        await self.redis.incr(keys.FENCE)  # first, so that nothing is written before the lease changes
        await self.redis.set(keys.LEASE, "another process")

    async def cursor(self, source: str) -> str | None:
        return await Papers(self.redis).cursor(source)


@pytest.fixture
def world(redis: Redis, clock: SimulatedClock) -> World:
    return World(redis, clock)


@asynccontextmanager
async def running(poller: Poller, *until: ScriptedSource) -> AsyncIterator[None]:
    """Run the poller until the sources' scripts have ended; stop it after the block."""
    with capture_logs():
        task = asyncio.create_task(poller.run())
        finished = asyncio.gather(*(source.finished.wait() for source in until))
        ends: list[asyncio.Future[Any]] = [task, finished]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        yield
        assert not task.done(), task.exception()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_each_poll_continues_from_the_last_cursor(clock: SimulatedClock, world: World) -> None:
    source = ScriptedSource(clock, "one", "two", "three")
    async with running(world.poller(source), source):
        assert source.fetches == [(START, None), (START + HOUR, "one"), (START + 2 * HOUR, "two")]


async def test_a_failing_source_is_polled_less_and_less_often_until_it_answers(
    clock: SimulatedClock, world: World
) -> None:
    down = [SourceError("down") for _ in range(8)]
    source = ScriptedSource(clock, *down, "up", SourceError("down"), "up")
    async with running(world.poller(source), source):
        times = [at for at, _ in source.fetches]
        pauses = [(later - earlier).total_seconds() for earlier, later in pairwise(times)]
        assert pauses == [60, 120, 240, 480, 960, 1920, 2400, 2400, 3600, 60]


async def test_a_named_retry_time_is_respected(clock: SimulatedClock, world: World) -> None:
    source = ScriptedSource(clock, SourceError("busy", retry_after=7), "up")
    async with running(world.poller(source), source):
        assert source.fetches[1][0] == START + timedelta(seconds=7)


async def test_a_refusal_stops_a_source_for_a_day_and_is_an_error(
    clock: SimulatedClock, world: World
) -> None:
    refused = ScriptedSource(clock, SourceError("HTTP 403", refused=True))
    with capture_logs() as logs:
        (result,) = await world.poller(refused).poll_once()
    assert result.refused
    assert result.next_at == START + timedelta(days=1)
    assert [entry["log_level"] for entry in logs if entry["event"] == "source_failed"] == ["error"]


async def test_one_source_never_waits_for_another(clock: SimulatedClock, world: World) -> None:
    hanging = ScriptedSource(clock, name="hanging")
    failing = ScriptedSource(clock, *[SourceError("down")] * 3, name="failing")
    healthy = ScriptedSource(clock, "one", "two", "three", name="healthy")
    async with running(world.poller(hanging, failing, healthy), healthy, failing):
        assert len(healthy.fetches) == 3


async def test_a_bug_in_a_source_is_reported_and_stops_no_other_source(
    clock: SimulatedClock, world: World
) -> None:
    buggy = ScriptedSource(clock, KeyError("oops"), name="buggy")
    healthy = ScriptedSource(clock, "one", name="healthy")
    with capture_logs() as logs:
        results = await world.poller(buggy, healthy).poll_once()
    assert [result.error for result in results] == ["buggy failed unexpectedly: KeyError('oops')", None]
    assert any(entry.get("exc_info") for entry in logs)


async def test_polling_once_reports_every_source(clock: SimulatedClock, world: World) -> None:
    sources = [
        ScriptedSource(clock, "one", name="well"),
        ScriptedSource(clock, SourceError("It could not be reached."), name="down"),
    ]
    with capture_logs():
        well, down = await world.poller(*sources).poll_once()
    assert (well.new, well.changed, well.error) == (1, 0, None)
    assert (down.new, down.changed, down.error) == (0, 0, "It could not be reached.")


class PagedSource(ScriptedSource):
    """Reports `more` until its script ends."""

    async def fetch(self, cursor: str | None) -> Batch:
        batch = await super().fetch(cursor)
        number = len(self.fetches)
        paper = replace(PAPER, id=f"2605.0000{number}")
        return replace(batch, papers=(paper,), more=bool(self._script), alarm="odd" if number > 1 else None)


async def test_a_long_list_is_read_page_by_page(clock: SimulatedClock, world: World) -> None:
    source = PagedSource(clock, "one", "two", "three")
    with capture_logs() as logs:
        (result,) = await world.poller(source).poll_once()
    assert [cursor for _, cursor in source.fetches] == [None, "one", "two"]
    assert (result.new, result.found, result.alarm) == (3, 3, "odd")
    assert [entry["reason"] for entry in logs if entry["event"] == "source_suspicious"] == ["odd"]


async def test_an_interrupted_list_continues_at_its_last_page(clock: SimulatedClock, world: World) -> None:
    source = PagedSource(clock, "one", SourceError("down"), "two")
    with capture_logs():
        (broken,) = await world.poller(source).poll_once()
        (result,) = await world.poller(source).poll_once()
    assert (broken.error, result.error) == ("down", None)
    assert [cursor for _, cursor in source.fetches] == [None, "one", "one"]
    assert await world.cursor("scripted") == "two"


async def test_a_cursor_that_does_not_move_is_an_error(clock: SimulatedClock, world: World) -> None:
    source = PagedSource(clock, "one", "one", "one")
    with capture_logs():
        (result,) = await world.poller(source).poll_once()
    assert "its cursor does not move" in str(result.error)


async def polls_announced(world: World) -> list[list[str]]:
    """Return the papers of each announced poll."""
    entries: Any = await world.redis.xrange(keys.PAPERS)
    return [[paper_id for paper_id, _ in json.loads(fields["news"])] for _, fields in entries]


class OwnPaper(ScriptedSource):
    """Lists a different paper at each poll."""

    async def fetch(self, cursor: str | None) -> Batch:
        batch = await super().fetch(cursor)
        return replace(batch, papers=(replace(PAPER, id=f"{self.name}{len(self.fetches)}"),))


async def test_after_downtime_all_sources_are_announced_together(clock: SimulatedClock, world: World) -> None:
    sources = [OwnPaper(clock, "one", "two", name=name) for name in "ab"]
    sources.append(OwnPaper(clock, "one", SourceError("down"), name="c"))
    with capture_logs():
        await world.poller(*sources).poll_once()
        clock.at += AWAY + HOUR
        await world.poller(*sources).poll_once()
    first, *others, after = await polls_announced(world)
    assert sorted(first + [paper for poll in others for paper in poll]) == ["a1", "b1", "c1"]
    assert len(others) == 2
    assert sorted(after) == ["a2", "b2"]


async def test_a_restart_does_not_count_as_downtime(clock: SimulatedClock, world: World) -> None:
    sources = [OwnPaper(clock, "one", "two", name=name) for name in "ab"]
    await world.poller(*sources).poll_once()
    clock.at += HOUR
    await world.poller(*sources).poll_once()
    assert [len(poll) for poll in await polls_announced(world)] == [1, 1, 1, 1]


async def test_papers_held_back_at_a_kill_are_announced_with_the_next_poll(
    clock: SimulatedClock, world: World
) -> None:
    papers = Papers(world.redis)
    await papers.ingest("scripted", Batch(papers=(PAPER,), cursor="c"), 0, hold=True)
    assert await polls_announced(world) == []
    await world.poller(OwnPaper(clock, "one", name="scripted")).poll_once()
    assert await polls_announced(world) == [[PAPER.id, "scripted1"]]


async def test_a_failed_poll_does_not_move_the_cursor(clock: SimulatedClock, world: World) -> None:
    source = ScriptedSource(clock, "one", SourceError("down"))
    with capture_logs():
        await world.poller(source).poll_once()
        await world.poller(source).poll_once()
    assert await world.cursor("scripted") == "one"


async def test_papers_that_redis_refuses_are_fetched_again_soon(clock: SimulatedClock, world: World) -> None:
    await world.redis.set(keys.CURSORS, "not a hash")
    with capture_logs():
        (result,) = await world.poller(ScriptedSource(clock, "one")).poll_once()
    assert result.error is not None
    assert "could not be stored" in result.error
    assert result.next_at == START + timedelta(seconds=5)


async def test_two_processes_do_not_both_poll(clock: SimulatedClock, world: World) -> None:
    first, second = ScriptedSource(clock, "one"), ScriptedSource(clock, "two")
    async with running(world.poller(first), first):
        (result,) = await world.poller(second).poll_once()
        assert second.fetches == []
        assert result.new == 1  # the leader's papers
    async with running(world.poller(second), second):  # the leader has resigned, so that there is no gap
        assert second.fetches == [(START + HOUR, "one")]


async def test_papers_fetched_under_a_lost_lease_are_not_written(clock: SimulatedClock, world: World) -> None:
    source = SlowSource(clock)
    with capture_logs():
        poll = asyncio.create_task(world.poller(source, renew_every=30).poll_once())
        await source.reached.wait()
        await world.take_the_lead()
        source.may_answer.set()
        assert await poll == []
    assert await world.cursor("scripted") is None
    assert await Papers(world.redis).get([PAPER.id]) == {}


async def test_a_lost_lease_is_noticed_and_regained(clock: SimulatedClock, world: World) -> None:
    source = SlowSource(clock)
    async with running(world.poller(source)):
        await source.reached.wait()
        await world.take_the_lead()
        await source.dropped.wait()
        source.may_answer.set()
        await world.redis.delete(keys.LEASE)
        await source.finished.wait()
        assert await world.cursor("scripted") == "late"


async def test_a_poll_outlasts_its_lease_by_renewing_it(clock: SimulatedClock, world: World) -> None:
    source, lease = SlowSource(clock), WatchedLease(world.redis)
    with capture_logs():
        poll = asyncio.create_task(world.poller(source, lease=lease).poll_once())
        await source.reached.wait()
        await lease.renewed.wait()
        source.may_answer.set()
        (result,) = await poll
    assert result.error is None
    assert await world.redis.exists(keys.LEASE) == 0


@pytest.mark.usefixtures("redis")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_cancelled_run_ends_at_any_step(clock: SimulatedClock, valkey: str) -> None:
    """Each run has a new client: redis-py can drop a connection with a warning, or miss a cancellation on connecting."""
    for steps in range(0, 90, 3):
        fresh = Redis.from_url(valkey, decode_responses=True)
        sources = [
            ScriptedSource(clock, name=name) for name in ("one", "two", "three")
        ]  # each has a connection
        task = asyncio.create_task(World(fresh, clock).poller(*sources).run())
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait(asyncio.all_tasks() - {asyncio.current_task()}, timeout=1)
        assert task.cancelled(), steps
        assert await fresh.exists(keys.LEASE) == 0
        await fresh.aclose()
    gc.collect()  # now, and not during another test


async def test_the_outcomes_of_polls_are_stored(clock: SimulatedClock, world: World) -> None:
    source = ScriptedSource(clock, "one", SourceError("down"), SourceError("down"))
    with capture_logs():
        for _ in range(3):
            await world.poller(source).poll_once()  # each time as if after a restart
            clock.at += HOUR
    shown = (await last_polls(world.redis))["scripted"]
    assert (shown.error, shown.failures) == ("down", 2)
    assert (shown.at, shown.succeeded_at) == (START + 2 * HOUR, START)


async def test_the_outcomes_of_a_removed_source_are_forgotten(clock: SimulatedClock, world: World) -> None:
    former, current = (
        ScriptedSource(clock, "one", name="former"),
        ScriptedSource(clock, "one", "two", name="kept"),
    )
    await world.poller(former, current).poll_once()
    assert set(await last_polls(world.redis)) == {"former", "kept"}
    await world.poller(current).poll_once()
    assert set(await last_polls(world.redis)) == {"kept"}


async def test_a_long_sleep_is_split(clock: SimulatedClock, world: World) -> None:
    """Short sleeps notice a suspended machine, or a clock that was set."""
    source = ScriptedSource(clock, "one", "two")
    async with running(world.poller(source), source):
        assert max(clock.sleeps) <= 60


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_backoff_stays_between_a_minute_and_an_hour(failures: int, jitter: float) -> None:
    assert 60 <= backoff(failures, jitter) <= 3600
    assert backoff(failures, jitter) <= backoff(failures + 1, jitter)


@given(st.floats(0, 1e6), st.integers(1, 50), st.floats(0, 1))
def test_no_request_is_sent_before_a_named_retry_time(wait: float, failures: int, jitter: float) -> None:
    pause = pause_after(SourceError("busy", retry_after=wait), failures, jitter)
    assert pause >= max(wait, 1)
    assert pause <= max(wait, 3600)


@pytest.mark.parametrize("error", [SourceError("a\nb"), SourceError("é", refused=True)])
def test_a_result_survives_storage(error: SourceError) -> None:
    result = failed("scripted", START, error, None, 0.5)
    assert PollResult.parse(str(result)) == result
    again = failed("scripted", START + HOUR, error, result, 0.5)
    assert (again.failures, PollResult.parse(str(again))) == (2, again)
