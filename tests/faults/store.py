"""Faults of the store: lost answers, a full server, a wiped and restored database, events in any order."""

import asyncio
from pathlib import Path
from time import monotonic

from hypothesis import HealthCheck, settings

from bot.store import keys
from bot.store.backup.export import facts
from bot.store.backup.import_ import Restore
from bot.store.connect import client, connect
from tests.fake_platform import Weather
from tests.faults.crowds import enqueue_papers
from tests.faults.scene import Outcome, Scene, Size, alone, scene
from tests.ports import free_port
from tests.proxy import LossyProxy
from tests.servers import Server, serving
from tests.store.machine import try_machine

LOST = 0.03


async def loses_answers(folder: Path, size: Size) -> Outcome:
    """The answer of one in 30 scripts is lost after it ran, and the client repeats the script."""
    server = Server(folder / "redis", free_port())
    proxy = LossyProxy("127.0.0.1", server.port, share=LOST)
    async with serving(server), proxy.serve():
        url = f"redis://127.0.0.1:{proxy.port}/0"
        async with scene(url, folder, size, Weather(delay=0.01)) as here:
            for _ in range(2):
                here.start(("poller", "fanout", "delivery"))
            await here.list_papers(over=3)
            await here.until_done()
            await here.stop()
            return here.outcome("answers of scripts lost", f"{proxy.lost} answers lost")


async def is_full(folder: Path, size: Size) -> Outcome:
    """A full server accepts no new deliveries, but what waits is posted; then all of it is enqueued again."""
    async with alone(folder, size, Weather(lose=0.05, error=0.05)) as here:
        redis = await connect(here.plan.redis_url)
        await enqueue_papers(redis, here.channels, here.papers)
        await redis.config_set("maxmemory", "1mb")
        for _ in range(2):
            here.start("delivery")
        await here.until_done()
        await _until_idle(here)
        await redis.config_set("maxmemory", 0)
        await enqueue_papers(redis, here.channels, here.papers)
        await _until_idle(here)
        await here.stop()
        await redis.aclose()
        return here.outcome("Redis full", "every post recorded")


async def is_wiped(folder: Path, size: Size) -> Outcome:
    """Export, wipe, import; then the source lists all papers again."""
    size = Size(channels=size.channels, papers=size.papers, pace=size.pace)
    async with alone(folder, size) as here:
        redis = client(here.plan.redis_url)
        here.start(("poller", "fanout", "delivery"))
        await here.list_papers(over=2)
        await here.until_done()
        await _until_idle(here)
        await here.stop()
        lines = [fact.model_dump_json() async for fact in facts(redis) if fact.kind != "cursor"]
        await redis.flushall()
        await Restore(redis).write(lines)
        before = len(here.service.posts)
        here.start(("poller", "fanout", "delivery"))
        while not await redis.hexists(keys.CURSORS, "hf"):  # noqa: ASYNC110  # the server knows
            await asyncio.sleep(0.05)
        await _until_idle(here)
        await here.stop()
        await redis.aclose()
        again = len(here.service.posts) - before
        return here.outcome("export, wipe, import, replay", f"{again} posts in the replay", fine=not again)


async def _until_idle(here: Scene) -> None:
    """Wait until no delivery is open, and, if a fan-out runs, no poll is unmatched."""
    redis = client(here.plan.redis_url)
    async with asyncio.timeout(here.size.patience):
        while True:
            left = [key async for key in redis.scan_iter("pb:*delivery:*")]
            if not left and not (here.of("fanout") and await redis.xlen(keys.PAPERS)):
                break
            await asyncio.sleep(0.05)
    await redis.aclose()


async def in_any_order(folder: Path, size: Size) -> Outcome:
    """A state machine applies all kinds of events in any order."""
    runs = 1000 if size.pace == 1 else 5
    began = monotonic()
    many = settings(
        max_examples=runs,
        stateful_step_count=50,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    async with serving(Server(folder / "redis", free_port())) as server:
        await asyncio.to_thread(try_machine, server.url, many)
    return Outcome(
        test="state machine, in any order",
        deliveries=runs,
        kills=0,
        lost=0,
        doubled=0,
        seconds=round(monotonic() - began, 1),
        note=f"{runs} runs of 50 steps, 0 violations",
    )
