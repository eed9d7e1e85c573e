"""One process works at a time, and another takes over if it stops."""

import asyncio
from contextlib import suppress

import pytest
from redis.asyncio import Redis

from bot.pipeline.leader_election import lead
from bot.store import keys
from bot.store.lease import Lease, LostLease

QUICKLY = 0.02


async def test_one_of_two_works_and_the_other_takes_over_with_a_higher_fence(redis: Redis) -> None:
    fences: asyncio.Queue[tuple[str, int]] = asyncio.Queue()

    async def lead_as(name: str) -> None:
        async def work(fence: int) -> None:
            await fences.put((name, fence))
            await asyncio.Event().wait()

        await lead(Lease(redis), work, every=QUICKLY)

    processes = {name: asyncio.create_task(lead_as(name)) for name in ("first", "second")}
    leader, fence = await fences.get()
    assert fences.empty()
    processes[leader].cancel()
    follower, later = await fences.get()
    assert follower != leader
    assert later > fence
    processes[follower].cancel()
    await asyncio.wait(processes.values())


async def test_a_leader_whose_work_is_done_resigns(redis: Redis) -> None:
    async def work(fence: int) -> None:
        assert fence > 0

    await lead(Lease(redis), work, every=QUICKLY)
    assert await redis.get(keys.LEASE) is None


async def test_a_leader_whose_lease_was_taken_stops_its_work(redis: Redis) -> None:
    started, stopped = asyncio.Event(), asyncio.Event()

    async def work(_fence: int) -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    leading = asyncio.create_task(lead(Lease(redis), work, every=QUICKLY))
    await started.wait()
    await redis.set(keys.LEASE, "another process")
    await stopped.wait()
    leading.cancel()
    with suppress(asyncio.CancelledError):
        await leading


async def test_a_lost_lease_that_the_store_reports_is_not_a_failure(redis: Redis) -> None:
    fences: asyncio.Queue[int] = asyncio.Queue()

    async def work(fence: int) -> None:
        await fences.put(fence)
        if fences.qsize() == 1:
            raise LostLease("taken")

    await lead(Lease(redis), work, every=QUICKLY)
    assert fences.qsize() == 2


async def test_a_failure_of_the_work_is_raised(redis: Redis) -> None:
    async def work(_fence: int) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await lead(Lease(redis), work, every=QUICKLY)
