"""How fast the outbox delivers: through claim, begin, send and done, beside a bare loop of the same HTTP posts.

    python -m tests.bench.delivery --deliveries 4000 --json

Both post the same bodies to the same double of a platform, which is a process of its own, with as many posts under
way at a time. Then deliveries are offered at 80 % of the rate that was reached, and each is timed from its offer to
the moment at which the platform has it.
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

from bot.delivery import IN_HAND, Deliveries
from bot.models import ChannelRef
from bot.ports import Batch
from bot.store.connect import connect
from bot.store.outbox import Delivery, Offer, Outbox
from bot.store.papers import Papers
from bot.store.rates import Rates
from bot.store.settings import SettingsOfChannels
from bot.store.wake import Wake
from tests.fake_platform import FakePlatform, FakeService
from tests.papers import a_card, a_channel, a_paper
from tests.servers import Server, free_ports, serving

CHANNELS = 1000
PAPER = "2603.00001"
LOAD = 0.8
"""Of the rate that was reached, while posts are timed."""
TICK = 0.01
"""Seconds between two offers."""


Pipe = Connection
"""To the platform's process."""


def serve(pipe: Pipe) -> None:
    """The platform: tells its address, and in the end when each post came."""

    async def until_told() -> None:
        service = FakeService()
        async with service.serve():
            pipe.send(service.url)
            while await asyncio.to_thread(pipe.recv):
                pipe.send({post.key: post.at for post in service.posts})
                service.posts.clear()

    asyncio.run(until_told())


@asynccontextmanager
async def platform() -> AsyncIterator[tuple[str, Pipe]]:
    """The address of a platform in a process of its own, and a pipe that is asked for what it has."""
    ours, theirs = get_context("spawn").Pipe()
    process = get_context("spawn").Process(target=serve, args=(theirs,), daemon=True)
    process.start()
    yield str(await asyncio.to_thread(ours.recv)), ours
    ours.send(None)
    await asyncio.to_thread(process.join)


async def posts_of(pipe: Pipe) -> dict[str, float]:
    """When each delivery came that was posted since the last asking."""
    pipe.send("posts")
    times: dict[str, float] = await asyncio.to_thread(pipe.recv)
    return times


def channels(count: int) -> list[ChannelRef]:
    return [a_channel(f"C{n}", f"T{n % 50}") for n in range(count)]


async def bare(url: str, session: ClientSession, count: int) -> float:
    """The same posts, and nothing else. -> posts a second"""
    here = FakePlatform(url, session)
    card = a_card(_delivery(channels(1)[0]), [(a_paper(PAPER), ())], None)  # type: ignore[arg-type]  # not looked at
    waiting = iter(
        [(channel, f"{channel}/{n}") for n in range(count // CHANNELS) for channel in channels(CHANNELS)]
    )

    async def post() -> None:
        for channel, key in waiting:
            await here.send(channel, card, key)

    began = monotonic()
    await asyncio.gather(*(post() for _ in range(IN_HAND)))
    return count / (monotonic() - began)


def _delivery(channel: ChannelRef) -> Delivery:
    return Delivery(f"{channel}/x", channel, (), "claimed", "t", 0, None)


async def offer(redis: Redis, some: Sequence[ChannelRef], label: str, at_once: int = 200) -> None:
    """Owe the paper to these channels, each under a label of its own."""
    outbox = Outbox(redis)
    due = round((await outbox.now()).timestamp() * 1000)
    for first in range(0, len(some), at_once):
        await outbox.offer(
            Offer(channel=channel, papers=((f"{PAPER}-{label}", ()),), due=due, label=label)
            for channel in some[first : first + at_once]
        )


async def timed(redis: Redis, deliveries: Deliveries, pipe: Pipe, rate: float, count: int) -> list[float]:
    """Offer so many at that rate. -> seconds from each one's offer until the platform had it"""
    wake, everyone = Wake(redis), channels(CHANNELS)
    hearing, working = asyncio.create_task(wake.run()), asyncio.create_task(deliveries.run(wake))
    offered: dict[str, float] = {}
    began = monotonic()
    while len(offered) < count:
        due = min(count, round((monotonic() - began) * rate))
        batch: dict[str, list[ChannelRef]] = {}
        for n in range(len(offered), due):
            label = f"t{n // CHANNELS}"
            batch.setdefault(label, []).append(everyone[n % CHANNELS])
            offered[f"{everyone[n % CHANNELS]}/{label}"] = time()
        for label, some in batch.items():
            await offer(redis, some, label)
        await asyncio.sleep(TICK)
    while await Outbox(redis).open():
        await asyncio.sleep(TICK)
    await deliveries.drain()
    await working
    hearing.cancel()
    posted = await posts_of(pipe)
    return [posted[key] - at for key, at in offered.items()]


async def run(count: int) -> dict[str, float]:
    """All measurements."""
    rounds = count // CHANNELS
    with TemporaryDirectory(prefix="paperboy-bench-") as folder:
        server = Server(Path(folder), free_ports(1)[0])
        async with serving(server), platform() as (url, pipe), ClientSession() as session:
            redis = await connect(server.url)
            papers = tuple(a_paper(f"{PAPER}-{kind}{n}") for n in range(rounds + 1) for kind in ("", "t"))
            await Papers(redis).ingest("hf", Batch(papers=papers, cursor="c"), 0)
            deliveries = Deliveries(
                FakePlatform(url, session),
                Outbox(redis, durable=True),
                Papers(redis),
                Rates(redis),
                a_card,
                settings=SettingsOfChannels(redis),
            )
            await bare(url, session, CHANNELS)  # everything is warm
            for n in range(rounds):
                await offer(redis, channels(CHANNELS), str(n))
            before = await bare(url, session, count)
            began = monotonic()
            await deliveries.deliver_due()
            rate = count / (monotonic() - began)
            after = await bare(url, session, count)
            await posts_of(pipe)
            late = await timed(redis, deliveries, pipe, LOAD * rate, count)
            await redis.aclose()
    plain = (before + after) / 2
    return {
        "deliveries": count,
        "deliveries_per_second": round(rate),
        "bare_posts_per_second": round(plain),
        "ratio_vs_bare": round(rate / plain, 3),
        "offer_to_post_ms_p50": round(quantiles(late, n=100)[49] * 1000, 1),
        "offer_to_post_ms_p99": round(quantiles(late, n=100)[98] * 1000, 1),
    }


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deliveries", type=int, default=4000)
    parser.add_argument("--json", action="store_true", help="only the figures, as one line")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    sys.stdout.write(json.dumps(asyncio.run(run(options.deliveries))) + "\n")


if __name__ == "__main__":
    main()
