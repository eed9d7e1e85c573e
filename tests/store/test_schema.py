"""What an older version kept is brought up to date once, and what a newer one kept is left alone."""

import asyncio

import pytest
from redis.asyncio import Redis

from bot.domain.errors import ConfigurationError
from bot.store import keys
from bot.store.schema import bring_up_to_date


class Died(Exception):
    """A process ended in the middle of a migration."""


async def rename(redis: Redis) -> None:
    if await redis.exists("old"):
        await redis.rename("old", "new")


async def count(redis: Redis) -> None:
    await redis.incr("runs")


async def die(_redis: Redis) -> None:
    raise Died


async def test_an_empty_server_needs_no_migration(redis: Redis) -> None:
    await bring_up_to_date(redis, (rename, die))
    assert await redis.get(keys.SCHEMA) == "3"


async def test_each_step_from_an_older_layout_is_made_in_order(redis: Redis) -> None:
    await bring_up_to_date(redis, ())
    await redis.set("old", "kept")
    await bring_up_to_date(redis, (rename, count))
    assert (await redis.get("new"), await redis.get("runs")) == ("kept", "1")
    assert await redis.get(keys.SCHEMA) == "3"


async def test_of_many_processes_one_migrates(redis: Redis) -> None:
    await bring_up_to_date(redis, ())
    await asyncio.gather(*(bring_up_to_date(redis, (count,)) for _ in range(5)))
    assert await redis.get("runs") == "1"


async def test_a_migration_that_died_is_made_again_by_the_next_start(redis: Redis) -> None:
    await bring_up_to_date(redis, ())
    with pytest.raises(Died):
        await bring_up_to_date(redis, (rename, die))
    assert await redis.get(keys.SCHEMA) == "2"
    await bring_up_to_date(redis, (rename, count))
    assert (await redis.get("runs"), await redis.get(keys.SCHEMA)) == ("1", "3")


async def test_an_older_program_does_not_touch_a_newer_layout(redis: Redis) -> None:
    await bring_up_to_date(redis, (count, count))
    with pytest.raises(ConfigurationError, match=r"schema 3, this one knows 2"):
        await bring_up_to_date(redis, (count,))
