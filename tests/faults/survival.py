"""Faults of the platform, of other versions and of our own code that a running bot must survive."""

import asyncio
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import pytest

from bot.pipeline import delivery as delivering
from bot.store import keys
from bot.store.connect import client
from bot.store.outbox.outbox import Outbox
from bot.store.unreadable import unreadable_records
from tests.fake_platform import Weather
from tests.faults.scene import Outcome, Scene, Size, alone
from tests.store.poison import poison_everything, read_as_commands_do
from tests.store.previous_release import posted_after_an_upgrade

if TYPE_CHECKING:
    from redis.asyncio import Redis

BACK_WITHIN = 60.0
"""Seconds after the end of the proxy's answers within which everything must be posted."""
SPELL = 90.0
"""Seconds for which the proxy answers."""
CRASHES = 5
KINDS = {
    *("card_update", "channel", "delivery", "mute", "paper", "poll", "poll_result"),
    *("sent", "subscription", "trending", "vote"),
}
"""Kinds of records that must have been set aside. A change of subscriptions isn't one: not every process reads it."""


async def of_a_proxy(folder: Path, size: Size) -> Outcome:
    """A proxy answers every request with its own page for a while; then posting resumes automatically everywhere."""
    async with alone(folder, size, Weather(delay=0.01)) as here:
        for _ in range(2):
            here.start(("poller", "fanout", "delivery"))
        half = len(here.papers) // 2
        here.service.listed += here.papers[:half]
        while len(here.service.posts) < half:  # noqa: ASYNC110  # the service knows
            await asyncio.sleep(0.02)
        here.service.weather = Weather(proxied=True)
        here.service.listed += here.papers[half:]
        await asyncio.sleep(max(2.0, SPELL * size.pace))
        requests = here.service.requests
        here.service.weather = Weather()
        back = await here.until_done(BACK_WITHIN + 10)
        paused, dead = await _stuck(here)
        await here.stop()
        fine = back <= BACK_WITHIN and not paused and not dead
        return here.outcome(
            "proxy's pages for 90 s",
            f"all back {back:.0f} s after, {requests} requests, {paused} paused",
            fine=fine,
        )


async def _stuck(here: Scene) -> tuple[int, int]:
    """Return the number of paused channels and workspaces, and the number of dead letters."""
    redis = client(here.plan.redis_url)
    outbox = Outbox(redis)
    paused = sum(count for count, _ in (await outbox.paused_counts()).values())
    dead = sum((await outbox.dead_letter_counts()).values())
    await redis.aclose()
    return paused, dead


async def of_poison(folder: Path, size: Size) -> Outcome:
    """A record of every kind can't be read; every role goes on, and everything else is delivered."""
    async with alone(folder, size, Weather(delay=0.01)) as here:
        redis = client(here.plan.redis_url)
        for _ in range(2):
            here.start(("poller", "fanout", "delivery"))
        half = len(here.papers) // 2
        here.service.listed += here.papers[:half]
        while len(here.service.posts) < half:  # noqa: ASYNC110  # the service knows
            await asyncio.sleep(0.02)
        await poison_everything(redis, here.channels[0])
        here.service.listed += here.papers[half:]
        await here.until_done()
        await read_as_commands_do(redis, here.channels[0])
        found = {record.kind async for record in unreadable_records(redis)}
        await redis.aclose()
        codes = await here.stop()
        log = here.plan.log.read_text()
        crashed = log.count("role_crashed")
        note = f"{crashed} roles ended, set aside: {', '.join(sorted(found))}"
        fine = not crashed and set(codes) == {0} and found >= KINDS
        return here.outcome("poison of every kind", note, fine=fine)


async def of_a_role(folder: Path, size: Size) -> Outcome:
    """The fan-out crashes five times; it is restarted each time, and the other roles of its process go on."""
    async with alone(folder, size, Weather(delay=0.01)) as here:
        here.start(("poller", "fanout", "delivery"), crashes=CRASHES)
        await here.list_papers(over=0.1 * size.papers)
        await here.until_done()
        codes = await here.stop()
        crashed = here.plan.log.read_text().count("role_crashed")
        note = f"{crashed} crashes, exit codes {codes}"
        return here.outcome("role crashes five times", note, fine=crashed == CRASHES and codes == [0])


async def of_an_upgrade(folder: Path, size: Size) -> Outcome:
    """This version takes over the previous release's data, with deliveries in every state."""
    began = monotonic()
    async with alone(folder, size) as here:
        redis: Redis = client(here.plan.redis_url)
        await redis.flushall()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(delivering, "MAX_WAIT", 0.0)
            posted, expected = await posted_after_an_upgrade(redis, patch)
        unreadable = int(await redis.hlen(keys.UNREADABLE))
        await redis.aclose()
    return Outcome(
        test="upgrade from the last release",
        deliveries=expected.total(),
        kills=0,
        lost=(expected - posted).total(),
        doubled=(posted - expected).total(),
        seconds=round(monotonic() - began, 1),
        note=f"{unreadable} records unreadable",
        fine=not unreadable,
    )
