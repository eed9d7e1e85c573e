"""Measure how fast the outbox delivers (claim, begin, send and done), compared with a bare loop of the same HTTP posts.

    python -m tests.bench.delivery --deliveries 4000 --json

Both post the same bodies to the same double of a platform, which is a separate process. The bare loop posts
sequentially, as a bot without an outbox does; another loop with as many concurrent posts as the outbox shows the
machine's limit. Then deliveries are enqueued at 80 % of the rate that was reached, and each is timed until the
platform has it.
"""

import argparse
import asyncio
import json
import logging
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from time import monotonic, time

import structlog
from aiohttp import ClientSession
from redis.asyncio import Redis

from bot.domain.deliveries import Delivery, PlannedDelivery
from bot.domain.models import ChannelRef
from bot.pipeline.delivery import MAX_IN_FLIGHT, DeliveryWorker
from bot.ports import Batch
from bot.store.connect import connect
from bot.store.limits import RateLimiter
from bot.store.notifications import Notifications
from bot.store.outbox.outbox import Outbox
from bot.store.papers import Papers
from tests.fake_platform import FakePlatform, FakeService
from tests.papers import a_card, a_channel, a_paper
from tests.ports import free_port
from tests.servers import Server, serving

CHANNELS = 1000
PAPER = "2603.00001"
LOAD = 0.8
"""Share of the reached rate at which posts are timed."""
TICK = 0.01
"""Seconds between two calls of `enqueue`."""


Pipe = Connection
"""Connection to the platform's process."""


def serve(pipe: Pipe) -> None:
    """Run the platform: send its address, and at the end when each post arrived."""

    async def until_signalled() -> None:
        service = FakeService()
        async with service.serve():
            pipe.send(service.url)
            while await asyncio.to_thread(pipe.recv):
                pipe.send({post.key: post.at for post in service.posts})
                service.posts.clear()

    asyncio.run(until_signalled())


@asynccontextmanager
async def platform() -> AsyncIterator[tuple[str, Pipe]]:
    """Start a platform in a separate process. Yields its address, and a pipe to request its posts."""
    ours, theirs = get_context("spawn").Pipe()
    process = get_context("spawn").Process(target=serve, args=(theirs,), daemon=True)
    process.start()
    yield str(await asyncio.to_thread(ours.recv)), ours
    ours.send(None)
    await asyncio.to_thread(process.join)


async def posts_of(pipe: Pipe) -> dict[str, float]:
    """Return the arrival time of each delivery posted since the last call."""
    pipe.send("posts")
    times: dict[str, float] = await asyncio.to_thread(pipe.recv)
    return times


def channels(count: int) -> list[ChannelRef]:
    return [a_channel(f"C{n}", f"T{n % 50}") for n in range(count)]


