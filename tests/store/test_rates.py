"""A rate is kept by all who share it."""

import asyncio

import pytest
from redis.asyncio import Redis

from bot.ports import Rate
from bot.store import rates
from bot.store.rates import MARGIN, Rates, TurnedAway

FIVE = Rate(count=5, per=1.0)


async def test_no_more_than_the_rate_in_any_window(redis: Redis) -> None:
    replicas = [Rates(redis), Rates(redis)]
    waits = [await replicas[n % 2].turn(FIVE, f"post{n}", "fake") for n in range(17)]
    leaves = sorted(waits)
    assert leaves[:5] == [0.0] * 5
    for first, sixth in zip(leaves, leaves[5:], strict=False):
        assert sixth - first >= FIVE.per * MARGIN - 0.2  # the calls themselves take a moment
    assert await Rates(redis).turn(FIVE, "post", "fake", "another workspace") == 0


async def test_the_same_post_keeps_its_turn(redis: Redis) -> None:
    shared = Rates(redis)
    for n in range(5):
        await shared.turn(FIVE, f"post{n}", "fake")
    wait = await shared.turn(FIVE, "mine", "fake")
    assert wait > 0
    assert await shared.turn(FIVE, "mine", "fake") <= wait
    assert await shared.turn(FIVE, "next", "fake") < wait + 0.1


async def test_a_long_queue_turns_posts_away(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "MAX_WAIT", 0.5)
    shared = Rates(redis)
    for n in range(5):
        await shared.turn(FIVE, f"post{n}", "fake")
    with pytest.raises(TurnedAway) as away:
        await shared.turn(FIVE, "one too many", "fake")
    assert 0.5 < away.value.after <= FIVE.per * MARGIN


async def test_nothing_leaves_while_the_platform_says_stop(redis: Redis) -> None:
    shared = Rates(redis)
    await shared.stop(0.3, "fake")
    await shared.stop(0.1, "fake")  # a shorter one does not shorten it
    wait = await shared.turn(FIVE, "post", "fake")
    assert 0.2 < wait <= 0.3
    await asyncio.sleep(wait)
    assert await shared.turn(FIVE, "another", "fake") == 0
