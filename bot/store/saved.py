"""The papers that a person has saved."""

import time
from typing import Any

from redis.asyncio import Redis

from bot.domain.models import ChannelRef, User
from bot.store import keys

LIMIT = 500
"""Papers that a person can save; the oldest are dropped."""


class Saved:
    """A list for each person of a workspace, the latest paper first."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def add(self, user: User, channel: ChannelRef, paper_id: str) -> bool:
        """Save a paper. False if it was saved already."""
        key = keys.saved(channel, user.id)
        added = await self._redis.zadd(key, {paper_id: time.time()}, nx=True)
        await self._redis.zremrangebyrank(key, 0, -LIMIT - 1)
        return bool(added)

    async def remove(self, user: User, channel: ChannelRef, paper_id: str) -> bool:
        """Remove a paper. False if it was not saved."""
        return bool(await self._redis.zrem(keys.saved(channel, user.id), paper_id))

    async def of(self, user: User, channel: ChannelRef) -> list[str]:
        """The ids of the papers."""
        found: list[Any] = await self._redis.zrevrange(keys.saved(channel, user.id), 0, -1)
        return found
