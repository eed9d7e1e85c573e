"""Processes are killed at random, with and without other faults; and checks of the harness itself."""

import asyncio
from dataclasses import replace
from pathlib import Path

from redis.asyncio import Redis

from bot.commands.replan import replan_waiting
from bot.domain.models import ChannelSettings
from bot.policy.planner import REST
from bot.store import keys
from bot.store.channel_rules import ChannelSettingsStore
from bot.store.connect import client
from bot.store.outbox.outbox import Outbox
from tests.commands.conftest import services_on
from tests.fake_platform import Weather
from tests.faults.scene import ROLES, Outcome, Scene, Size, alone

REPLICAS = 3
BUDGET = 2
"""Daily budget of each channel in `with_budgets`, in papers."""
STORM = Weather(lose=0.05, error=0.05, limit=0.03, retry_after=1.0, delay=0.02)


async def kill_roles(here: Scene) -> float:
    """Run three replicas of every role, and kill random ones. Returns the seconds from the last kill to the end."""
    for role in ROLES:
        for _ in range(REPLICAS):
            here.start(role)
    listing = asyncio.create_task(here.list_papers(over=0.9 * here.size.kills))
    for _ in range(here.size.kills):
        await asyncio.sleep(here.random.uniform(0.5, 1.3))
        here.kill()
    await listing
    return await here.until_done()


async def in_good_weather(folder: Path, size: Size) -> Outcome:
    """Random processes get SIGKILL."""
    async with alone(folder, size, Weather(delay=0.02)) as here:
        after = await kill_roles(here)
        await here.stop()
        return here.outcome("kills", f"done {after:.0f} s after the last kill")


async def in_bad_weather(folder: Path, size: Size) -> Outcome:
    """Random processes get SIGKILL, while answers are lost, refused and limited; no post comes before Retry-After."""
    async with alone(folder, size, STORM) as here:
        after = await kill_roles(here)
        await here.stop()
        early = len(here.service.too_early)
        note = f"done {after:.0f} s after the last kill, {early} before Retry-After"
        return here.outcome("kills in bad weather", note, fine=not early)


async def with_budgets(folder: Path, size: Size) -> Outcome:
    """The same with a budget in every channel: all but two papers are folded. Then the budgets are removed, which
    releases the folded papers while processes still die."""
    async with alone(folder, size, STORM) as here:
        redis = client(here.plan.redis_url)
        for channel in here.channels:
            await ChannelSettingsStore(redis).put(channel, ChannelSettings(digest_size=1000, most=BUDGET))
        for role in ROLES:
            for _ in range(REPLICAS):
                here.start(role)
        listing = asyncio.create_task(here.list_papers(over=0.9 * here.size.kills))
        for _ in range(here.size.kills):
            await asyncio.sleep(here.random.uniform(0.5, 1.3))
            here.kill()
        await listing
        folded = here.wanted.total() - BUDGET * len(here.channels)
        while await held(redis, here) < folded:  # noqa: ASYNC110  # other processes' outbox
            await asyncio.sleep(0.1)
        before = here.service.counts().total()
        for channel in here.channels:
            await ChannelSettingsStore(redis).put(channel, ChannelSettings(digest_size=1000))
            await replan_waiting(channel, services_on(redis))
            here.kill()
        await here.until_done()
        await here.stop()
        await redis.aclose()
        within = before <= BUDGET * len(here.channels)
        return here.outcome("kills with budgets", f"{before} posted before the budgets ended", fine=within)


async def held(redis: Redis, here: Scene) -> int:
    """Return the number of papers that wait in folded messages."""
    outbox = Outbox(redis)
    deliveries = [one for channel in here.channels for one in await outbox.open_deliveries(channel)]
    return sum(len(one.papers) for one in deliveries if one.label.startswith(REST))


async def without_asking(folder: Path, size: Size) -> Outcome:
    """Reconciliation is disabled: the harness must report doubles."""
    async with alone(folder, size, STORM) as here:
        here.plan = replace(here.plan, looks=False)
        await kill_roles(here)
        await here.stop()
        return here.outcome("(reconciliation off)", "must double")


async def with_one_thrown_away(folder: Path, size: Size) -> Outcome:
    """A delivery is deleted on purpose: the harness must report it as lost."""
    async with alone(folder, size) as here:
        here.service.listed.extend(here.papers)
        here.start(("poller", "fanout"))
        redis = client(here.plan.redis_url)
        while await Outbox(redis).open() < size.deliveries:  # noqa: ASYNC110  # the server knows
            await asyncio.sleep(0.05)
        thrown = (str(here.channels[0]), here.papers[0])
        await throw_away(redis, "/".join(thrown))
        await redis.aclose()
        here.start("delivery")
        async with asyncio.timeout(size.patience):
            while set(here.wanted) - set(here.service.counts()) != {thrown}:  # noqa: ASYNC110  # the service knows
                await asyncio.sleep(0.05)
        await here.stop()
        return here.outcome("(one thrown away)", "must lose")


async def throw_away(redis: Redis, key: str) -> None:
    """Delete a delivery, as no part of the bot does."""
    box = keys.delivery(key).replace("delivery:", "box:").partition("/")[0]
    await redis.zrem(box, key)
    await redis.delete(keys.delivery(key))
