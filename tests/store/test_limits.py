"""All processes together respect a rate, and an upstream gets one request at a time with a pause after each."""

import asyncio
from itertools import pairwise

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from bot.domain.errors import SourceError
from bot.ports import Rate
from bot.store import keys, limits
from bot.store.limits import HOLD, MARGIN, Gate, RateLimiter, TurnedAway

FIVE = Rate(count=5, per=1.0)


async def test_no_more_than_the_rate_in_any_window(redis: Redis) -> None:
    replicas = [RateLimiter(redis), RateLimiter(redis)]
    waits = [await replicas[n % 2].turn(FIVE, f"post{n}", "fake") for n in range(17)]
    leaves = sorted(waits)
    assert leaves[:5] == [0.0] * 5
    for first, sixth in zip(leaves, leaves[5:], strict=False):
        assert sixth - first >= FIVE.per * MARGIN - 0.2  # the calls themselves take time
    assert await RateLimiter(redis).turn(FIVE, "post", "fake", "another workspace") == 0


async def test_the_same_post_keeps_its_turn(redis: Redis) -> None:
    shared = RateLimiter(redis)
    for n in range(5):
        await shared.turn(FIVE, f"post{n}", "fake")
    wait = await shared.turn(FIVE, "mine", "fake")
    assert wait > 0
    assert await shared.turn(FIVE, "mine", "fake") <= wait
    assert await shared.turn(FIVE, "next", "fake") < wait + 0.1


async def test_a_long_queue_turns_posts_away(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_WAIT", 0.5)
    shared = RateLimiter(redis)
    for n in range(5):
        await shared.turn(FIVE, f"post{n}", "fake")
    with pytest.raises(TurnedAway) as caught:
        await shared.turn(FIVE, "one too many", "fake")
    assert 0.5 < caught.value.after <= FIVE.per * MARGIN


async def test_nothing_is_sent_during_a_platforms_pause(redis: Redis) -> None:
    shared = RateLimiter(redis)
    await shared.stop(0.3, "fake")
    await shared.stop(0.1, "fake")  # a shorter pause doesn't shorten it
    wait = await shared.turn(FIVE, "post", "fake")
    assert 0.2 < wait <= 0.3
    await asyncio.sleep(wait)
    assert await shared.turn(FIVE, "another", "fake") == 0


PAUSE = 0.05


async def test_turns_of_three_replicas_never_overlap_and_keep_their_distance(redis: Redis) -> None:
    loop = asyncio.get_running_loop()
    turns: list[tuple[float, float]] = []

    async def replica() -> None:
        gate = Gate(redis, "somebody", pause=PAUSE)
        for _ in range(4):
            async with gate.turn():
                began = loop.time()
                await asyncio.sleep(0.002)
                turns.append((began, loop.time()))

    await asyncio.gather(*(replica() for _ in range(3)))
    turns.sort()
    assert len(turns) == 12
    gaps = [later[0] - earlier[1] for earlier, later in pairwise(turns)]
    assert min(gaps) >= PAUSE - 0.002  # the server uses whole milliseconds


async def test_one_process_is_served_in_order(redis: Redis) -> None:
    gate, order = Gate(redis, "somebody", pause=0.001), []

    async def pass_through(name: int) -> None:
        async with gate.turn():
            order.append(name)

    await asyncio.gather(*(pass_through(name) for name in range(5)))
    assert order == [0, 1, 2, 3, 4]


async def test_a_turn_also_ends_when_the_request_fails(redis: Redis) -> None:
    gate = Gate(redis, "somebody", pause=0.001)
    with pytest.raises(ZeroDivisionError):
        async with gate.turn():
            raise ZeroDivisionError
    async with asyncio.timeout(5), gate.turn():
        pass


async def test_a_dead_holder_blocks_the_gate_only_for_its_turn(redis: Redis) -> None:
    await Gate(redis, "somebody", hold=0.05)._ask("a process that was killed")
    async with asyncio.timeout(5), Gate(redis, "somebody", pause=0.01).turn():
        pass


async def test_a_late_holder_does_not_end_the_turn_of_another(redis: Redis) -> None:
    gate = Gate(redis, "somebody", pause=0.001)
    await gate._ask("the holder")
    await gate._leave("somebody else")
    assert await gate._ask("a third") > 0


async def test_scripts_can_run_twice(redis: Redis) -> None:
    gate, key = Gate(redis, "somebody", pause=10.0), keys.gate("somebody")
    for _ in range(2):
        assert await gate._ask("token") == 0
        assert await redis.hget(key, "holder") == "token"
    for _ in range(2):
        await gate._leave("token")
        assert await redis.hget(key, "holder") == ""
    assert 9 < await gate._ask("another") <= 10


async def test_without_redis_nothing_is_sent() -> None:
    unreachable = Redis(host="127.0.0.1", port=9, retry=Retry(NoBackoff(), 0))
    with pytest.raises(SourceError, match="whose turn"):
        async with Gate(unreachable, "somebody").turn():
            pytest.fail("a turn without Redis")
    await unreachable.aclose()


async def test_the_key_expires(redis: Redis) -> None:
    gate = Gate(redis, "somebody")
    async with gate.turn():
        assert 0 < await redis.pttl(keys.gate("somebody")) <= HOLD * 1000
    assert 0 < await redis.pttl(keys.gate("somebody")) <= 3_000
