"""Whatever people change in a channel, whenever papers arrive and whichever process dies: each wanted paper is posted
once, at an hour that the channel allows."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from bot.cards import digest
from bot.commands.replan import replan_waiting
from bot.domain.models import ChannelRef, ChannelSettings, Every, Mute, Paper
from bot.pipeline import delivery as delivering
from bot.policy.schedule import is_open
from bot.ports import Batch
from tests.commands.conftest import services_on
from tests.papers import a_paper
from tests.scenario import Board, House, Life, MortalRedis, set_clock, until_dead

BEGIN = datetime(2026, 11, 20, 16, tzinfo=UTC)
"""A Friday."""
HERE = ChannelRef("board", "T", "here")
LEASE = timedelta(minutes=2)
hours = st.integers(0, 23)
some_settings = st.builds(
    ChannelSettings,
    every=st.sampled_from(("now", "daily", "weekly")),
    hour=hours,
    zone=st.sampled_from(("UTC", "Asia/Kathmandu", "America/New_York")),
    quiet=st.none() | st.tuples(hours, hours).filter(lambda pair: pair[0] != pair[1]),
    weekends=st.booleans(),
    digest_size=st.integers(1, 4),
    most=st.sampled_from((0, 0, 1, 3)),
)
steps = st.one_of(
    st.tuples(st.just("poll"), st.integers(1, 6)),
    st.tuples(st.just("pass_"), st.integers(1, 40)),
    st.tuples(st.just("change"), some_settings),
    st.tuples(st.just("every"), st.sampled_from(("now", "daily", "weekly", "channel"))),
    st.tuples(st.just("mute"), st.sampled_from(("odd", "even"))),
    st.tuples(st.just("unmute"), st.sampled_from(("odd", "even"))),
    st.tuples(st.just("refuse"), st.integers(1, 4)),
    st.tuples(st.just("kill"), st.integers(1, 25)),
)


class Day:
    """A channel that wants every paper, and the clock."""

    def __init__(self, redis: Redis, url: str, board: Board) -> None:
        self.redis = redis
        self.url = url
        self.board = board
        self.clock = board.clock
        self.house = House(redis, board)
        self.services = services_on(redis)
        self.settings = ChannelSettings()
        self.muted: set[str] = set()
        self.polled: list[str] = []
        self.may_miss: set[str] = set()
        """Papers that were muted when they arrived, or while they waited."""
        self.checked = 0

    async def live(self, steps: list[tuple[str, Any]]) -> None:
        """Take all the steps, and then let three weeks pass."""
        await self.clock.set(BEGIN)
        await self.house.subscribe(HERE, "channel", self.settings)
        for step, what in steps:
            await getattr(self, step)(what)
            await self.deliver()
        self.muted.clear()
        await self.pass_(24 * 21)

    async def poll(self, count: int) -> None:
        await self.house.poll(*self.fresh(count), cursor=str(len(self.polled)))

    async def pass_(self, hours: int) -> None:
        end = self.clock.now + timedelta(hours=hours)
        while (due := await self.clock.next_due()) and due <= end:
            await self.clock.set(max(due, self.clock.now))
            await self.deliver()
        await self.clock.set(end)

    async def change(self, settings: ChannelSettings) -> None:
        self.settings = settings
        await self.services.settings.put(HERE, settings)
        await replan_waiting(HERE, self.services)

    async def every(self, every: Every) -> None:
        await self.services.subscriptions.change(HERE, 1, every=every)
        await replan_waiting(HERE, self.services)

    async def mute(self, text: str) -> None:
        self.muted.add(text)
        self.may_miss |= {p for p in self.polled if title(p).endswith(text)}
        await self.services.rules.mute(HERE, Mute(text=text))
        await replan_waiting(HERE, self.services)

    async def unmute(self, text: str) -> None:
        self.muted.discard(text)
        await self.services.rules.unmute(HERE, text)

    async def refuse(self, times: int) -> None:
        """Let the platform refuse the next posts; they are retried as time passes."""
        self.board.refuses = times

    async def kill(self, calls: int) -> None:
        """Kill a process while it matches and posts; after its lease another one takes over."""
        await self.house.papers.ingest("test", Batch(tuple(self.fresh(3)), str(len(self.polled))), 0)
        self.board.life = Life(calls, makes_last=bool(calls % 2))
        mortal = MortalRedis.living(self.url, self.board.life)
        other = House(mortal, self.board)
        await until_dead(other.fanout.match_all())
        await until_dead(other.deliver())
        self.board.life = Life()
        await mortal.aclose()
        await self.clock.set(self.clock.now + LEASE)
        await self.house.fanout.match_all()

    async def deliver(self) -> None:
        await self.house.deliver()
        for post in self.board.posts[self.checked :]:
            assert post.at != self.clock.now or is_open(self.settings, post.at), post
        self.checked = len(self.board.posts)

    def fresh(self, count: int) -> list[Paper]:
        ids = [f"p{len(self.polled) + n}" for n in range(count)]
        self.polled += ids
        self.may_miss |= {paper for paper in ids for text in self.muted if title(paper).endswith(text)}
        return [a_paper(paper, title=title(paper)) for paper in ids]


def title(paper: str) -> str:
    return f"A paper, {'odd' if int(paper[1:]) % 2 else 'even'}"


@settings(max_examples=30, deadline=None)
@given(st.lists(steps, min_size=3, max_size=12))
def test_each_wanted_paper_is_posted_once_at_an_allowed_hour(
    valkey: str, changes: list[tuple[str, Any]]
) -> None:
    async def run() -> None:
        redis = Redis.from_url(valkey, decode_responses=True)
        await redis.flushall()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(delivering, "MAX_WAIT", 0.0)
            patch.setattr(digest, "LINES", 1000)
            day = Day(redis, valkey, Board(set_clock(patch, redis)))
            try:
                await day.live(changes)
            finally:
                await redis.aclose()
        posted = Counter(ids for post in day.board.posts for ids in post.papers)
        assert max(posted.values(), default=1) == 1
        assert set(day.polled) - day.may_miss <= set(posted) <= set(day.polled)

    asyncio.run(run())
