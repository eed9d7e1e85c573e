"""Notifications arrive; if one may have been lost, every worker checks all shards."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from bot.store import keys, notifications, worker_loop
from bot.store.notifications import Notifications
from bot.supervisor import cancel
from tests.waiting import until


class Received(asyncio.Queue[str]):
    """The messages received by a listener."""

    async def until(self, message: str) -> None:
        async with asyncio.timeout(5):
            while await self.get() != message:
                pass


@pytest.fixture
async def received(redis: Redis) -> AsyncIterator[Received]:
    notifications, queue = Notifications(redis), Received()
    with notifications.listening(queue.put_nowait):
        task = asyncio.create_task(notifications.run())
        await queue.until("")
        yield queue
        await cancel({task})


async def test_a_notification_arrives(redis: Redis, received: Received) -> None:
    await redis.publish(keys.WAKE, "due fake 07")
    await received.until("due fake 07")


async def test_after_a_lost_connection_every_listener_checks_everything(
    redis: Redis, received: Received, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_loop, "FIRST_BACKOFF", 0.01)
    while not received.empty():
        received.get_nowait()
    await redis.client_kill_filter(_type="pubsub")
    await received.until("")

    async def listening() -> bool:
        return bool((await redis.pubsub_numsub(keys.WAKE))[0][1])

    await until(listening, "the listener to reconnect")
    await redis.publish(keys.WAKE, "papers")
    await received.until("papers")


async def test_every_listener_checks_periodically(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notifications, "SWEEP", 0.02)
    sweeping, queue = Notifications(redis), Received()
    with sweeping.listening(queue.put_nowait):
        task = asyncio.create_task(sweeping.run())
        for _ in range(4):
            await queue.until("")
        await cancel({task})
