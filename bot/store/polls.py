"""How the last poll of every source went, kept for `status` and `doctor`."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Self

from redis.asyncio import Redis

from bot.store import keys

_TIMES = ("at", "next_at", "succeeded_at", "new_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class PollResult:
    """The outcome of one poll of one source. Times are aware."""

    source: str
    at: datetime
    next_at: datetime
    """When it is asked again."""
    new: int = 0
    """Papers never seen before."""
    changed: int = 0
    """Known papers of which something changed."""
    found: int = 0
    """Papers that this source was the first to announce, over all its polls."""
    alarm: str | None = None
    """What an operator should know, although the poll went well."""
    error: str | None = None
    """What went wrong, as a sentence for the operator."""
    refused: bool = False
    failures: int = 0
    """In a row, this one included."""
    succeeded_at: datetime | None = None
    """When a poll last went well, this one included."""
    new_at: datetime | None = None
    """When one last brought a new paper."""

    def __str__(self) -> str:
        return json.dumps(asdict(self), default=datetime.isoformat)

    @classmethod
    def parse(cls, written: str) -> Self:
        """The inverse of `str`."""
        fields: dict[str, Any] = json.loads(written)
        times: dict[str, Any] = {name: _time(fields.pop(name, None)) for name in _TIMES}
        return cls(**fields, **times)


def _time(written: str | None) -> datetime | None:
    return None if written is None else datetime.fromisoformat(written)


async def record_poll(redis: Redis, result: PollResult) -> None:
    """Replace what was known of the source. Raises RedisError."""
    await redis.hset(keys.POLLS, result.source, str(result))


async def forget_polls(redis: Redis, sources: Iterable[str]) -> None:
    """Know nothing of these any more. Raises RedisError."""
    await redis.hdel(keys.POLLS, *sources)


async def last_polls(redis: Redis) -> dict[str, PollResult]:
    """The last result of every source that was ever asked, by name. Raises RedisError."""
    written = await redis.hgetall(keys.POLLS)
    return {str(name): PollResult.parse(str(result)) for name, result in written.items()}
