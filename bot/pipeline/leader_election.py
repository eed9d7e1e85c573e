"""Work that one process does at a time, however many run."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog
from redis.exceptions import RedisError

from bot.store.lease import TTL, Lease, LostLease

log = structlog.get_logger(__name__)

RENEW_EVERY = TTL / 3
"""Seconds; two renewals may fail before the lease is over."""

Work = Callable[[int], Awaitable[None]]
"""Is given the fence that its writes carry."""


async def lead(lease: Lease, work: Work, *, every: float = RENEW_EVERY) -> None:
    """Do `work` whenever this process holds the lease, until it is done or this is cancelled."""
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
    """Whether the work came to its end, rather than the lease to its."""
    log.info("leading", fence=fence)
    task = asyncio.ensure_future(work(fence))
    try:
        while not task.done() and await _acquire(lease) == fence:
            await asyncio.wait({task}, timeout=every)
        if task.done():
            task.result()
            return True
    except* LostLease:  # the work itself was told so by the store
        pass
    finally:
        task.cancel()
        await asyncio.wait({task})
        _ = task.cancelled() or task.exception()  # found out at the same time as by us
    log.warning("leading no more", fence=fence)
    return False


async def _acquire(lease: Lease) -> int | None:
    """Our fence, or None while another process leads or the server can't be asked."""
    try:
        return await lease.acquire()
    except (RedisError, OSError) as error:
        log.warning("the lease could not be asked for", reason=str(error))
        return None
