"""The recent papers in memory are always the same as in Redis."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from bot.domain.models import Paper
from bot.ports import Batch
from bot.query import parse
from bot.search.recent_papers import DAYS_BACK, RecentPapers
from bot.store.notifications import Notifications
from bot.store.papers import Papers
from bot.supervisor import cancel
from tests.papers import a_paper

NOW = datetime(2026, 3, 20, tzinfo=UTC)
QUERY = parse("diffusion min:5, robot")


async def seen(papers: Papers, *history: Paper) -> None:
    await papers.ingest("test", Batch((), "cursor", history=history), 0)


async def test_a_new_paper_matches_at_once(redis: Redis) -> None:
    papers = Papers(redis)
    recent = RecentPapers(papers, lambda: NOW)
    assert await recent.matching(QUERY) == []
    paper = a_paper(title="Diffusion", upvotes=1, published=NOW - timedelta(days=1))
    await seen(papers, paper)
    assert await recent.matching(QUERY) == []
    assert len(recent) == 1
    await seen(papers, replace(paper, upvotes=9))
    assert await recent.matching(QUERY) == [paper.id]


async def test_old_papers_are_not_read_and_aging_ones_are_dropped(redis: Redis) -> None:
    papers, now = Papers(redis), NOW
    recent = RecentPapers(papers, lambda: now)
    old, young = (a_paper(f"2603.{n}", title="Robot", published=NOW - DAYS_BACK * n / 2) for n in (3, 1))
    await seen(papers, old, young)
    await papers.remember([a_paper("2603.9", title="Robot")])  # stored for search only
    assert await recent.matching(QUERY) == [young.id]
    now += DAYS_BACK
    assert await recent.matching(QUERY) == []
    assert len(recent) == 0


class SlowPapers(Papers):
    """Delays reading records until `go_on` is set."""

    def __init__(self, redis: Redis) -> None:
        super().__init__(redis)
        self.reading, self.go_on = asyncio.Event(), asyncio.Event()

    async def get(self, ids: Iterable[str]) -> dict[str, Paper]:
        self.reading.set()
        await self.go_on.wait()
        return await super().get(ids)


async def test_an_answer_during_the_start_does_not_wait_for_all_papers(redis: Redis) -> None:
    papers, notifications = SlowPapers(redis), Notifications(redis)
    await seen(papers, *(a_paper(f"2603.{n}", title="Robot", published=NOW) for n in range(120)))
    recent = RecentPapers(papers, lambda: NOW)
    following = asyncio.create_task(recent.run(notifications))
    await papers.reading.wait()
    assert (await recent.matching(QUERY), recent.unread) == ([], 120)
    papers.go_on.set()
    await recent.up_to_date()
    assert (len(await recent.matching(QUERY)), recent.unread) == (120, 0)
    await cancel([following])


words = st.lists(st.sampled_from(["diffusion", "robot", "a"]), max_size=3).map(" ".join)
writes = st.lists(st.tuples(st.integers(1, 6), words, st.integers(0, 9), st.integers(0, 20)), max_size=12)


@given(writes, writes)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_papers_in_memory_and_in_the_store_agree(
    redis: Redis, first: list[tuple[int, str, int, int]], then: list[tuple[int, str, int, int]]
) -> None:
    await redis.flushall()
    papers = Papers(redis)
    recent = RecentPapers(papers, lambda: NOW)
    for batch in (first, then):
        for number, title, votes, age in batch:
            await seen(
                papers,
                a_paper(f"2603.{number}", title=title, upvotes=votes, published=NOW - timedelta(days=age)),
            )
        expected = [paper.id for paper in await papers.since(NOW - DAYS_BACK) if QUERY.matches(paper)]
        assert sorted(await recent.matching(QUERY)) == sorted(expected)
