"""A budget holds in a channel that gets some papers at once and others in a digest: despite outages and kills, no more
papers are named in any 24 hours than it allows, and each paper is posted or counted in a folded line, once."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from bot.cards import PaperBlock, digest
from bot.domain.models import ChannelSettings
from bot.pipeline import delivery as delivering
from tests.papers import a_paper
from tests.scenario import Board, House, Life, MortalRedis, Post, set_clock, until_dead
from tests.test_any_day import HERE, LEASE, Day

DAY, EARLY = timedelta(days=1), timedelta(hours=2)
"""A digest can be this much less than a day after the previous one, which may have been late; clocks change, too."""
BEGIN = datetime(2026, 11, 23, 8, tzinfo=UTC)
steps = st.one_of(
    st.tuples(st.just("poll"), st.integers(1, 6)),
    st.tuples(st.just("pass_"), st.integers(1, 40)),
    st.tuples(st.just("outage"), st.integers(1, 60)),
    st.tuples(st.just("refuse"), st.integers(1, 4)),
    st.tuples(st.just("kill"), st.integers(1, 25)),
)


class MixedDay(Day):
    """A channel that gets odd papers at once and even ones once a day, and the clock."""

    async def begin(self, most: int, digest_size: int) -> None:
        await self.clock.set(BEGIN)
        self.settings = ChannelSettings(hour=9, most=most, digest_size=digest_size)
        await self.house.settings.put(HERE, self.settings)
        await self.house.subscriptions.add(HERE, "odd", "now", "U")
        await self.house.subscriptions.add(HERE, "even", "daily", "U")

    async def outage(self, hours: int) -> None:
        """Let the platform refuse everything, while papers are announced every six hours."""
        self.board.refuses = 1_000_000
        for _ in range(0, hours, 6):
            await self.poll(2)
            await self.pass_(6)
        self.board.refuses = 0
        await self.retry()

    async def retry(self) -> None:
        """Retry the dead letters, as an operator would."""
        async for stuck in self.house.outbox.dead_letters():
            await self.house.outbox.retry(stuck.key)


def named(post: Post) -> int:
    """Return the number of papers that a post shows rather than counts."""
    return sum(isinstance(block, PaperBlock) for block in post.card.blocks)


def most_named(posts: list[Post]) -> int:
    """Return the maximum number of papers shown in any 24 hours."""
    most = 0
    for last in filter(named, posts):
        before = [post for post in posts if last.at - DAY < post.at <= last.at]
        if "/digest@" in last.key:
            before = [p for p in before if "/digest@" not in p.key or p.at > last.at - DAY + EARLY]
        most = max(most, sum(map(named, before)))
    return most


@settings(max_examples=8, deadline=None)
@given(st.lists(steps, min_size=3, max_size=12), st.integers(1, 3), st.integers(1, 4))
@example([("poll", 6), ("pass_", 30), ("poll", 6), ("pass_", 30)], 2, 4)
@example([("outage", 60), ("pass_", 12), ("poll", 4)], 1, 4)
def test_a_budget_holds_in_any_24_hours(
    valkey: str, events: list[tuple[str, Any]], most: int, digest_size: int
) -> None:
    async def run() -> None:
        redis = Redis.from_url(valkey, decode_responses=True)
        await redis.flushall()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(delivering, "MAX_WAIT", 0.0)
            patch.setattr(digest, "LINES", 1000)
            day = MixedDay(redis, valkey, Board(set_clock(patch, redis)))
            try:
                await day.begin(most, digest_size)
                for step, what in events:
                    await getattr(day, step)(what)
                    await day.deliver()
                await day.pass_(24 * 3)
                await day.retry()
                await day.pass_(24 * 7)
            finally:
                await redis.aclose()
        posted = Counter(ids for post in day.board.posts for ids in post.papers)
        assert posted == dict.fromkeys(day.polled, 1)
        assert most_named(day.board.posts) <= most, [
            (f"{p.at:%d %H:%M}", p.key, named(p)) for p in day.board.posts
        ]

    asyncio.run(run())


@pytest.mark.parametrize("makes_last", [False, True], ids=["before", "after"])
async def test_a_backlog_after_an_outage_is_folded_despite_a_kill_at_every_call(
    valkey: str, redis: Redis, monkeypatch: pytest.MonkeyPatch, *, makes_last: bool
) -> None:
    """The papers of two days are due at once: those of the second day are posted, and the others are counted."""
    monkeypatch.setattr(delivering, "MAX_WAIT", 0.0)
    steps, survived = 0, False
    while not survived:
        steps += 1
        await redis.flushall()
        with pytest.MonkeyPatch.context() as patch:
            clock = set_clock(patch, redis)
            await clock.set(BEGIN)
            board = Board(clock)
            house = House(redis, board)
            await house.subscribe(HERE, "now", ChannelSettings(hour=9, most=2))
            await house.poll(a_paper("p0"), a_paper("p1"), cursor="1")
            await clock.set(BEGIN + timedelta(hours=30))
            await house.poll(a_paper("p2"), a_paper("p3"), cursor="2")
            board.life = Life(steps, makes_last=makes_last)
            mortal = MortalRedis.living(valkey, board.life)
            await until_dead(House(mortal, board).deliver())
            survived = not board.life.dead
            board.life = Life()
            await mortal.aclose()
            for hours in (0, 0, 0, 30):
                await clock.set(clock.now + LEASE + timedelta(hours=hours))
                await house.deliver()
        assert board.counts() == {(HERE.channel, f"p{n}"): 1 for n in range(4)}, steps
        assert sorted(post.papers for post in board.posts if named(post)) == [("p2",), ("p3",)], steps
        assert most_named(board.posts) <= 2
    assert steps > 10
