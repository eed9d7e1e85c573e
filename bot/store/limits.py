"""Limits on what strangers may ask for, shared by all processes. Every key expires once its limit is free again."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from uuid import uuid4

from redis.asyncio import Redis

from bot.ports import Rate
from bot.store import keys
from bot.store.scripts import Scripts, script


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
    """No network address is readable in Redis."""
    return blake2b(scope.encode(), digest_size=12).hexdigest()
