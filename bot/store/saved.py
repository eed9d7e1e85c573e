"""The papers that a person has put aside."""

import time
from typing import Any

from redis.asyncio import Redis

from bot.domain.models import ChannelRef, User
from bot.store import keys

LIMIT = 500
"""Papers a person; the oldest go."""


class Saved:
    """A list for each person of a workspace, the latest first."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def add(self, user: User, channel: ChannelRef, paper_id: str) -> bool:
        """Put a paper aside. False where it was already."""
        key = keys.saved(channel, user.id)
        added = await self._redis.zadd(key, {paper_id: time.time()}, nx=True)
        await self._redis.zremrangebyrank(key, 0, -LIMIT - 1)
        return bool(added)

    async def remove(self, user: User, channel: ChannelRef, paper_id: str) -> bool:
        """False where it was not there."""
        return bool(await self._redis.zrem(keys.saved(channel, user.id), paper_id))

    async def of(self, user: User, channel: ChannelRef) -> list[str]:
        """Their ids."""
        found: list[Any] = await self._redis.zrevrange(keys.saved(channel, user.id), 0, -1)
        return found
