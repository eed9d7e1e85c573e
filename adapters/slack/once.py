"""Slack says some things twice: events until they are acknowledged, and whoever listens in may repeat a request."""

from uuid import uuid4

from redis.asyncio import Redis

from bot.store import keys


class Once:
    """Remembers, for all processes, what was heard."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def first(self, what: str, seconds: int) -> bool:
        """Whether `what` is heard for the first time in so many seconds."""
        mine = (
            uuid4().hex
        )  # the client may repeat a command whose answer was lost; that is still the first time
        held = await self._redis.set(keys.heard("slack", what), mine, nx=True, ex=seconds, get=True)
        return held in {None, mine}
