"""Rates that all replicas share: of a platform's bot, and of each workspace."""

from redis.asyncio import Redis

from bot.ports import Rate
from bot.store import keys
from bot.store.scripts import Scripts, script

MARGIN = 1.04
"""A platform counts when posts arrive, we when they leave: each window is taken that much longer."""
LONGEST_WAIT = 5.0
"""Seconds that a worker waits for its turn with a delivery in hand; beyond that it gives the delivery back."""


class TurnedAway(Exception):
    """The rate is used up for longer than it is worth to wait: `after` seconds."""

    def __init__(self, after: float) -> None:
        super().__init__(f"its rate is used up for {after:.1f} s")
        self.after = after


class Rates:
    """Turns to post, given by the server's clock in the order of asking."""

    def __init__(self, redis: Redis) -> None:
        self._scripts = Scripts(redis)

    async def turn(self, rate: Rate, post: str, *scope: str) -> float:
        """Seconds to wait until `post` may leave. Raises TurnedAway. The same post again keeps its turn."""
        per = round(rate.per * MARGIN * 1000)
        args: list[str | int] = [post, rate.count, per, round(LONGEST_WAIT * 1000)]
        given, wait = await self._scripts.run(script("rate"), keys.bucket(*scope), args)
        if not given:
            raise TurnedAway(int(wait) / 1000)
        return int(wait) / 1000

    async def stop(self, after: float, *scope: str) -> None:
        """The platform said to wait: nothing leaves for `after` seconds, from any replica."""
        ms = max(1, round(after * 1000))
        await self._scripts.run(script("rate_stop"), keys.bucket(*scope), [ms])
