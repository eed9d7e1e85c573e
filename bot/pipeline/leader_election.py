"""Leader election: work that only one of several processes does at a time."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog
from redis.exceptions import RedisError

from bot.store.lease import TTL, Lease, LostLease

log = structlog.get_logger(__name__)

RENEW_EVERY = TTL / 3
"""Seconds between two renewals of the lease; two in a row may fail before it expires."""

Work = Callable[[int], Awaitable[None]]
"""Receives the fence, the number that its writes carry."""


async def lead(lease: Lease, work: Work, *, every: float = RENEW_EVERY) -> None:
    """Do `work` whenever this process holds the lease, until the work is done or this is cancelled."""
    try:
        while True:
            fence = await _acquire(lease)
            if fence is not None and await _finished(lease, fence, work, every):
                return
            await asyncio.sleep(every)
    finally:
        with suppress(RedisError, OSError):
            await lease.release()


async def _finished(lease: Lease, fence: int, work: Work, every: float) -> bool:
    """Do the work while the lease lasts. Returns whether the work ended, and not the lease."""
    log.info("leading_started", fence=fence)
    task = asyncio.ensure_future(work(fence))
    try:
        while not task.done() and await _acquire(lease) == fence:
            await asyncio.wait({task}, timeout=every)
        if task.done():
            task.result()
            return True
    except* LostLease:  # a write was refused: another process leads
        pass
    finally:
        task.cancel()
        await asyncio.wait({task})
        _ = task.cancelled() or task.exception()  # it may have lost the lease at the same moment
    log.warning("leading_ended", fence=fence)
    return False


async def _acquire(lease: Lease) -> int | None:
    """Acquire or renew the lease. Returns our fence; None while another process leads or Redis doesn't answer."""
    try:
        return await lease.acquire()
    except (RedisError, OSError) as error:
        log.warning("lease_unavailable", reason=str(error))
        return None
