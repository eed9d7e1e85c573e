"""Dead letters for records: what can't be read from Redis is set aside with a reason, and everything else goes on.

A record stays where it is, since a newer version may have written it and can read it. Only an entry of a stream is
taken out, because it would block those behind it; its text is stored here, and a process that can read it puts it back.
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
"""Unreadable records that are remembered; further ones are skipped and logged, but not stored."""
MAX_TEXT = 100_000
"""Characters stored of an unreadable record."""
REMEMBERED = 30 * 86_400
"""Seconds after the last new one; what is still unreadable then is found and reported again."""

UNREADABLE = (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError, UserError)
"""What reading a record of an unknown form raises."""

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
    """Which one: an id, a channel, an entry of a stream."""
    reason: str
    at: datetime
    """When it was first found."""
    text: str
    """What it holds, cut off at `MAX_TEXT` characters."""


async def load_each(
    redis: Redis, kind: str, records: Iterable[tuple[_K, _T]], load: Callable[[_K, _T], _V]
) -> list[tuple[_K, _V]]:
    """Each record's name and value, without those that can't be read; they are set aside. Raises RedisError."""
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
    if int(await redis.hlen(keys.UNREADABLE)) >= MAX_RECORDS:
        metrics.records_set_aside.labels(kind).inc()
        return
    if await redis.hsetnx(keys.UNREADABLE, f"{kind} {name}", json.dumps(values, ensure_ascii=False)):
        await redis.expire(keys.UNREADABLE, REMEMBERED)
        metrics.records_set_aside.labels(kind).inc()
        _log.error("record_unreadable", kind=kind, name=name, reason=reason)


async def unreadable_records(redis: Redis) -> AsyncIterator[UnreadableRecord]:
    """Every record that was set aside, in no order. Raises RedisError."""
    async for field, text in redis.hscan_iter(keys.UNREADABLE):
        kind, _, name = str(field).partition(" ")
        values: dict[str, Any] = json.loads(text)
        yield UnreadableRecord(
            kind, name, values["reason"], datetime.fromisoformat(values["at"]), values["text"]
        )


async def unreadable_count(redis: Redis) -> int:
    """How many records are set aside. Raises RedisError."""
    return int(await redis.hlen(keys.UNREADABLE))


async def forget_unreadable(redis: Redis, kind: str, name: str) -> None:
    """The record can be read, or was dropped. Raises RedisError."""
    await redis.hdel(keys.UNREADABLE, f"{kind} {name}")
