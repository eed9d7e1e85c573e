"""A daily budget of calls to an upstream that counts them, shared by all processes and across restarts."""

from datetime import date, timedelta
from uuid import uuid4

from redis.asyncio import Redis

from bot.store import keys
from bot.store.scripts import Scripts, script

REMEMBERED = timedelta(days=2)
"""Time for which a day's count is stored."""


class DailyCalls:
    """Limits the calls of an upstream to `most` a day (UTC)."""

    def __init__(self, redis: Redis, upstream: str, most: int) -> None:
        self._redis = redis
        self._scripts = Scripts(redis)
        self._upstream = upstream
        self.most = most

    async def take(self, day: date) -> bool:
        """Count a call that is about to be made; False if the day's calls are used up."""
        ttl = int(REMEMBERED.total_seconds() * 1000)
        answer = await self._scripts.run(script("take_call"), [self._key(day)], [uuid4().hex, self.most, ttl])
        return bool(answer)

    async def use_up(self, day: date) -> None:
        """Make no more calls on this day: the upstream says that there are none left."""
        await self._redis.set(self._key(day), f"{self.most}:", ex=REMEMBERED)

    def _key(self, day: date) -> str:
        return keys.daily_calls(self._upstream, day.isoformat())
