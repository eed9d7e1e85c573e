"""The client repeats a script whose answer was lost; the stored data is as if the script had run once."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from redis.asyncio import Redis

from bot.domain.deliveries import Delivery, Outcome, PlannedDelivery
from bot.domain.life import IMPORTANT, Watch
from bot.domain.models import MessageRef
from bot.ports import Batch, Rate
from bot.store import keys
from bot.store.connect import client
from bot.store.daily_calls import DailyCalls
from bot.store.lease import Lease
from bot.store.limits import RateLimiter
from bot.store.outbox.outbox import Outbox
from bot.store.papers import Papers
from bot.store.poll_stream import PollReader
from bot.store.subscriptions import Subscriptions
from bot.store.watches import Watches
from tests.papers import a_channel, a_paper
from tests.proxy import LossyProxy

ALL = tuple(range(keys.SHARDS))
HERE = a_channel()
SHARD = keys.shard_of(HERE)
MOMENT = re.compile(r"[0-9a-f]{32}|\d{13,16}(?:[.-]\d+)?")
"""Tokens, and times in ms or μs: they differ between any two runs. Tokens come first, since one may begin with
13 digits."""

Step = Callable[[Redis], Awaitable[Any]]


@pytest.fixture
async def lossy(valkey: str) -> AsyncIterator[LossyProxy]:
    async with LossyProxy("127.0.0.1", int(valkey.rpartition(":")[2].partition("/")[0])).serve() as proxy:
        yield proxy


def enqueue(redis: Redis) -> Awaitable[Any]:
    return Outbox(redis).enqueue(
        [PlannedDelivery(channel=HERE, papers=(("p1", ()), ("p2", ())), due=1, label="digest")]
    )


def claim(redis: Redis) -> Awaitable[Any]:
    return Outbox(redis, durable=True).claim("fake", 1, [SHARD], token="t")


def held() -> Delivery:
    return Delivery(f"{HERE}/digest", HERE, (), "claimed", "t", 0, None)


def begin(redis: Redis) -> Awaitable[Any]:
    return Outbox(redis).begin(held())


def record_outcome(**how: Any) -> Step:
    defaults: dict[str, Any] = {"state": "pending", "why": "no", "after": 60}
    outcome = Outcome(**(defaults | how))
    return lambda redis: Outbox(redis).record_outcome(held(), outcome)


def done(redis: Redis) -> Awaitable[Any]:
    return Outbox(redis).done(held(), MessageRef("m1"))


def watch(redis: Redis) -> Awaitable[Any]:
    return Watches(redis).put(HERE, "p1", Watch(IMPORTANT, "U1", datetime(2026, 3, 2, tzinfo=UTC)))


def subscribe(redis: Redis) -> Awaitable[Any]:
    return Subscriptions(redis).add(HERE, "diffusion", "now", "U1")


def ingest(redis: Redis) -> Awaitable[Any]:
    return Papers(redis).ingest("hf", Batch(papers=(a_paper("p1"), a_paper("p2")), cursor="c"), 0)


async def read_and_match(redis: Redis) -> None:
    news = PollReader(redis, Papers(redis))
    poll = await news.read()
    assert poll is not None
    await news.matched(poll)


STEPS: dict[str, tuple[tuple[Step, ...], Step]] = {
    "enqueue": ((), enqueue),
    "claim": ((enqueue,), claim),
    "begin": ((enqueue, claim), begin),
    "done": ((enqueue, claim, begin), done),
    "refused": ((enqueue, claim, begin), record_outcome(counts=True)),
    "limited": ((enqueue, claim, begin), record_outcome(limit="channel")),
    "unclear": ((enqueue, claim, begin), record_outcome(state="unknown", counts=True)),
    "dead": ((enqueue, claim, begin), record_outcome(state="dead")),
    "held": ((enqueue, claim, begin), record_outcome(state="held")),
    "retry": (
        (enqueue, claim, begin, record_outcome(state="dead")),
        lambda redis: Outbox(redis).retry(held().key),
    ),
    "drop": (
        (enqueue, claim, begin, record_outcome(state="held")),
        lambda redis: Outbox(redis).drop(held().key),
    ),
    "pause": ((enqueue,), lambda redis: Outbox(redis).pause(HERE, "archived")),
    "pause workspace": ((enqueue,), lambda redis: Outbox(redis).pause_workspace("fake", "T1", "gone")),
    "resume": (
        (enqueue, lambda redis: Outbox(redis).pause(HERE, "archived")),
        lambda redis: Outbox(redis).resume(HERE),
    ),
    "forget": ((subscribe, enqueue), lambda redis: Outbox(redis).forget(HERE)),
    "subscribe": ((), subscribe),
    "unsubscribe": ((subscribe,), lambda redis: Subscriptions(redis).remove(HERE, 1)),
    "watch": ((), watch),
    "unwatch": ((watch,), lambda redis: Watches(redis).remove(HERE, "p1")),
    "ingest": ((), ingest),
    "match": ((ingest,), read_and_match),
    "announce again": ((ingest,), lambda redis: PollReader(redis, Papers(redis)).replay_recent()),
    "lease": ((), lambda redis: Lease(redis).acquire()),
    "call": ((), lambda redis: DailyCalls(redis, "openalex", 3).take(date(2026, 5, 20))),
    "turn": ((), lambda redis: RateLimiter(redis).turn(Rate(1, 1.0), "post", "fake")),
}


@pytest.mark.parametrize("name", STEPS)
async def test_a_lost_answer_changes_nothing(redis: Redis, lossy: LossyProxy, name: str) -> None:
    before, step = STEPS[name]
    through = client(f"redis://127.0.0.1:{lossy.port}/0")
    states = []
    for lose in (0, 1):
        await redis.flushall()
        for earlier in before:
            await earlier(redis)
        lossy.lose = lose
        await step(through)
        states.append(await everything(redis))
    await through.aclose()
    assert lossy.lost == 1
    assert states[0] == states[1]


async def everything(redis: Redis) -> dict[str, str]:
    """Return everything stored, except values that differ between any two runs."""
    found: dict[str, str] = {}
    async for key in redis.scan_iter("*"):
        value: Any
        match await redis.type(key):
            case "hash":
                value = sorted((await redis.hgetall(key)).items())
            case "zset":
                scores: Any = await redis.zrange(key, 0, -1, withscores=True)
                value = [(name, f"{score:.0f}") for name, score in scores]
            case "set":
                value = sorted(await redis.smembers(key))
            case "list":
                value = await redis.lrange(key, 0, -1)
            case "stream":
                value = await redis.xrange(key)
            case _:
                value = await redis.get(key)
        found[MOMENT.sub("…", str(key))] = MOMENT.sub("…", str(value))
    return found
