"""Measure whether every paper is found, how soon, and with how many requests to arXiv, over simulated weeks of faults.

    python -m tests.bench.completeness --days 60 --json
    python -m tests.bench.completeness --days 60 --categories 150 --json

Three pollers share a server; the leader is killed every three days. Baselines in the same world are the feeds alone,
and a bot that requests the newest submissions from arXiv's search interface every hour. Then the same pollers are down
for 1, 3 and 30 days, with a channel that follows a category. With `--categories`, subscriptions need that many
categories, some of them only from halfway on. Simulated pauses are a thousandth of real ones; the gate that enforces
them is the real one.
"""

import argparse
import asyncio
import json
import logging
import re
import sys
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import structlog
from redis.asyncio import Redis

from bot.domain.models import ChannelRef, MessageRef, Paper
from bot.matching import Matcher
from bot.pipeline.fanout import Fanout
from bot.ports import Batch, Source
from bot.sources.arxiv import ArxivSettings
from bot.sources.categories import ALIASES, ARXIV
from bot.sources.context import SourceContext
from bot.sources.http import Upstream
from bot.store import keys
from bot.store.card_updates import CardUpdateQueue
from bot.store.channel_rules import ChannelRules
from bot.store.connect import connect
from bot.store.embedded import EmbeddedServer
from bot.store.index_sync import IndexSync
from bot.store.limits import ARXIV_PAUSE, Gate
from bot.store.outbox.outbox import Outbox
from bot.store.papers import Papers
from bot.store.poll_stream import PollReader
from bot.store.subscriptions import Subscriptions
from tests.scenario import life_fanout
from tests.simulator.run import START, Outcome, Simulation, every_source, feeds_only
from tests.simulator.upstreams import Faults
from tests.simulator.world import CATEGORIES, DAY, World, at

SEED = 7
CHANNEL = ChannelRef("bench", "W", "C")
QUERY = "cat:cs.*"
PER_CATEGORY = 2
"""Papers per evening and category with many categories, where only the number of requests matters."""


class Searching:
    """What most bots do: request the newest 100 submissions of a category every hour; unseen ones are new."""

    def __init__(self, category: str, upstream: Upstream, url: str, now: Callable[[], datetime]) -> None:
        self.name = f"arxiv:{category}"
        self._category = category
        self._upstream = upstream
        self._url = f"{url}/api/query"
        self._now = now

    async def fetch(self, cursor: str | None) -> Batch:
        params = {"search_query": f"cat:{self._category}", "max_results": "100", "sortBy": "submittedDate"}
        body = (await self._upstream.get(self._url, params)).body.decode("utf-8", "replace")
        papers = tuple(self._paper(i) for i in re.findall(r"/abs/(\d{4}\.\d{5})v", body))
        return Batch(papers=papers if cursor else (), cursor="c", history=() if cursor else papers)

    def next_poll(self, now: datetime) -> datetime:
        return now + timedelta(hours=1)

    def _paper(self, paper_id: str) -> Paper:
        return Paper(
            id=paper_id,
            title=paper_id,
            abstract="",
            authors=(),
            url="https://arxiv.org",
            published=self._now(),
        )


def search_only(world: SourceContext) -> Iterable[Source]:
    upstream = world.upstream("arXiv", gate="arxiv", pause=ARXIV_PAUSE)
    url = world.settings.of(ArxivSettings).arxiv_api_url
    return [Searching(name, upstream, url, world.now) for name in CATEGORIES]


@asynccontextmanager
async def server() -> AsyncIterator[Redis]:
    with TemporaryDirectory() as folder:
        async with EmbeddedServer(Path(folder)) as embedded:
            redis = await connect(embedded.url)
            yield redis
            await redis.aclose()


async def compare(days: int) -> dict[str, Any]:
    """Compare the three ways, each in the same world."""
    ways = {"all sources": every_source, "feeds only": feeds_only, "search only": search_only}
    table: dict[str, Any] = {}
    for name, choose in ways.items():
        async with server() as redis:
            began = perf_counter()
            outcome = await Simulation(redis, World(SEED, START, days), Faults(), choose).run()
            table[name] = outcome.figures() | {"seconds": round(perf_counter() - began)}
            if name == "all sources":
                table["everything"] = whole(outcome)
    return table


def whole(outcome: Outcome) -> dict[str, Any]:
    """Return figures for all upstreams together: papers expected, missed and announced more than once."""
    by_oai = sum(poll.found for name, poll in outcome.polls.items() if name.endswith(":oai"))
    return {
        "announced": len(outcome.expected()),
        "missed": len(outcome.missed()),
        "repeated": len(outcome.repeated()),
        "wrong": len(outcome.wrong()),
        "found_by_oai_only": by_oai,
        "arxiv_closest_s": outcome.closest(),
        "answers": dict(outcome.upstreams.answers),
    }


