"""The errors of all processes in the last hour are counted together, and bounded."""

import pytest
from redis.asyncio import Redis

from bot.observability.error_tally import MOST, ErrorKind, ErrorTally
from bot.store import recent_errors as recent
from bot.store.recent_errors import RecentErrors, recent_errors

SLACK = ErrorKind("slack", "post_failed RetryLater")
FEED = ErrorKind("arxiv:cs.CL", "poll_failed")


async def test_errors_of_all_processes_add_up(redis: Redis) -> None:
    first, second = RecentErrors(redis), RecentErrors(redis)
    await first.add({SLACK: 2})
    await second.add({SLACK: 3, FEED: 1})
    await first.add({SLACK: 1})
    assert (await recent_errors(redis)).most_common() == [(SLACK, 6), (FEED, 1)]


async def test_errors_are_forgotten_after_an_hour(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    at = 1_000_000 * recent.SPAN

    async def time() -> tuple[int, int]:
        return at, 0

    monkeypatch.setattr(redis, "time", time)
    process = RecentErrors(redis)
    await process.add({SLACK: 1})
    at += 55 * 60
    await process.add({FEED: 1})
    assert await recent_errors(redis) == {SLACK: 1, FEED: 1}
    at += 10 * 60
    assert await recent_errors(redis) == {FEED: 1}
    assert all([0 < await redis.ttl(key) <= recent.KEPT async for key in redis.scan_iter("*")])


async def test_a_process_stores_a_limited_number_of_kinds(redis: Redis) -> None:
    process = RecentErrors(redis)
    for n in range(300):
        await process.add({ErrorKind(f"feed{n}", "poll_failed"): 1})
    found = await recent_errors(redis)
    assert (len(found), sum(found.values())) == (MOST + 1, 300)


async def test_no_error_is_lost_while_redis_is_down(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    tally, process = ErrorTally(), RecentErrors(redis)
    tally.count(*SLACK, 4)

    async def fail() -> tuple[int, int]:
        raise OSError("away")

    with monkeypatch.context() as away:
        away.setattr(redis, "time", fail)
        await process.share_now(tally)
    tally.count(*SLACK)
    await process.share_now(tally)
    await process.share_now(tally)
    assert await recent_errors(redis) == {SLACK: 5}