async def bare(url: str, session: ClientSession, count: int, at_once: int = 1) -> float:
    """Send the same posts without an outbox. Returns posts per second."""
    here = FakePlatform(url, session)
    card = a_card(_delivery(channels(1)[0]), [(a_paper(PAPER), ())], None)  # type: ignore[arg-type]  # unused
    waiting = iter(
        [(channel, f"{channel}/{n}") for n in range(count // CHANNELS) for channel in channels(CHANNELS)]
    )

    async def post() -> None:
        for channel, key in waiting:
            await here.send(channel, card, key)

    began = monotonic()
    await asyncio.gather(*(post() for _ in range(at_once)))
    return count / (monotonic() - began)


def _delivery(channel: ChannelRef) -> Delivery:
    return Delivery(f"{channel}/x", channel, (), "claimed", "t", 0, None)


async def enqueue(redis: Redis, to: Sequence[ChannelRef], label: str, at_once: int = 200) -> None:
    """Enqueue the paper for these channels, each under its own label."""
    outbox = Outbox(redis)
    due = round((await outbox.now()).timestamp() * 1000)
    for first in range(0, len(to), at_once):
        await outbox.enqueue(
            PlannedDelivery(channel=channel, papers=((f"{PAPER}-{label}", ()),), due=due, label=label)
            for channel in to[first : first + at_once]
        )


async def timed(redis: Redis, deliveries: DeliveryWorker, pipe: Pipe, rate: float, count: int) -> list[float]:
    """Enqueue `count` deliveries at that rate. Returns the seconds until the arrival of each."""
    wake = Notifications(redis)
    listening, working = asyncio.create_task(wake.run()), asyncio.create_task(deliveries.run(wake))
    ours, theirs = get_context("spawn").Pipe()
    process = get_context("spawn").Process(
        target=enqueue_all, args=(_url_of(redis), rate, count, theirs), daemon=True
    )
    process.start()
    enqueued: dict[str, float] = await asyncio.to_thread(ours.recv)
    while await Outbox(redis).open():  # noqa: ASYNC110  # the server knows
        await asyncio.sleep(TICK)
    await deliveries.drain()
    await working
    listening.cancel()
    posted = await posts_of(pipe)
    return [posted[key] - at for key, at in enqueued.items()]


def _url_of(redis: Redis) -> str:
    where = redis.connection_pool.connection_kwargs
    return f"redis://{where['host']}:{where['port']}"


def enqueue_all(url: str, rate: float, count: int, pipe: Pipe) -> None:
    """Run the fan-out in a separate process: it sends the time at which each delivery was enqueued."""

    async def at_that_rate() -> dict[str, float]:
        redis, everyone = await connect(url), channels(CHANNELS)
        enqueued: dict[str, float] = {}
        began = monotonic()
        while len(enqueued) < count:
            due = min(count, round((monotonic() - began) * rate))
            batch: dict[str, list[ChannelRef]] = {}
            for n in range(len(enqueued), due):
                label = f"t{n // CHANNELS}"
                batch.setdefault(label, []).append(everyone[n % CHANNELS])
                enqueued[f"{everyone[n % CHANNELS]}/{label}"] = time()
            for label, targets in batch.items():
                await enqueue(redis, targets, label)
            await asyncio.sleep(TICK)
        await redis.aclose()
        return enqueued

    pipe.send(asyncio.run(at_that_rate()))


async def run(count: int) -> dict[str, float]:
    """Make all measurements."""
    rounds = count // CHANNELS
    with TemporaryDirectory(prefix="paperboy-bench-") as folder:
        server = Server(Path(folder), free_port())
        async with serving(server), platform() as (url, pipe), ClientSession() as session:
            redis = await connect(server.url)
            papers = tuple(a_paper(f"{PAPER}-{kind}{n}") for n in range(rounds + 1) for kind in ("", "t"))
            await Papers(redis).ingest("hf", Batch(papers=papers, cursor="c"), 0)
            deliveries = DeliveryWorker(
                FakePlatform(url, session),
                Outbox(redis, durable=True),
                Papers(redis),
                RateLimiter(redis),
                a_card,
            )
            await bare(url, session, CHANNELS)  # warmed up
            for n in range(rounds):
                await enqueue(redis, channels(CHANNELS), str(n))
            loops = [await bare(url, session, count), await bare(url, session, count, MAX_IN_FLIGHT)]
            began = monotonic()
            await deliveries.deliver_due()
            rate = count / (monotonic() - began)
            loops += [await bare(url, session, count), await bare(url, session, count, MAX_IN_FLIGHT)]
            await posts_of(pipe)
            late = await timed(redis, deliveries, pipe, LOAD * rate, count)
            await redis.aclose()
    plain, concurrent = (loops[0] + loops[2]) / 2, (loops[1] + loops[3]) / 2
    percentiles = quantiles(late, n=100)
    return {
        "deliveries": count,
        "deliveries_per_second": round(rate),
        "bare_per_second": round(plain),
        "ratio_vs_bare": round(rate / plain, 3),
        "concurrent_bare_per_second": round(concurrent),
        "ratio_vs_concurrent_bare": round(rate / concurrent, 3),
        "offer_to_post_ms_p50": round(percentiles[49] * 1000, 1),
        "offer_to_post_ms_p99": round(percentiles[98] * 1000, 1),
    }


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deliveries", type=int, default=4000)
    parser.add_argument("--json", action="store_true", help="only the figures, as one line")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    sys.stdout.write(json.dumps(asyncio.run(run(options.deliveries))) + "\n")


if __name__ == "__main__":
    main()