async def downtime(days: int) -> dict[str, Any]:
    """Stop everything for `days`. Returns what is missed, and what a channel gets within a day after the restart."""
    stopped = at(START + 2 * DAY, 18)
    restarted = stopped + days * DAY
    async with server() as redis:
        await Subscriptions(redis).add(CHANNEL, QUERY, "now", "bench")
        outcome = await Simulation(redis, World(SEED, START, days + 7), Faults(), every_source).run(
            down=[(stopped, restarted)]
        )
        posts = await posted(redis, outcome)
    at_once = [papers for when, papers in posts if restarted <= when < restarted + timedelta(hours=1)]
    after = [papers for when, papers in posts if restarted <= when < restarted + DAY]
    return {
        "announced": len(outcome.expected()),
        "missed": len(outcome.missed()),
        "repeated": len(outcome.repeated()),
        "withdrawn_meanwhile": len(outcome.gone()),
        "messages_at_once": len(at_once),
        "papers_in_them": sum(at_once),
        "messages_in_a_day": len(after),
    }


async def followed(days: int, count: int) -> dict[str, Any]:
    """Follow `count` categories: subscriptions need all but the first four, every tenth only from halfway on."""
    begin, names = (
        at(START, 12),
        [*CATEGORIES, *(n for n in ARXIV if n not in (*CATEGORIES, *ALIASES)), *ALIASES],
    )
    subscribed = names[len(CATEGORIES) : count]
    half = begin + days // 2 * DAY + timedelta(hours=9)  # after the evening's announcement
    since = {name: half if n % 10 == 0 else begin for n, name in enumerate(subscribed)}
    read = tuple(name for name in names[:count] if name not in ALIASES)
    world = World(SEED, START, days, PER_CATEGORY, categories=read)
    async with server() as redis:
        began = perf_counter()
        outcome = await Simulation(redis, world, Faults(), every_source, on_demand=since).run()
    return {
        **whole(outcome),
        "categories": count,
        "halfway": sum(when == half for when in since.values()),
        "older_than_their_start": len(outcome.older()),
        "arxiv_requests": len(outcome.upstreams.arxiv_requests),
        "seconds": round(perf_counter() - began),
    }


async def posted(redis: Redis, outcome: Outcome) -> list[tuple[datetime, int]]:
    """Return the messages to the channel: number of papers, and when they were found."""
    subscriptions, outbox = Subscriptions(redis), Outbox(redis, durable=True)
    news = PollReader(redis, Papers(redis))
    await Fanout(
        news,
        IndexSync(subscriptions, Matcher),
        outbox,
        subscriptions,
        ChannelRules(redis),
        edits=CardUpdateQueue(redis),
        life=life_fanout(redis),
    ).match_all()
    moments = {int(entry.partition("-")[0]): when for entry, when in outcome.ledger.polls.items()}
    found: list[tuple[datetime, int]] = []
    while claims := (await outbox.claim("bench", 1, range(keys.SHARDS), token=str(len(found)))).deliveries:
        for delivery in claims:
            assert delivery.detected is not None
            found.append((moments[round(delivery.detected.timestamp() * 1000)], len(delivery.papers)))
            await outbox.begin(delivery)
            await outbox.done(delivery, MessageRef("1"))
    return found


async def in_earnest(requests: int = 9) -> float:
    """Run three processes' gates with real pauses. Returns the shortest time between two requests, in seconds."""
    times: list[float] = []

    async def replica(redis: Redis) -> None:
        gate = Gate(redis, "arxiv")
        for _ in range(requests // 3):
            async with gate.turn():
                times.append(perf_counter())

    async with server() as redis:
        await asyncio.gather(*(replica(redis) for _ in range(3)))
    return round(min(b - a for a, b in pairwise(times)), 3)


async def run(days: int, categories: int) -> dict[str, Any]:
    if categories > len(CATEGORIES):
        return {"days": days, "followed": await followed(days, categories)}
    figures: dict[str, Any] = {"days": days, **await compare(days)}
    figures["arxiv_closest_real_s"] = await in_earnest()
    figures["downtime"] = {str(n): await downtime(n) for n in (1, 3, 30)}
    return figures


def show(figures: dict[str, Any]) -> None:
    """Print a table for people."""
    say = sys.stdout.write
    if "all sources" in figures:
        show_ways(figures)
    for name in ("everything", "downtime", "followed"):
        if name in figures:
            say(f"{name}: {json.dumps(figures[name])}\n")


def show_ways(figures: dict[str, Any]) -> None:
    """Print a line for each of the three ways."""
    say = sys.stdout.write
    say(
        f"{'way':<14}{'announced':>10}{'ingested':>10}{'percent':>9}{'median h':>10}{'p95 h':>8}{'requests':>10}\n"
    )
    for way in ("all sources", "feeds only", "search only"):
        row = figures[way]
        say(f"{way:<14}{row['announced']:>10}{row['ingested']:>10}{row['percent']:>9}{row['median_h']:>10}")
        say(f"{row['p95_h']:>8}{row['requests']:>10}\n")


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument(
        "--categories",
        type=int,
        default=len(CATEGORIES),
        help="number of categories; subscriptions add those beyond the default",
    )
    parser.add_argument("--json", action="store_true", help="only the figures, as one line")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    figures = asyncio.run(run(options.days, options.categories))
    if not options.json:
        show(figures)
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
