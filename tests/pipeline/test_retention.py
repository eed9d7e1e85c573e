"""A workspace that removed the app is forgotten after its retention; one paused for another reason never is."""

from datetime import UTC, datetime, timedelta

import pytest
from redis.asyncio import Redis

from bot.domain.models import ChannelRef
from bot.pipeline.retention import Retention
from bot.store.data_deletion import DataDeletion
from bot.store.outbox.outbox import Outbox
from bot.store.subscriptions import Subscriptions
from tests.scenario import Clock, set_clock

HERE, ELSEWHERE = ChannelRef("slack", "T1", "C1"), ChannelRef("slack", "T2", "C1")
REMOVED = "the app was uninstalled"


@pytest.fixture
async def clock(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = set_clock(monkeypatch, redis)
    await clock.set(datetime(2026, 3, 10, tzinfo=UTC))
    return clock


@pytest.mark.parametrize(
    ("why", "days", "stays"),
    [(REMOVED, 31, False), (REMOVED, 29, True), ("the token was revoked", 400, True)],
)
async def test_a_workspace_that_removed_the_app_is_forgotten_after_its_retention(
    redis: Redis, clock: Clock, *, why: str, days: int, stays: bool
) -> None:
    subscriptions, outbox = Subscriptions(redis), Outbox(redis)
    for channel in (HERE, ELSEWHERE):
        await subscriptions.add(channel, "diffusion", "now", "U1 Ada")
    await outbox.pause_workspace("slack", "T1", why)
    await clock.set(clock.now + timedelta(days=days))
    await Retention(outbox, DataDeletion(redis), {"slack": REMOVED}, timedelta(days=30)).once()
    assert bool(await subscriptions.of(HERE)) == stays
    assert await subscriptions.of(ELSEWHERE)


async def test_a_workspace_that_reinstalled_the_app_is_not_forgotten(redis: Redis, clock: Clock) -> None:
    outbox = Outbox(redis)
    await Subscriptions(redis).add(HERE, "diffusion", "now", "U1 Ada")
    await outbox.pause_workspace("slack", "T1", REMOVED)
    await clock.set(clock.now + timedelta(days=20))
    await outbox.resume_workspace("slack", "T1")
    await clock.set(clock.now + timedelta(days=20))
    await Retention(outbox, DataDeletion(redis), {"slack": REMOVED}, timedelta(days=30)).once()
    assert await Subscriptions(redis).of(HERE)
