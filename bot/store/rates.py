"""Rate limits that all replicas share: of a platform's bot, and of each workspace."""

from redis.asyncio import Redis

from bot.ports import Rate
from bot.store import keys
from bot.store.scripts import Scripts, script

MARGIN = 1.04
"""Each window is this much longer, since a platform counts when posts arrive, and we when they leave."""
MAX_WAIT = 5.0
"""Seconds that a worker waits with a claimed delivery at most; beyond that it gives the delivery back."""


class TurnedAway(Exception):
    """The limit is used up for longer than it makes sense to wait: `after` seconds."""

    def __init__(self, after: float) -> None:
        super().__init__(f"the rate limit is used up for {after:.1f} s")
        self.after = after


class Rates:
    """Gives turns to post by the server's clock, in the order of asking."""

    def __init__(self, redis: Redis) -> None:
        self._scripts = Scripts(redis)

    async def turn(self, rate: Rate, post: str, *scope: str) -> float:
        """Seconds to wait until `post` may leave. Raises TurnedAway. The same post asking again gets the same turn."""
        per = round(rate.per * MARGIN * 1000)
        args: list[str | int] = [post, rate.count, per, round(MAX_WAIT * 1000)]
        given, wait = await self._scripts.run(script("rate"), keys.bucket(*scope), args)
        if not given:
            raise TurnedAway(int(wait) / 1000)
        return int(wait) / 1000

    async def stop(self, after: float, *scope: str) -> None:
        """Let nothing leave for `after` seconds, from any replica: the platform asked for that."""
        ms = max(1, round(after * 1000))
        await self._scripts.run(script("rate_stop"), keys.bucket(*scope), [ms])
