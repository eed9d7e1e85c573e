"""The result of each source's last poll, for `/paper status` and `doctor`."""

from collections.abc import Iterable
from typing import Any

from redis.asyncio import Redis

from bot.domain.polls import PollResult
from bot.store import keys
from bot.store.unreadable import load_each


async def record_poll(redis: Redis, result: PollResult) -> None:
    """Store a poll's result in place of the source's last one. Raises RedisError."""
    await redis.hset(keys.POLLS, result.source, str(result))


async def forget_polls(redis: Redis, sources: Iterable[str]) -> None:
    """Drop the results of sources that are no longer configured. Raises RedisError."""
    await redis.hdel(keys.POLLS, *sources)


async def last_polls(redis: Redis) -> dict[str, PollResult]:
    """Return the last result of every source that was polled, by name. Raises RedisError."""
    stored: Any = await redis.hgetall(keys.POLLS)
    return dict(
        await load_each(redis, "poll_result", stored.items(), lambda _name, result: PollResult.parse(result))
    )
