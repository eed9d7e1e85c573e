"""Slack repeats itself: events until they are acknowledged, and requests that someone recorded and sends again."""

from typing import Literal
from uuid import uuid4

from redis.asyncio import Redis

from bot.store import keys

DONE = "done"
"""What is stored of something that was leased and is done."""

Lease = Literal["ours", "busy", "done"]


class Dedup:
    """Remembers, for all processes, what was heard."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def is_first(self, what: str, seconds: int) -> bool:
        """Whether `what` is heard for the first time in `seconds`."""
        # redis-py may repeat a command whose answer was lost: finding our own value is still the first time.
        mine = uuid4().hex
        held = await self._redis.set(keys.heard("slack", what), mine, nx=True, ex=seconds, get=True)
        return held in {None, mine}

    async def lease(self, what: str, by: str, seconds: int) -> Lease:
        """Try to make `what` ours for `seconds`; that fails if others have it (`busy`) or have done it."""
        held = await self._redis.set(keys.heard("slack", what), by, nx=True, ex=seconds, get=True)
        if held in {None, by}:
            return "ours"
        return "done" if held == DONE else "busy"

    async def done(self, what: str, seconds: int) -> None:
        """Note that what was leased is done, so that no process does it again for `seconds`."""
        await self._redis.set(keys.heard("slack", what), DONE, ex=seconds)
