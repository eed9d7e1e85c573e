"""A lease: at most one process leads, and one that was stopped too long is found out by its number."""

from uuid import uuid4

from redis.asyncio import Redis

from bot.domain.errors import PaperboyError
from bot.store import keys
from bot.store.scripts import Scripts, script

TTL = 30.0
"""Seconds after which a leader that says nothing has lost its lease; one that lives renews it well before."""


class LostLease(PaperboyError):
    """Another process leads by now: what this one wanted to write was not written."""


class Lease:
    """The poller's lease. Only the server's clock decides when it is over.

    Every taking gives a higher number (the fence), which travels with the leader's writes: a leader that was
    stopped past its lease holds an old number, and its writes are refused.
    """

    def __init__(
        self, redis: Redis, *, ttl: float = TTL, key: str = keys.LEASE, fence_key: str = keys.FENCE
    ) -> None:
        self._scripts = Scripts(redis)
        self._keys = [key, fence_key]
        self._ttl = ttl
        self._owner = uuid4().hex

    async def acquire(self) -> int | None:
        """Take the lease, or renew it (its number stays). None while another process holds it."""
        fence = await self._scripts.run(script("lease"), self._keys, [self._owner, round(self._ttl * 1000)])
        return int(fence) or None

    async def release(self) -> None:
        """Let the next process lead at once."""
        await self._scripts.run(script("lease_release"), self._keys[:1], [self._owner])
