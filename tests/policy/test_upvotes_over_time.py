"""A paper's upvotes are recorded when it is listed, and at a few fixed times afterwards."""

from datetime import UTC, datetime, timedelta

import pytest
from redis.asyncio import Redis

from bot.policy.signals import UPVOTE_MARKS, with_upvotes
from bot.ports import Batch
from bot.store.papers import Papers
from tests.papers import a_paper
from tests.scenario import set_clock

BEGIN = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)


async def test_upvotes_are_recorded_at_four_times_only(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, papers = set_clock(monkeypatch, redis), Papers(redis)
    for n, hours in enumerate((0, 1, 5, 7, 12, 25, 100, 170, 300)):
        await clock.set(BEGIN + timedelta(hours=hours))
        batch = Batch((a_paper(upvotes=10 * n),), str(n))
        await papers.ingest("test", batch, 0)
        await papers.ingest("test", batch, 0)
    [stored] = (await papers.get(["2603.00001"])).values()
    assert stored.upvotes_over_time == (
        "2026-11-23T07:30Z 0",
        "2026-11-23T14:30Z 30",
        "2026-11-24T08:30Z 50",
        "2026-11-30T09:30Z 70",
    )


def test_recording_does_not_begin_with_a_paper_that_was_known_before() -> None:
    assert with_upvotes(a_paper(upvotes=5), BEGIN, is_new=False).upvotes_over_time == ()
    assert with_upvotes(a_paper(), BEGIN, is_new=True).upvotes_over_time == ()


def test_unreadable_upvotes_are_not_changed() -> None:
    odd = a_paper(upvotes=5, upvotes_over_time=("once upon a time 3",))
    assert with_upvotes(odd, BEGIN + UPVOTE_MARKS[-1], is_new=False) == odd
    assert with_upvotes(odd, BEGIN, is_new=False).upvotes_over_time == odd.upvotes_over_time
