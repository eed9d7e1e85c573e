"""The latest posts of a channel, which the server selects from thousands of records."""

import json
import random
from itertools import pairwise
from typing import Any

import pytest
from redis.asyncio import Redis

from bot.store import keys
from bot.store.outbox.outbox import Outbox
from bot.store.unreadable import unreadable_count
from tests.papers import a_channel

HERE = a_channel()
QUERIES = ("gecko", '"language model" [2,"x"]', "[3, 1]", "Größe\n")


async def stored(redis: Redis, rng: random.Random, count: int) -> dict[str, tuple[int, set[int]]]:
    """Store posts of four months. Returns entry -> its time, and the numbers of its subscriptions."""
    now = int((await Outbox(redis).now()).timestamp())
    posts: dict[str, tuple[int, set[int]]] = {}
    for n in range(count):
        period = now // keys.PERIOD - rng.randrange(keys.PERIODS)
        at = (period * keys.PERIOD + rng.randrange(5)) * 1000
        numbers = rng.sample(range(1, 13), rng.randrange(3))
        entry = f"p{n}" if rng.random() < 0.8 else f"life:v2:p{n}"
        reasons = [[number, rng.choice(QUERIES)] for number in numbers]
        encoded = json.dumps(reasons, separators=rng.choice(((",", ":"), None)))
        record = f"{at} m{n} - {'daily@1' if n % 3 else ''} {n % 7} {encoded}"
        await redis.hset(keys.sent(HERE, period), entry, record)
        posts[entry] = at, set(numbers) if entry.startswith("p") else set()
    return posts


@pytest.mark.parametrize("seed", range(5))
async def test_any_number_of_the_latest_posts_is_found(redis: Redis, seed: int) -> None:
    rng = random.Random(seed)
    posts = await stored(redis, rng, 200)
    for number in (None, 1, 2, 3, 12, 99):
        of_it = {entry: at for entry, (at, numbers) in posts.items() if number is None or number in numbers}
        for most in (1, 7, 51, 200, 1000):
            found = await Outbox(redis).posts(HERE, most, number)
            assert len(found) >= min(most, len(of_it))
            assert all(a.sent.at >= b.sent.at for a, b in pairwise(found))
            times = [of_it[post.entry] for post in found]
            assert times[:most] == sorted(of_it.values(), reverse=True)[:most]


async def test_a_busy_channel_costs_no_more_than_a_page(redis: Redis) -> None:
    period = int((await Outbox(redis).now()).timestamp()) // keys.PERIOD
    records: dict[Any, Any] = {
        f"p{n}": f'{period * keys.PERIOD * 1000 + n} m{n} -  1 [[1,"gecko"]]' for n in range(3000)
    }
    await redis.hset(keys.sent(HERE, period), mapping=records)
    before = (await redis.info("stats"))["total_net_output_bytes"]
    await Outbox(redis).posts(HERE, 5)
    assert (await redis.info("stats"))["total_net_output_bytes"] - before < 20_000


async def test_a_record_that_cannot_be_read_is_left_out(redis: Redis) -> None:
    posts = await stored(redis, random.Random(1), 20)
    period = int((await Outbox(redis).now()).timestamp()) // keys.PERIOD
    await redis.hset(keys.sent(HERE, period), "broken", "a newer form")
    assert {post.entry for post in await Outbox(redis).posts(HERE, 50)} == {*posts}
    assert await unreadable_count(redis) == 1
