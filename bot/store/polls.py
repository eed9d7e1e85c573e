"""How the last poll of every source went, kept for `status` and `doctor`."""

from collections.abc import Iterable

from redis.asyncio import Redis

from bot.domain.polls import PollResult
from bot.store import keys


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
