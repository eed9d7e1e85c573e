"""Limits that all processes share: on posts, on requests by strangers, on requests to an upstream.

Every key expires once its limit is free again. Only the server's clock counts.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from uuid import uuid4

from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.domain.errors import SourceError
from bot.ports import Rate
from bot.store import keys
from bot.store.scripts import Scripts, script

MARGIN = 1.04
"""Factor that lengthens each window of posts: a platform counts when posts arrive, and we when we send them."""
MAX_WAIT = 5.0
"""Maximum number of seconds that a worker waits with a claimed delivery; rather than wait longer, it gives it back."""


ARXIV_PAUSE = 3.0
"""Seconds between requests, one connection at a time: https://info.arxiv.org/help/api/tou.html."""
HOLD = 120.0
"""Seconds after which a turn at an upstream expires if its holder died. Longer than any request takes."""


class TurnedAway(Exception):
    """The limit is used up for `after` seconds, longer than it makes sense to wait."""

    def __init__(self, after: float) -> None:
        super().__init__(f"the rate limit is used up for {after:.1f} s")
        self.after = after


class RateLimiter:
    """Gives turns to post by the server's clock, in the order of the requests."""

    def __init__(self, redis: Redis) -> None:
        self._scripts = Scripts(redis)

    async def turn(self, rate: Rate, post: str, *scope: str) -> float:
        """Give `post` a turn, or the one that it has already, and return the seconds to wait. Raises TurnedAway."""
        per = round(rate.per * MARGIN * 1000)
        args: list[str | int] = [post, rate.count, per, round(MAX_WAIT * 1000)]
        given, wait = await self._scripts.run(script("rate"), keys.bucket(*scope), args)
        if not given:
            raise TurnedAway(int(wait) / 1000)
        return int(wait) / 1000

    async def stop(self, after: float, *scope: str) -> None:
        """Let no replica send anything for `after` seconds, because the platform asked for that."""
        ms = max(1, round(after * 1000))
        await self._scripts.run(script("rate_stop"), keys.bucket(*scope), [ms])


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `rate` for `scope`, such as a network or "all"."""

    scope: str
    rate: Rate


@dataclass(frozen=True, slots=True)
class UsedUp:
    """A limit that allows nothing for another `seconds`."""

    limit: Limit
    seconds: float


class Limits:
    """Counts attempts by purpose."""

    def __init__(self, redis: Redis) -> None:
        self._scripts = Scripts(redis)

    async def count(self, purpose: str, limits: Sequence[Limit]) -> UsedUp | None:
        """Count one attempt against all `limits`, or return the first that is used up and count nothing.

        A limit of 20 an hour allows 20 at once, then one every three minutes. Raises RedisError.
        """
        names = [keys.limit(purpose, _hashed(limit.scope)) for limit in limits]
        rates = [number for limit in limits for number in (limit.rate.count, round(limit.rate.per * 1000))]
        full, wait = await self._scripts.run(script("limit"), names, [uuid4().hex, *rates])
        return UsedUp(limits[int(full) - 1], int(wait) / 1000) if full else None


def _hashed(scope: str) -> str:
    """Return the scope's hash, so that no network address is readable in Redis."""
    return blake2b(scope.encode(), digest_size=12).hexdigest()


class Gate:
    """The queue for one upstream: one turn at a time, each starting `pause` seconds after the last one ended.

    The pause runs from the end of a request to the start of the next, so that no delay between getting a turn and
    sending can bring two requests closer together.
    """

    def __init__(
        self, redis: Redis, upstream: str, *, pause: float = ARXIV_PAUSE, hold: float = HOLD
    ) -> None:
        self._key = keys.gate(upstream)
        self._pause = pause
        self._hold = hold
        self._scripts = Scripts(redis)
        self._queue = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn and hold it inside the `with` block. Raises SourceError if Redis doesn't answer."""
        token = uuid4().hex
        # First come, first served within a process; only its first request asks the server.
        async with self._queue:
            await self._wait(token)
            try:
                yield
            finally:
                with contextlib.suppress(RedisError):  # a turn that can't be given back expires
                    await self._leave(token)

    async def _wait(self, token: str) -> None:
        left = await self._ask(token)
        while left:
            await asyncio.sleep(left)
            left = await self._ask(token)

    async def _ask(self, token: str) -> float:
        """Return the seconds until it makes sense to ask again; 0 if the turn is ours."""
        try:
            left = await self._scripts.run(script("gate_enter"), [self._key], [token, _ms(self._hold)])
        except RedisError as error:
            raise SourceError(
                f"the request was not sent, because Redis did not answer whose turn it is: {error}"
            ) from error
        return min(int(left) / 1000, self._pause)

    async def _leave(self, token: str) -> None:
        await self._scripts.run(script("gate_leave"), [self._key], [token, _ms(self._pause)])


def _ms(seconds: float) -> int:
    return max(1, round(seconds * 1000))
