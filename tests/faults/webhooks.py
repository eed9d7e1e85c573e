"""Webhooks: processes die, while the program that takes the posts loses answers, fails, and is down for a while."""

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
"""What goes wrong with a request, each as often as the others: in three of them nothing is taken."""
SHARE = 0.1
"""Of the requests, with which something goes wrong."""
PATIENCE = 3
"""Times that the wait may be as long as elsewhere: a host that was down rests for a minute, and for two if it fails again."""
DOWN = (0.4, 0.7)
"""From which of the kills to which nothing can be taken."""


async def of_a_receiver(folder: Path, size: Size) -> Outcome:
    """A webhook in each channel: the program behind it knows each id once, and gets each paper once."""
    return await _posted(folder, size, "kills with webhooks")


async def with_new_ids(folder: Path, size: Size) -> Outcome:
    """The same with another id at each attempt: the harness must report doubles."""
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
    """One in each channel, at an address of the channel's name."""
    webhooks = Webhooks(redis, listener, webhook_platform(redis))
    for channel in here.channels:
        await webhooks.add(f"/{channel.channel}", channel)
    await webhooks.platform.close()


async def _until_done(here: Scene, listener: Listener) -> float:
    """Wait until everything is posted and taken. -> seconds; patience ends"""
    began = monotonic()
    await here.until_done()
    wanted = here.wanted.total()
    while len(_taken(listener)) < wanted and monotonic() - began < PATIENCE * here.size.patience:  # noqa: ASYNC110  # it knows
        await asyncio.sleep(0.05)
    return monotonic() - began


def _taken(listener: Listener) -> dict[tuple[str, str], set[str]]:
    """(channel, paper) -> the ids under which it came."""
    ids: dict[tuple[str, str], set[str]] = defaultdict(set)
    for taken in listener.taken:
        for entry in taken.json["data"]["papers"]:
            ids[taken.json["data"]["channel"], entry["paper"]["id"]].add(taken.id)
    return ids


def _outcome(test: str, here: Scene, listener: Listener, after: float) -> Outcome:
    """What was lost or doubled of the posts and of the webhooks' together. A doubled one came under two ids."""
    posts, taken = here.outcome(test), _taken(listener)
    repeated = Counter(listener.seen)
    repeated.subtract(listener.seen.keys())
    return replace(
        posts,
        deliveries=posts.deliveries + here.wanted.total(),
        lost=posts.lost + len({*here.wanted} - {*taken}),
        doubled=posts.doubled + sum(len(ids) - 1 for ids in taken.values()),
        note=f"done {after:.0f} s after the last kill; {listener.asked} requests, {repeated.total()} of them sent again "
        "with the id of the first",
        fine=posts.fine and {*taken} <= {*here.wanted} and not listener.refused,
    )
