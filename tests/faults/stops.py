"""Processes that are suspended for longer than their lease and then continue, or are asked to stop."""

import asyncio
import signal
from pathlib import Path
from time import monotonic

from bot.store import keys
from bot.store import lease as leases
from bot.store.connect import client
from bot.store.outbox import outbox as outboxes
from tests.fake_platform import Weather
from tests.faults.scene import Outcome, Size, alone, send
from tests.servers import until_a_server_says
from tests.waiting import until


async def of_a_worker(folder: Path, size: Size) -> Outcome:
    """Workers get SIGSTOP in the middle of their posts, and SIGCONT after their lease has expired."""
    async with alone(folder, size, Weather(delay=0.05)) as here:
        here.start(("poller", "fanout"))
        for _ in range(3):
            here.start("delivery")
        workers = here.of("delivery")
        listing = asyncio.create_task(here.list_papers(over=3))
        for worker in workers[:2]:
            await until(lambda: here.service.posts, "the first post")
            await asyncio.sleep(here.random.uniform(0.2, 0.8))
            send(worker, signal.SIGSTOP)
        await listing
        await asyncio.sleep(outboxes.LEASE * size.pace * 1.1)
        for worker in workers[:2]:
            send(worker, signal.SIGCONT)
        await here.until_done()
        await here.stop()
        return here.outcome("worker stopped past its lease", "2 workers stopped")


async def on_request(folder: Path, size: Size) -> Outcome:
    """A worker gets SIGTERM in the middle of its posts: it claims no more, finishes posts in flight, and ends."""
    async with alone(folder, size, Weather(delay=0.1)) as here:
        here.service.listed.extend(here.papers)
        here.start(("poller", "fanout"))
        leaving = here.start("delivery")
        await until(lambda: len(here.service.posts) >= 3, "three posts")
        began = monotonic()
        leaving.terminate()
        await asyncio.to_thread(leaving.join, 25)
        took, code = monotonic() - began, leaving.exitcode
        here.service.weather = Weather()
        here.start("delivery")
        await here.until_done()
        lookups = len(here.service.asked)
        note = f"ended with {code} after {took:.1f} s, {lookups} posts left unclear"
        return here.outcome("SIGTERM while posting", note, fine=code == 0 and not lookups and took < 20)


async def of_the_leader(folder: Path, size: Size) -> Outcome:
    """The leader of two pollers is suspended in the middle of a poll for longer than its lease."""
    async with alone(folder, size) as here:
        redis = client(here.plan.redis_url)
        here.start(("fanout", "delivery"))
        gate = here.service.hold = asyncio.Event()
        leader = here.start("poller", ghost="ghost")
        await here.service.held.wait()
        here.service.listed.extend(here.papers[:-1])
        send(leader, signal.SIGSTOP)
        here.start("poller")

        async def another_leads() -> bool:
            return await redis.get(keys.FENCE) == "2"

        await until_a_server_says(another_leads, "the other poller to lead", within=3 * leases.TTL)
        await here.until_done(but=1)
        gate.set()
        send(leader, signal.SIGCONT)
        here.service.listed.append(here.papers[-1])
        await here.until_done()
        await asyncio.sleep(2 * leases.TTL * size.pace)
        ghost, fence = await redis.zscore(keys.SEEN, "ghost"), await redis.get(keys.FENCE)
        await here.stop()
        await redis.aclose()
        note = f"{'no write' if ghost is None else 'A WRITE'} under the old fence, fence {fence!s}"
        return here.outcome("leader stopped past its lease", note, fine=ghost is None)
