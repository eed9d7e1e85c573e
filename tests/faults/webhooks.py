"""Webhooks: processes die, while the program that receives the posts loses answers, fails, and is down for a while."""

import asyncio
from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path
from time import monotonic

from redis.asyncio import Redis

from bot.store.connect import client
from tests.adapters.webhook.listener import Listener, certificate
from tests.adapters.webhook.scene import Scene as Webhooks
from tests.adapters.webhook.scene import webhook_platform
from tests.fake_platform import Weather
from tests.faults.kills import REPLICAS
from tests.faults.scene import ROLES, Outcome, Scene, Size, alone

MISHAPS = ("lose", "500", "503", "429", "drop")
"""Faults of a request, equally frequent. With three of them, nothing is received."""
SHARE = 0.1
"""Share of the requests with a fault."""
PATIENCE = 3
"""Factor on the usual time limit: a host that was down is paused for a minute, and for two if it fails again."""
DOWN = (0.4, 0.7)
"""The receiver is down between these shares of the kills."""


async def of_a_receiver(folder: Path, size: Size) -> Outcome:
    """Each channel has a webhook; the receiver, which dedupes by id, gets each paper once."""
    return await _posted(folder, size, "kills with webhooks")


async def with_new_ids(folder: Path, size: Size) -> Outcome:
    """Each attempt has a new id: the harness must report doubles."""
    return await _posted(folder, size, "(a new id at each attempt)", new_ids=True)


async def _posted(folder: Path, size: Size, test: str, *, new_ids: bool = False) -> Outcome:
    async with alone(folder, size, Weather(delay=0.01)) as here, Listener(retry_after="1").open() as listener:
        redis = client(here.plan.redis_url)
        await _add_webhooks(redis, here, listener)
        here.plan = replace(here.plan, certificate=certificate(), new_ids=new_ids)
        for role in ROLES:
            for _ in range(REPLICAS):
                here.start(role)
        listing = asyncio.create_task(here.list_papers(over=0.9 * size.kills))
        listener.chance = lambda: here.random.choice(MISHAPS) if here.random.random() < SHARE else ""
        for nth in range(size.kills):
            await asyncio.sleep(here.random.uniform(0.5, 1.3))
            listener.always = "drop" if DOWN[0] <= nth / size.kills < DOWN[1] else ""
            here.kill()
        await listing
        after = await _until_done(here, listener)
        await here.stop()
        await redis.aclose()
    return _outcome(test, here, listener, after)


async def _add_webhooks(redis: Redis, here: Scene, listener: Listener) -> None:
    """Add a webhook to each channel, at an address with the channel's name."""
    webhooks = Webhooks(redis, listener, webhook_platform(redis))
    for channel in here.channels:
        await webhooks.add(f"/{channel.channel}", channel)
    await webhooks.platform.close()


async def _until_done(here: Scene, listener: Listener) -> float:
    """Wait, within the time limit, until everything is posted and received. Returns the seconds."""
    began = monotonic()
    await here.until_done()
    wanted = here.wanted.total()
    while len(_received(listener)) < wanted and monotonic() - began < PATIENCE * here.size.patience:  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    return monotonic() - began


def _received(listener: Listener) -> dict[tuple[str, str], set[str]]:
    """Return (channel, paper) -> the ids under which it was received."""
    ids: dict[tuple[str, str], set[str]] = defaultdict(set)
    for request in listener.taken:
        for entry in request.json["data"]["papers"]:
            ids[request.json["data"]["channel"], entry["paper"]["id"]].add(request.id)
    return ids


def _outcome(test: str, here: Scene, listener: Listener, after: float) -> Outcome:
    """Count lost and doubled posts and webhook requests together. A paper received under two ids is doubled."""
    posts, received = here.outcome(test), _received(listener)
    repeated = Counter(listener.seen)
    repeated.subtract(listener.seen.keys())
    return replace(
        posts,
        deliveries=posts.deliveries + here.wanted.total(),
        lost=posts.lost + len({*here.wanted} - {*received}),
        doubled=posts.doubled + sum(len(ids) - 1 for ids in received.values()),
        note=f"done {after:.0f} s after the last kill; {listener.asked} requests, {repeated.total()} of them sent "
        "again with the id of the first",
        fine=posts.fine and {*received} <= {*here.wanted} and not listener.refused,
    )
