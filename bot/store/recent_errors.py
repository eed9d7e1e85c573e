"""The errors of all processes in the last hour, for `paperboy status`: how often each kind occurred, and where."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from secrets import token_hex
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.observability.error_tally import MOST, OTHERS, ErrorKind, ErrorTally
from bot.store import keys

SPAN = 300
"""Seconds that are counted together."""
SPANS = 12
"""Number of spans in an hour."""
KEPT = SPAN * (SPANS + 2)
"""Seconds for which a span is stored."""
EVERY = 10.0
"""Seconds between two writes of a process."""


class RecentErrors:
    """Adds a process's errors to those of all processes.

    A process writes its own totals, so that a repeated write counts nothing twice.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._process = token_hex(4)
        self._span = 0
        self._totals: Counter[ErrorKind] = Counter()

    async def share(self, tally: ErrorTally) -> None:
        """Write the tally's counts every `EVERY` seconds, until cancelled. They wait while Redis can't be reached."""
        while True:
            await asyncio.sleep(EVERY)
            await self.share_now(tally)

    async def share_now(self, tally: ErrorTally) -> None:
        """Write the tally's counts; they stay in the tally if Redis can't be reached."""
        counts = tally.take()
        if not counts:
            return
        try:
            await self.add(counts)
        except (RedisError, OSError):
            for kind, times in counts.items():
                tally.count(*kind, times)

    async def add(self, counts: Mapping[ErrorKind, int]) -> None:
        """Add to this process's totals of this span. Raises RedisError."""
        span = await _current_span(self._redis)
        totals = Counter(self._totals) if span == self._span else Counter[ErrorKind]()
        for kind, times in counts.items():
            totals[kind if kind in totals or len(totals) < MOST else OTHERS] += times
        key = keys.recent_errors(span)
        mine = totals.items()
        fields: dict[Any, Any] = {
            f"{self._process}\t{kind.origin}\t{kind.name}": times for kind, times in mine
        }
        await self._redis.hset(key, mapping=fields)
        await self._redis.expire(key, KEPT)
        self._span, self._totals = span, totals


async def recent_errors(redis: Redis) -> Counter[ErrorKind]:
    """Return how often each kind of error occurred in the last hour, or up to five minutes more. Raises RedisError."""
    found: Counter[ErrorKind] = Counter()
    span = await _current_span(redis)
    for number in range(span - SPANS, span + 1):
        stored: Any = await redis.hgetall(keys.recent_errors(number))
        for field, times in stored.items():
            _, origin, name = field.split("\t")
            found[ErrorKind(origin, name)] += int(times)
    return found


async def _current_span(redis: Redis) -> int:
    seconds, _ = await redis.time()
    return int(seconds) // SPAN
