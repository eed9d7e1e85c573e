"""Slack repeats itself: events until they are acknowledged, and requests that someone recorded and sends again."""

from uuid import uuid4

from redis.asyncio import Redis

from bot.store import keys


class Dedup:
    """Remembers, for all processes, what was heard."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def is_first(self, what: str, seconds: int) -> bool:
        """Whether `what` is heard for the first time within so many seconds."""
        # redis-py may repeat a command whose answer was lost: finding our own value is still the first time.
        mine = uuid4().hex
        held = await self._redis.set(keys.heard("slack", what), mine, nx=True, ex=seconds, get=True)
        return held in {None, mine}
