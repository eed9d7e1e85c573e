"""A process that is killed before or after any of its calls loses no paper of a digest and doubles none."""

from datetime import UTC, datetime, timedelta

import pytest
from redis.asyncio import Redis

from bot.domain.models import ChannelRef, ChannelSettings
from bot.pipeline import delivery as delivering
from tests.papers import a_paper
from tests.scenario import Board, Clock, House, Life, MortalRedis, set_clock, until_dead

BEGIN = datetime(2026, 11, 23, 8, 59, tzinfo=UTC)
FLOODED, DAILY = ChannelRef("board", "T", "flooded"), ChannelRef("board", "T", "daily")
BUDGETED = ChannelRef("board", "T", "budgeted")
PAPERS = [f"p{n}" for n in range(7)]
LATER = timedelta(minutes=2)
"""More than a lease."""


async def a_day(house: House, clock: Clock) -> None:
    """A poll with too many papers, then the hour of the digest."""
    await house.poll(*map(a_paper, PAPERS))
    await house.deliver()
    await clock.set(max(clock.now, BEGIN + LATER))
    await house.deliver()


@pytest.mark.parametrize("makes_last", [False, True], ids=["before", "after"])
async def test_a_digest_survives_a_kill_at_every_call(
    valkey: str, redis: Redis, monkeypatch: pytest.MonkeyPatch, *, makes_last: bool
) -> None:
    monkeypatch.setattr(delivering, "MAX_WAIT", 0.0)
    steps = 0
    while True:
        steps += 1
        await redis.flushall()
        clock = set_clock(monkeypatch, redis)
        await clock.set(BEGIN)
        board = Board(clock)
        await House(redis, board).subscribe(FLOODED, "now", ChannelSettings())
        await House(redis, board).subscribe(DAILY, "daily", ChannelSettings(hour=9))
        survived = await killed_at(steps, valkey, board, makes_last=makes_last)
        await clock.set(clock.now + LATER)  # leases are over
        await a_day(House(redis, board), clock)
        await clock.set(
            clock.now + timedelta(days=1)
        )  # a poll that was repeated too late is in the next digest
        await House(redis, board).deliver()
        assert board.counts() == {(where, paper): 1 for where in ("flooded", "daily") for paper in PAPERS}, (
            steps
        )
        assert len(board.posts) == 2, f"one message each, killed at {steps}"
        monkeypatch.undo()
        monkeypatch.setattr(delivering, "MAX_WAIT", 0.0)
        if survived:
            break
    assert steps > 20


@pytest.mark.parametrize("makes_last", [False, True], ids=["before", "after"])
async def test_a_budget_survives_a_kill_at_every_call(
    valkey: str, redis: Redis, monkeypatch: pytest.MonkeyPatch, *, makes_last: bool
) -> None:
    """Two papers are posted, whatever happens, and the five others are in one folded line."""
    monkeypatch.setattr(delivering, "MAX_WAIT", 0.0)
    steps, survived = 0, False
    while not survived:
        steps += 1
        await redis.flushall()
        clock = set_clock(monkeypatch, redis)
        await clock.set(BEGIN)
        board = Board(clock)
        await House(redis, board).subscribe(BUDGETED, "now", ChannelSettings(hour=9, most=2))
        survived = await killed_at(steps, valkey, board, makes_last=makes_last)
        await clock.set(clock.now + LATER)  # leases are over
        await a_day(House(redis, board), clock)
        await clock.set(clock.now + timedelta(days=1))
        await House(redis, board).deliver()
        assert board.counts() == {("budgeted", paper): 1 for paper in PAPERS}, steps
        assert sorted(len(post.papers) for post in board.posts) == [1, 1, 5], steps
        monkeypatch.undo()
        monkeypatch.setattr(delivering, "MAX_WAIT", 0.0)
    assert steps > 20


async def killed_at(step: int, valkey: str, board: Board, *, makes_last: bool) -> bool:
    """A process lives through the day until its `step`th call. Returns whether it reached the end."""
    board.life = Life(step, makes_last=makes_last)
    mortal = MortalRedis.living(valkey, board.life)
    try:
        return await until_dead(a_day(House(mortal, board), board.clock))
    finally:
        board.life = Life()
        await mortal.aclose()
