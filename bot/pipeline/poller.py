"""Polls sources and stores their papers, in one process at a time: each at its own hours, none waiting for another."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime, timedelta

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.domain.errors import PaperboyError, SourceError
from bot.domain.polls import PollResult
from bot.observability import metrics
from bot.pipeline.leader_election import RENEW_EVERY, lead
from bot.pipeline.poll_results import failed, skipped_rows
from bot.ports import Source
from bot.store.lease import TTL, Lease, LostLease
from bot.store.papers import Papers
from bot.store.polls import forget_polls, last_polls, record_poll

log = structlog.get_logger(__name__)

STORE_RETRY = 5.0
"""Seconds until the first retry of a poll whose papers could not be stored."""
LEASE_TIMEOUT = TTL + RENEW_EVERY
"""Seconds that `poll_once` waits for the lease: longer than a process that was killed still holds it."""
AWAY = timedelta(hours=6)
"""Time without a poll after which the papers of all sources are announced together."""
FOLLOW_EVERY = 60.0
"""Seconds between two checks of the categories that subscriptions want."""
MAX_SLEEP = 60.0
"""Maximum seconds of one sleep, so that a suspended machine or a changed clock is noticed."""


class Poller:
    """Polls `sources` and stores their papers while this process holds the lease.

    `background` sources, such as enrichment, are polled by `run` too, but `poll_once` doesn't wait for them.
    `on_demand` returns further sources to poll now; it is called every minute.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        papers: Papers,
        lease: Lease,
        redis: Redis,
        *,
        now: Callable[[], datetime],
        background: Sequence[Source] = (),
        on_demand: Callable[[], Awaitable[Sequence[Source]]] | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
        renew_every: float = RENEW_EVERY,
        lease_timeout: float = LEASE_TIMEOUT,
        max_sleep: float = MAX_SLEEP,
        follow_every: float = FOLLOW_EVERY,
        polled: Callable[[PollResult], None] = lambda _result: None,
    ) -> None:
        self._sources = sources
        self._background = background
        self._on_demand = on_demand
        self._followed: Sequence[Source] = ()
        """The sources that `on_demand` returned last."""
        self._papers = papers
        self._lease = lease
        self._redis = redis
        self._now = now
        self._sleep = sleep
        self._jitter = jitter
        self._renew_every = renew_every
        self._lease_timeout = lease_timeout
        self._max_sleep = max_sleep
        self._follow_every = follow_every
        self._polled = polled
        self._last: dict[str, PollResult] = {}
        self._due: dict[str, datetime] = {}

    async def poll_once(self) -> list[PollResult]:
        """Poll every source once, all at the same time. The results include failures.

        If another process polls, the results are those of its last polls.
        """
        try:
            async with asyncio.timeout(self._lease_timeout) as timeout:

                async def work(fence: int) -> None:
                    timeout.reschedule(None)  # we have the lease; the polls may take as long as they need
                    try:
                        await self._poll_all_once(fence)
                    finally:
                        timeout.reschedule(asyncio.get_running_loop().time() + self._lease_timeout)

                await lead(self._lease, work, every=self._renew_every)
        except TimeoutError:
            log.info("poll_left_to_leader")
            await self._load_last_polls()
        polled = (*self._sources, *self._followed)
        return [self._last[source.name] for source in polled if source.name in self._last]

    async def run(self) -> None:
        """Poll every source at its own hours while this process leads, until cancelled."""
        await lead(self._lease, self._poll_all_repeatedly, every=self._renew_every)

    async def _poll_all_once(self, fence: int) -> None:
        await self._load_last_polls()
        await self._update_followed()
        await self._drop_removed_sources()
        hold = self._was_away()
        async with asyncio.TaskGroup() as group:
            for source in (*self._sources, *self._followed):
                group.create_task(self._poll(source, fence, hold=hold), name=f"poll {source.name}")
        if hold:
            await self._announce(fence)

    async def _poll_all_repeatedly(self, fence: int) -> None:
        await self._load_last_polls()
        await self._update_followed()
        await self._drop_removed_sources()
        if self._was_away():
            await self._poll_all_once(fence)
        with metrics.leader.track_inprogress():
            async with asyncio.TaskGroup() as group:

                def start(source: Source) -> asyncio.Task[None]:
                    return group.create_task(self._poll_repeatedly(source, fence), name=f"poll {source.name}")

                for source in (*self._sources, *self._background):
                    _ = start(source)
                if self._on_demand is not None:
                    await self._poll_followed_sources(start)

    async def _poll_followed_sources(self, start: Callable[[Source], asyncio.Task[None]]) -> None:
        """Start followed sources, and stop those that are no longer wanted."""
        running: dict[str, tuple[Source, asyncio.Task[None]]] = {}
        while True:
            wanted = {source.name: source for source in self._followed}
            stopped = {name for name, (source, _) in running.items() if wanted.get(name) is not source}
            tasks = [running.pop(name)[1] for name in stopped]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for name in stopped:
                self._due.pop(name, None)
            await self._forget(stopped - wanted.keys())
            for name in wanted.keys() - running.keys():
                running[name] = wanted[name], start(wanted[name])
            await self._sleep(self._follow_every)
            await self._update_followed()

    async def _update_followed(self) -> None:
        if self._on_demand is None:
            return
        try:
            self._followed = tuple(await self._on_demand())
        except RedisError as error:
            log.warning("followed_sources_unavailable", reason=str(error))
        _raise_if_cancelled()

    def _was_away(self) -> bool:
        """Whether the last poll is so long ago that channels should get one digest of everything missed."""
        polled = [poll.at for poll in self._last.values()]
        return bool(polled) and self._now() - max(polled) > AWAY

    async def _announce(self, fence: int) -> None:
        """Announce the papers of all sources as one poll, so that a channel gets one digest instead of a flood."""
        try:
            names = [source.name for source in (*self._sources, *self._followed)]
            await self._papers.announce(names, fence)
        except RedisError as error:
            log.warning("announcement_delayed", reason=str(error))

    async def _load_last_polls(self) -> None:
        """Load the results of the last polls, which another process may have stored."""
        try:
            self._last = await last_polls(self._redis)
        except RedisError as error:
            log.warning("last_polls_unavailable", reason=str(error))
        _raise_if_cancelled()

    async def _drop_removed_sources(self) -> None:
        """Drop poll records of removed sources, so that they don't raise alerts."""
        named = (*self._sources, *self._background, *self._followed)
        await self._forget(self._last.keys() - {source.name for source in named})

    async def _forget(self, names: Iterable[str]) -> None:
        removed = set(names)
        if removed:
            self._last = {name: poll for name, poll in self._last.items() if name not in removed}
            try:
                await forget_polls(self._redis, removed)
            except RedisError as error:
                log.warning("removed_sources_still_shown", reason=str(error))

    async def _poll_repeatedly(self, source: Source, fence: int) -> None:
        while True:
            due = self._due.get(source.name, self._now())
            while (left := (due - self._now()).total_seconds()) > 0:
                await self._sleep(min(left, self._max_sleep))
            await self._poll(source, fence)
            _raise_if_cancelled()

    async def _poll(self, source: Source, fence: int, *, hold: bool = False) -> None:
        """Poll a source once, and store, log and count the result. Raises LostLease."""
        previous = self._last.get(source.name)
        try:
            result = await self._ingest(source, fence, previous, hold=hold)
        except LostLease:
            raise
        except Exception as error:  # noqa: BLE001 - the loop's edge: one source never stops the others
            result = failed(
                source.name, self._now(), _as_source_error(source, error), previous, self._jitter()
            )
        self._last[source.name] = result
        self._due[source.name] = result.next_at
        _log(result)
        self._polled(result)
        try:
            await record_poll(self._redis, result)
        except RedisError as error:
            log.warning("poll_result_not_stored", source=source.name, reason=str(error))

    def _new_at(
        self, source: Source, new: int, previous: PollResult | None, now: datetime
    ) -> datetime | None:
        """Return when the source last had a new paper; None for a followed category, which may be silent for weeks."""
        if any(source is followed for followed in self._followed):
            return None
        return now if new or previous is None else previous.new_at

    async def _ingest(
        self, source: Source, fence: int, previous: PollResult | None, *, hold: bool
    ) -> PollResult:
        """Fetch page by page from the stored cursor on, and store each page's papers together with its cursor."""
        cursor = await self._papers.cursor(source.name)
        _raise_if_cancelled()
        batch = await source.fetch(cursor)
        skipped = batch.skipped
        ingested = await self._papers.ingest(source.name, batch, fence, hold=hold)
        while batch.more:
            if batch.cursor == cursor:
                raise SourceError(f"{source.name} can't be read: its cursor does not move")
            cursor = batch.cursor
            batch = await source.fetch(cursor)
            skipped = Counter(skipped) + Counter(batch.skipped)
            ingested += await self._papers.ingest(source.name, batch, fence, hold=hold)
        now = self._now()
        return PollResult(
            source=source.name,
            at=now,
            next_at=source.next_poll(now),
            new=ingested.new,
            changed=ingested.changed,
            found=(previous.found if previous else 0) + ingested.announced,
            alarm=batch.alarm,
            **skipped_rows(skipped, previous),
            succeeded_at=now,
            new_at=self._new_at(source, ingested.new, previous, now),
        )


def _as_source_error(source: Source, error: Exception) -> SourceError:
    """Convert the error of a poll to a SourceError. A bug is logged with its traceback."""
    if isinstance(error, SourceError):
        return error
    if isinstance(error, RedisError | PaperboyError):
        message = f"the papers of {source.name} could not be stored: {error}"
        return SourceError(message, retry_after=STORE_RETRY)
    log.error("poll_crashed", source=source.name, exc_info=error)
    return SourceError(f"{source.name} failed unexpectedly: {error!r}")


def _log(result: PollResult) -> None:
    if result.error is None:
        log.info("source_polled", source=result.source, new=result.new, changed=result.changed)
        if result.alarm:
            log.error("source_suspicious", source=result.source, reason=result.alarm)
        return
    write = log.error if result.refused else log.warning
    write("source_failed", source=result.source, reason=result.error, next=result.next_at.isoformat())


def _raise_if_cancelled() -> None:
    """End a task that was cancelled: redis-py 8.1 loses a cancellation while it connects, but asyncio remembers it."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
