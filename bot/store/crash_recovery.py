"""Frees what a killed process held, when the only user of a server starts."""

from collections.abc import Iterable

from redis.asyncio import Redis

from bot.store import keys
from bot.store.outbox.outbox import Outbox
from bot.store.papers import Papers
from bot.store.poll_stream import PollReader


async def free_claims_of_the_dead(redis: Redis, platforms: Iterable[str]) -> None:
    """Free the poller's lease, all claimed deliveries and all polls that were being matched. Raises RedisError.

    Otherwise they are free once their leases expire, after up to a minute.
    """
    await redis.delete(keys.LEASE)
    await PollReader(redis, Papers(redis)).free_all()
    for platform in platforms:
        await Outbox(redis).free_claims(platform)
