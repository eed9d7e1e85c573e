"""Sources to the papers stream: each source at its own hours, none waiting for another, one process at a time."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.domain.errors import PaperboyError, SourceError
from bot.domain.polls import PollResult
from bot.observability import metrics
from bot.pipeline.leader_election import RENEW_EVERY, lead
from bot.ports import Source
from bot.store.lease import TTL, Lease, LostLease
from bot.store.papers import Papers
from bot.store.polls import forget_polls, last_polls, record_poll

log = structlog.get_logger(__name__)

FIRST_RETRY = 60.0
LAST_RETRY = 3600.0
"""Seconds: a failing source is asked again after a minute, then ever more seldom, hourly at last."""
REFUSED_FOR = 86400.0
"""Seconds for which a source that refused us is left alone."""
STORE_RETRY = 5.0
"""Seconds after which what Redis did not take is fetched again, the first time."""
PATIENCE = TTL + RENEW_EVERY
"""Seconds that a single poll waits for the lease: longer than a process that was killed still holds it."""
AWAY = timedelta(hours=6)
"""Without a poll for so long, what all sources have to say is announced together."""
NAP = 60.0
"""Seconds slept at a stretch: a machine that was suspended, or whose clock was set, is noticed after that."""


def backoff(failures: int, jitter: float) -> float:
    """Seconds to wait after that many failures in a row; `jitter`, from 0 to 1, spreads replicas and sources."""
    doubled = FIRST_RETRY * 2.0 ** min(failures - 1, 10)
    return float(min(doubled, LAST_RETRY / 1.5) * (1 + jitter / 2))


def pause_after(error: SourceError, failures: int, jitter: float) -> float:
    """Seconds until a source that failed with `error` is asked again: never before the time that it named."""
    if error.refused:
        return REFUSED_FOR
    if error.retry_after is None:
        return backoff(failures, jitter)
    repeated = backoff(failures - 1, jitter) if failures > 1 else 1.0
    return max(error.retry_after, repeated)


def failed(
    source: str, now: datetime, error: SourceError, previous: PollResult | None, jitter: float
) -> PollResult:
    """The result of a poll that failed."""
    failures = (previous.failures if previous else 0) + 1
    return PollResult(
        source=source,
        at=now,
        next_at=now + timedelta(seconds=pause_after(error, failures, jitter)),
        error=str(error),
        refused=error.refused,
        failures=failures,
        found=previous.found if previous else 0,
        alarm=previous.alarm if previous else None,
        skipped=previous.skipped if previous else 0,
        skipped_reason=previous.skipped_reason if previous else "",
        succeeded_at=previous.succeeded_at if previous else None,
        new_at=previous.new_at if previous else None,
    )


class Poller:
    """Polls `sources` and hands what they list to `papers`, whenever this process holds the lease.

    What is `beside` them is asked too while this runs on, but nothing waits for it.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        papers: Papers,
        lease: Lease,
        redis: Redis,
        *,
        now: Callable[[], datetime],
        beside: Sequence[Source] = (),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
        renew_every: float = RENEW_EVERY,
        patience: float = PATIENCE,
        nap: float = NAP,
        polled: Callable[[PollResult], None] = lambda _result: None,
    ) -> None:
        self._sources = sources
        self._beside = beside
        self._papers = papers
        self._lease = lease
        self._redis = redis
        self._now = now
        self._sleep = sleep
        self._jitter = jitter
        self._renew_every = renew_every
        self._patience = patience
        self._nap = nap
        self._polled = polled
        self._last: dict[str, PollResult] = {}
        self._due: dict[str, datetime] = {}

    async def poll_once(self) -> list[PollResult]:
        """Ask every source once, all at a time; a failure is in its result.

        Where another process keeps polling, the results are that one's, as far as it has any.
        """
        try:
            async with asyncio.timeout(self._patience) as patience:

                async def work(fence: int) -> None:
                    patience.reschedule(None)  # getting the lease is over; polls take what they take
                    try:
                        await self._all_once(fence)
                    finally:
                        patience.reschedule(asyncio.get_running_loop().time() + self._patience)

                await lead(self._lease, work, every=self._renew_every)
        except TimeoutError:
            log.info("nothing polled, for another process does so")
            await self._recall()
        return [self._last[source.name] for source in self._sources if source.name in self._last]

    async def run(self) -> None:
        """Ask every source at its own hours whenever this process leads, until cancelled."""
        await lead(self._lease, self._all_for_ever, every=self._renew_every)

    async def _all_once(self, fence: int) -> None:
        await self._recall()
        await self._forget_former()
        hold = self._was_away()
        async with asyncio.TaskGroup() as group:
            for source in self._sources:
                group.create_task(self._poll(source, fence, hold=hold), name=f"poll {source.name}")
        if hold:
            await self._announce(fence)

    async def _all_for_ever(self, fence: int) -> None:
        await self._recall()
        await self._forget_former()
        if self._was_away():
            await self._all_once(fence)
        with metrics.leader.track_inprogress():
            async with asyncio.TaskGroup() as group:
                for source in (*self._sources, *self._beside):
                    group.create_task(self._follow(source, fence), name=f"poll {source.name}")

    def _was_away(self) -> bool:
        """Whether so much may have come since the last poll that all of it is better told at once."""
        polled = [poll.at for poll in self._last.values()]
        return bool(polled) and self._now() - max(polled) > AWAY

    async def _announce(self, fence: int) -> None:
        """Tell what all sources had to say as one poll, so that a channel gets one digest and no flood."""
        try:
            await self._papers.announce([source.name for source in self._sources], fence)
        except RedisError as error:
            log.warning("announced with the next polls", reason=str(error))

    async def _recall(self) -> None:
        """Know how the last polls went, whichever process they were of."""
        try:
            self._last = await last_polls(self._redis)
        except RedisError as error:
            log.warning("earlier polls not known", reason=str(error))
        _heed_cancellation()

    async def _forget_former(self) -> None:
        """Of sources that the settings name no more, nobody should say that they are late."""
        former = self._last.keys() - {source.name for source in (*self._sources, *self._beside)}
        if former:
            self._last = {name: poll for name, poll in self._last.items() if name not in former}
            try:
                await forget_polls(self._redis, former)
            except RedisError as error:
                log.warning("former sources are still shown", reason=str(error))

    async def _follow(self, source: Source, fence: int) -> None:
        while True:
            due = self._due.get(source.name, self._now())
            while (left := (due - self._now()).total_seconds()) > 0:
                await self._sleep(min(left, self._nap))
            await self._poll(source, fence)
            _heed_cancellation()

    async def _poll(self, source: Source, fence: int, *, hold: bool = False) -> None:
        """Ask a source once, and keep, log and publish how it went. Raises LostLease."""
        previous = self._last.get(source.name)
        try:
            result = await self._ingest(source, fence, previous, hold=hold)
        except LostLease:
            raise
        except Exception as error:  # noqa: BLE001 - the loop's edge: one source never stops the others
            result = failed(source.name, self._now(), _told(source, error), previous, self._jitter())
        self._last[source.name] = result
        self._due[source.name] = result.next_at
        _log(result)
        self._polled(result)
        try:
            await record_poll(self._redis, result)
        except RedisError as error:
            log.warning("poll not shown in status", source=source.name, reason=str(error))

    async def _ingest(
        self, source: Source, fence: int, previous: PollResult | None, *, hold: bool
    ) -> PollResult:
        """Fetch from the stored cursor, page by page, and store each page's papers together with its cursor."""
        cursor = await self._papers.cursor(source.name)
        _heed_cancellation()
        batch = await source.fetch(cursor)
        skipped = batch.skipped
        ingested = await self._papers.ingest(source.name, batch, fence, hold=hold)
        while batch.more:
            if batch.cursor == cursor:
                raise SourceError(f"{source.name} goes round in circles: its cursor does not move")
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
            **_skipped(skipped, previous),
            succeeded_at=now,
            new_at=now if ingested.new or previous is None else previous.new_at,
        )


