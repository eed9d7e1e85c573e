"""A process killed before or after any of its calls loses and doubles no paper of a digest and no event."""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from redis.asyncio import Redis

from bot.cards import Bullets
from bot.domain.life import EVENT_KINDS, Watch
from bot.domain.models import ChannelRef, ChannelSettings
from bot.pipeline import delivery as delivering
from bot.ports import Batch
from tests.papers import a_paper
from tests.scenario import Board, Clock, House, Life, MortalRedis, ThreadedBoard, set_clock, until_dead

BEGIN = datetime(2026, 11, 23, 8, 59, tzinfo=UTC)
FLOODED, DAILY = ChannelRef("board", "T", "flooded"), ChannelRef("board", "T", "daily")
BUDGETED = ChannelRef("board", "T", "budgeted")
PAPERS = [f"p{n}" for n in range(7)]
LATER = timedelta(minutes=2)
"""More than a lease."""


async def a_day(house: House, clock: Clock) -> None:
    """Poll more papers than a digest may name, and go on to the hour of the digest."""
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
        survived = await killed_in(a_day, steps, valkey, board, makes_last=makes_last)
        await clock.set(clock.now + LATER)  # leases have expired
        await a_day(House(redis, board), clock)
        # If a poll was repeated too late, its papers are in the next digest.
        await clock.set(clock.now + timedelta(days=1))
        await House(redis, board).deliver()
        assert board.counts() == {(where, paper): 1 for where in ("flooded", "daily") for paper in PAPERS}, (
            steps
        )
        assert len(board.posts) == 2, f"one message per digest, killed at {steps}"
        monkeypatch.undo()
        monkeypatch.setattr(delivering, "MAX_WAIT", 0.0)
        if survived:
            break
    assert steps > 20


@pytest.mark.parametrize("makes_last", [False, True], ids=["before", "after"])
async def test_a_budget_survives_a_kill_at_every_call(
    valkey: str, redis: Redis, monkeypatch: pytest.MonkeyPatch, *, makes_last: bool
) -> None:
    """Two papers are posted whatever happens, and the other five are in one folded line."""
    monkeypatch.setattr(delivering, "MAX_WAIT", 0.0)
    steps, survived = 0, False
    while not survived:
        steps += 1
        await redis.flushall()
        clock = set_clock(monkeypatch, redis)
        await clock.set(BEGIN)
        board = Board(clock)
        await House(redis, board).subscribe(BUDGETED, "now", ChannelSettings(hour=9, most=2))
        survived = await killed_in(a_day, steps, valkey, board, makes_last=makes_last)
        await clock.set(clock.now + LATER)  # leases have expired
        await a_day(House(redis, board), clock)
        await clock.set(clock.now + timedelta(days=1))
        await House(redis, board).deliver()
        assert board.counts() == {("budgeted", paper): 1 for paper in PAPERS}, steps
        assert sorted(len(post.papers) for post in board.posts) == [1, 1, 5], steps
        monkeypatch.undo()
        monkeypatch.setattr(delivering, "MAX_WAIT", 0.0)
    assert steps > 20


async def killed_in(
    work: Callable[[House, Clock], Awaitable[None]], step: int, valkey: str, board: Board, *, makes_last: bool
) -> bool:
    """Let a process work until its `step`th call. Returns whether it reached the end."""
    board.life = Life(step, makes_last=makes_last)
    mortal = MortalRedis.living(valkey, board.life)
    try:
        return await until_dead(work(House(mortal, board), board.clock))
    finally:
        board.life = Life()
        await mortal.aclose()


V1 = a_paper("p0", versions=1, comment="9 pages", sources=("arxiv",))
CHANGES = (
    replace(V1, sources=(), versions=2, comment="Accepted at ICML 2026", code_url="https://github.com/a/b"),
    replace(V1, sources=(), versions=3, withdrawn=True, comment="Lemma 3 is wrong"),
)
NEWS = ("Accepted at ICML 2026", "v2 is out", "Code is available", "Withdrawn")
WATCHER = ChannelRef("board", "T", "@ada")


async def two_changes(house: House, clock: Clock) -> None:
    """Let a paper be accepted, and withdrawn three days later."""
    for n, change in enumerate(CHANGES):
        await house.papers.ingest("arxiv", Batch((), f"c{n}", updates=(change,)), 0)
        await house.fanout.match_all()
        await house.deliver()
        await clock.set(max(clock.now, BEGIN + timedelta(days=3 * (n + 1))))
        await house.deliver()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("board_of", [Board, ThreadedBoard])
@pytest.mark.parametrize("makes_last", [False, True], ids=["before", "after"])
async def test_events_survive_a_kill_at_every_call(
    valkey: str,
    redis: Redis,
    monkeypatch: pytest.MonkeyPatch,
    board_of: Callable[[Clock], Board],
    *,
    makes_last: bool,
) -> None:
    steps, survived = 0, False
    while not survived:
        steps += 1
        await redis.flushall()
        monkeypatch.setattr(delivering, "MAX_WAIT", 0.0)
        clock = set_clock(monkeypatch, redis)
        await clock.set(BEGIN)
        board = board_of(clock)
        house = House(redis, board)
        await house.subscribe(FLOODED, "now", ChannelSettings())
        await house.poll(V1)
        await house.deliver()
        for channel in (WATCHER, FLOODED):
            await house.watches.put(channel, V1.id, Watch(frozenset(EVENT_KINDS), "U", BEGIN))
        survived = await killed_in(two_changes, steps, valkey, board, makes_last=makes_last)
        await clock.set(clock.now + LATER)  # leases have expired
        await two_changes(House(redis, board), clock)
        await clock.set(clock.now + timedelta(days=1))
        await House(redis, board).deliver()
        assert posted_events(board) == {
            (channel, event): 1 for channel in ("@ada", "flooded") for event in NEWS
        }, steps
        if isinstance(board, ThreadedBoard):
            assert set(board.threads.values()) == {"m1"}, "the channel's events are in the thread of its card"
        monkeypatch.undo()
    assert steps > 30


def posted_events(board: Board) -> Counter[tuple[str, str]]:
    """Return channel and event -> how often it was posted there."""
    return Counter(
        (post.channel.channel, next(event for event in NEWS if item[0].text.startswith(event)))
        for post in board.posts
        for block in post.card.blocks
        if isinstance(block, Bullets)
        for item in block.items
    )
