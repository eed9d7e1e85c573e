"""Deduplication: Slack repeats events until they are acknowledged, and someone may replay recorded requests."""

from typing import Literal
from uuid import uuid4

from redis.asyncio import Redis

from bot.store import keys

DONE = "done"
"""Value stored for leased work that is done."""

Lease = Literal["ours", "busy", "done"]


class Dedup:
    """Remembers, for all processes, which events and requests have arrived."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def is_first(self, name: str, seconds: int) -> bool:
        """Whether `name` arrives for the first time in `seconds`."""
        # redis-py may retry a command whose answer was lost: finding our own value is still the first time.
        mine = uuid4().hex
        held = await self._redis.set(keys.handled("slack", name), mine, nx=True, ex=seconds, get=True)
        return held in {None, mine}

    async def lease(self, name: str, owner: str, seconds: int) -> Lease:
        """Try to lease `name` for `seconds`. Fails if others have the lease (`busy`) or have done the work (`done`)."""
        held = await self._redis.set(keys.handled("slack", name), owner, nx=True, ex=seconds, get=True)
        if held in {None, owner}:
            return "ours"
        return "done" if held == DONE else "busy"

    async def done(self, name: str, seconds: int) -> None:
        """Record that leased work is done, so that it isn't repeated for `seconds`."""
        await self._redis.set(keys.handled("slack", name), DONE, ex=seconds)
