"""There is one leader at a time, each with a higher fencing number than the previous one."""

from redis.asyncio import Redis

from bot.store.lease import Lease
from tests.waiting import until


async def test_the_leader_keeps_its_number_while_it_renews_its_lease(redis: Redis) -> None:
    first, second = Lease(redis), Lease(redis)
    fence = await first.acquire()
    assert fence
    assert await second.acquire() is None
    assert await first.acquire() == fence


async def test_the_next_leader_has_a_higher_number(redis: Redis) -> None:
    first, second = Lease(redis), Lease(redis)
    fence = await first.acquire()
    await first.release()
    next_fence = await second.acquire()
    assert fence is not None
    assert next_fence is not None
    assert next_fence > fence
    await first.release()  # a lease that we lost: nothing happens
    assert await second.acquire() == next_fence


async def test_a_leader_that_does_not_renew_is_replaced(redis: Redis) -> None:
    first, second = Lease(redis, ttl=0.05), Lease(redis)
    await first.acquire()
    await until(second.acquire, "the lease to end")
    assert await first.acquire() is None
