"""Dead letters for records: a record that can't be read from Redis is set aside with a reason, and the work goes on.

A record stays where it is, since a newer version may have written it and can read it. Only a stream's entry is removed,
because it would block those behind it; its text is stored here, and a process that can read it puts it back.
"""

import json
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from redis.asyncio import Redis
from structlog import get_logger

from bot.domain.errors import UserError
from bot.observability import metrics
from bot.store import keys

MAX_RECORDS = 200
"""Maximum number of unreadable records that are remembered; further ones are counted, but not stored or logged."""
MAX_TEXT = 100_000
"""Maximum number of characters stored of an unreadable record."""
REMEMBERED = 30 * 86_400
"""Seconds for which unreadable records are remembered after the last new one; then they are reported again."""

UNREADABLE = (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError, UserError)
"""Errors that reading a record of an unknown form raises."""

_K = TypeVar("_K")
_T = TypeVar("_T")
_V = TypeVar("_V")

_log = get_logger()


@dataclass(frozen=True, slots=True)
class UnreadableRecord:
    """A record that was set aside."""

    kind: str
    """`paper`, `poll`, `subscription`, `settings`, …"""
    name: str
    """Identifies the record: an id, a channel, an entry of a stream."""
    reason: str
    at: datetime
    """When it was first found."""
    text: str
    """Its content, cut off at `MAX_TEXT` characters."""


async def load_each(
    redis: Redis, kind: str, records: Iterable[tuple[_K, _T]], load: Callable[[_K, _T], _V]
) -> list[tuple[_K, _V]]:
    """Return each record's name and value. Those that can't be read are set aside. Raises RedisError."""
    loaded = []
    for name, record in records:
        try:
            loaded.append((name, load(name, record)))
        except UNREADABLE as error:
            await set_aside(redis, kind, str(name), record, error)
    return loaded


async def set_aside(redis: Redis, kind: str, name: str, record: object, error: Exception) -> None:
    """Remember a record that can't be read, and log and count it the first time. Raises RedisError."""
    reason = f"{type(error).__name__}: {error}"[:300]
    text = record if isinstance(record, str) else json.dumps(record, default=str, ensure_ascii=False)
    values = {"reason": reason, "at": datetime.now(UTC).isoformat(), "text": text[:MAX_TEXT]}
    field = f"{kind} {name}"
    if await redis.hexists(keys.UNREADABLE, field):
        return
    if int(await redis.hlen(keys.UNREADABLE)) >= MAX_RECORDS:
        metrics.records_set_aside.labels(kind).inc()
        return
    if await redis.hsetnx(keys.UNREADABLE, field, json.dumps(values, ensure_ascii=False)):
        await redis.expire(keys.UNREADABLE, REMEMBERED)
        metrics.records_set_aside.labels(kind).inc()
        _log.error("record_unreadable", kind=kind, name=name, reason=reason)


async def unreadable_records(redis: Redis) -> AsyncIterator[UnreadableRecord]:
    """Yield every record that was set aside, in no particular order. Raises RedisError."""
    async for field, text in redis.hscan_iter(keys.UNREADABLE):
        kind, _, name = str(field).partition(" ")
        values: dict[str, Any] = json.loads(text)
        yield UnreadableRecord(
            kind, name, values["reason"], datetime.fromisoformat(values["at"]), values["text"]
        )


async def unreadable_count(redis: Redis) -> int:
    """Return how many records are set aside. Raises RedisError."""
    return int(await redis.hlen(keys.UNREADABLE))


async def forget_unreadable(redis: Redis, kind: str, name: str) -> None:
    """Forget an unreadable record that could be read after all, or was dropped. Raises RedisError."""
    await redis.hdel(keys.UNREADABLE, f"{kind} {name}")
