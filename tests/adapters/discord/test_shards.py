"""Processes share the shards of the gateway by leases, and identify within Discord's limits."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import discord
import pytest
from redis.asyncio import Redis

from adapters.discord.shards import Gateway, IdentifyQueue, Shards


@dataclass
class Listeners:
    """Listens on shards, and records them."""

    on: set[int] = field(default_factory=set)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    fails: list[Exception] = field(default_factory=list)

    async def run(self, shards: Sequence[int], _count: int) -> None:
        assert not self.on & set(shards)
        self.on |= set(shards)
        self.changed.set()
        try:
            if self.fails:
                raise self.fails.pop()
            await asyncio.Event().wait()
        finally:
            self.on -= set(shards)
            self.changed.set()

    async def until(self, shards: set[int]) -> None:
        while self.on != shards:
            self.changed.clear()
            await self.changed.wait()


async def three_shards() -> int:
    return 3


async def test_each_shard_is_held_by_one_process_and_taken_over_when_it_ends(redis: Redis) -> None:
    first, second = Listeners(), Listeners()
    holding = asyncio.create_task(Shards(redis, every=0.05, at_most=2).listen(three_shards, first.run))
    await first.until({0, 1})
    waiting = asyncio.create_task(Shards(redis, every=0.05).listen(three_shards, second.run))
    await second.until({2})
    holding.cancel()
    await second.until({0, 1, 2})
    assert not first.on
    waiting.cancel()
    await asyncio.wait({holding, waiting})


async def test_a_process_stops_listening_on_shards_whose_lease_it_lost(redis: Redis) -> None:
    ours = Listeners()
    holding = asyncio.create_task(Shards(redis, every=0.05).listen(three_shards, ours.run))
    await ours.until({0, 1, 2})
    await redis.set("pb:{discord}:shard:3:1", "another process", ex=60)
    await ours.until(set())
    await ours.until({0, 2})
    holding.cancel()
    await asyncio.wait({holding})


async def test_failed_shards_are_restarted(redis: Redis) -> None:
    ours = Listeners(fails=[RuntimeError("an event that can't be read")])
    holding = asyncio.create_task(Shards(redis, every=0.05).listen(three_shards, ours.run))
    await ours.until({0, 1, 2})
    holding.cancel()
    await asyncio.wait({holding})
    assert await redis.keys("pb:{discord}:shard:*") == []


async def test_a_wrong_number_of_shards_is_fetched_again(redis: Redis) -> None:
    await redis.set("pb:{discord}:shards", 1)
    ours = Listeners(fails=[close_error(4011)])
    holding = asyncio.create_task(Shards(redis, every=0.05).listen(three_shards, ours.run))
    await ours.until({0, 1, 2})
    holding.cancel()
    await asyncio.wait({holding})


async def test_a_fatal_close_code_stops_the_role(redis: Redis) -> None:
    with pytest.raises(discord.ConnectionClosed):
        await Shards(redis, every=0.05).listen(three_shards, Listeners(fails=[close_error(4014)]).run)


def close_error(code: int) -> discord.ConnectionClosed:
    return discord.ConnectionClosed(cast("Any", None), shard_id=0, code=code)


async def test_identifies_of_one_shard_are_limited(redis: Redis) -> None:
    identifies = IdentifyQueue(redis)
    for _ in range(5):
        await identifies.turn(0, 100)
    sixth, other = (asyncio.create_task(identifies.turn(shard, 100)) for shard in (0, 1))
    await other
    assert not sixth.done()
    sixth.cancel()


async def test_the_last_identifies_of_a_day_are_reserved() -> None:
    await Gateway(shards=1, at_once=1, remaining=1000, reset_after=3600).allows(16)
    waiting = asyncio.create_task(Gateway(shards=1, at_once=1, remaining=55, reset_after=3600).allows(16))
    await asyncio.sleep(0)
    assert not waiting.done()
    waiting.cancel()
