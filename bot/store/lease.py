"""A lease with a fence: at most one process leads, and writes of a leader that was suspended too long are refused."""

from uuid import uuid4

from redis.asyncio import Redis

from bot.domain.errors import PaperboyError
from bot.store import keys
from bot.store.scripts import Scripts, script

TTL = 30.0
"""Seconds after which a lease expires unless its leader renews it."""


class LostLease(PaperboyError):
    """Another process leads now, so the write was refused."""


class Lease:
    """A lease on a key, by default the poller's. Only the server's clock decides when it expires.

    Each process that takes it gets a higher number (the fence), which its writes carry: a leader that was
    suspended for longer than its lease has an old number, and its writes are refused.
    """

    def __init__(
        self, redis: Redis, *, ttl: float = TTL, key: str = keys.LEASE, fence_key: str = keys.FENCE
    ) -> None:
        self._scripts = Scripts(redis)
        self._keys = [key, fence_key]
        self._ttl = ttl
        self._owner = uuid4().hex

    async def acquire(self) -> int | None:
        """Take the lease, or renew it under the same fence. Returns the fence; None while another process leads."""
        fence = await self._scripts.run(script("lease"), self._keys, [self._owner, round(self._ttl * 1000)])
        return int(fence) or None

    async def release(self) -> None:
        """Give the lease up, so that another process can lead at once."""
        await self._scripts.run(script("lease_release"), self._keys[:1], [self._owner])