def _skipped(rows: Mapping[str, int] | None, previous: PollResult | None) -> dict[str, Any]:
    """How many rows of the source's list can't be read. A list that is the same as before has not been read again."""
    if rows is None:
        return {"skipped": previous.skipped, "skipped_reason": previous.skipped_reason} if previous else {}
    reason = max(rows, key=lambda reason: rows[reason], default="")
    return {"skipped": sum(rows.values()), "skipped_reason": reason}


def _told(source: Source, error: Exception) -> SourceError:
    """What went wrong with a poll, as an operator is told. A bug is logged whole."""
    if isinstance(error, SourceError):
        return error
    if isinstance(error, RedisError | PaperboyError):
        message = f"what {source.name} lists could not be stored: {error}"
        return SourceError(message, retry_after=STORE_RETRY)
    log.error("poll failed unexpectedly", source=source.name, exc_info=error)
    return SourceError(f"{source.name} failed unexpectedly: {error!r}")


def _log(result: PollResult) -> None:
    if result.error is None:
        log.info("source polled", source=result.source, new=result.new, changed=result.changed)
        if result.alarm:
            log.error("source suspicious", source=result.source, reason=result.alarm)
        return
    say = log.error if result.refused else log.warning
    say("source not read", source=result.source, reason=result.error, next=result.next_at.isoformat())


def _heed_cancellation() -> None:
    """End a task that was cancelled while redis-py 8.1 connected: it loses that, but asyncio remembers."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
