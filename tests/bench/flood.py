"""Posts a day in a channel, before and after flood control: the recorded days replayed for ten typical subscriptions.

    python -m tests.bench.flood --json

Every paper goes the whole way, from a poll to a post, in a channel that never groups and in one that does; polled as
the bot polls (a paper comes when it was listed), and once a day as by cron. Without `--json` it is a table.
"""

import argparse
import asyncio
import json
import logging
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import structlog
from redis.asyncio import Redis

from bot.domain.models import ChannelRef, ChannelSettings, Paper
from bot.pipeline import delivery
from bot.ports import Batch
from bot.sources.huggingface import next_poll
from bot.sources.huggingface_papers import parse_list
from bot.store.connect import connect
from bot.store.embedded import EmbeddedServer
from tests.conftest import SHARED_DATA
from tests.scenario import Board, Clock, House

SUBSCRIPTIONS = (
    '"language model" -survey',
    "diffusion",
    "agents",
    "robot*",
    'rag, "retrieval augmented"',
    "reasoning",
    "video generation",
    '"world model"',
    "benchmark, dataset",
    "min:30",
)
NEVER = ChannelSettings(digest_size=10_000)
CRON = time(12, tzinfo=UTC)

Listed = list[tuple[datetime, Paper]]


def recorded(folder: Path) -> Listed:
    """Every paper at the time when it was first listed."""
    found: dict[str, tuple[datetime, Paper]] = {}
    for path in sorted(folder.glob("*.json")):
        for row in json.loads(path.read_bytes()):
            [paper] = parse_list(json.dumps([row]).encode())
            at = datetime.fromisoformat(row["paper"]["submittedOnDailyAt"])
            found.setdefault(paper.id, (at, paper))
    return sorted(found.values(), key=lambda one: one[0])


def as_the_bot_polls(listed: Listed) -> Iterator[tuple[datetime, list[Paper]]]:
    """What each poll that brings something brings."""
    now, left = listed[0][0], listed
    while left:
        now = next_poll(now)
        come = [paper for at, paper in left if at <= now]
        left = left[len(come) :]
        if come:
            yield now, come


def once_a_day(listed: Listed) -> Iterator[tuple[datetime, list[Paper]]]:
    """The same for a poll at noon."""
    days: dict[datetime, list[Paper]] = {}
    for at, paper in listed:
        noon = datetime.combine(at.date(), CRON)
        days.setdefault(noon if at <= noon else noon + timedelta(days=1), []).append(paper)
    yield from sorted(days.items())


def channel(query: str, kind: str) -> ChannelRef:
    return ChannelRef("board", kind, str(SUBSCRIPTIONS.index(query)))


async def replay(redis: Redis, polls: Iterable[tuple[datetime, list[Paper]]]) -> Board:
    """Everything that is posted."""
    await redis.flushall()
    board = Board(Clock(redis))
    house = House(redis, board)
    for query in SUBSCRIPTIONS:
        for kind, settings in (("before", NEVER), ("after", ChannelSettings())):
            await house.settings.put(channel(query, kind), settings)
            await house.subscriptions.add(channel(query, kind), query, "now", "bench")
    for number, (at, papers) in enumerate(polls):
        board.clock.now = at
        await house.papers.ingest("huggingface", Batch(tuple(papers), str(number)), 0)
        await house.fanout.match_all()
        await house.deliver()
    return board


def figures(board: Board, query: str) -> dict[str, Any]:
    """Papers, and posts a day: on average over the days that had papers, and on the worst."""
    days = {post.at.date() for post in board.posts}
    found: dict[str, Any] = {"query": query}
    for kind in ("before", "after"):
        posts = [post for post in board.posts if post.channel == channel(query, kind)]
        a_day = Counter(post.at.date() for post in posts)
        found[kind] = {"mean": round(len(posts) / len(days), 1), "most": max(a_day.values(), default=0)}
    digests = [post for post in posts if post.card.kind == "digest"]
    found |= {"digests": len(digests), "posts": len(posts)}
    return found


async def run() -> dict[str, Any]:
    """Both ways of polling, for every subscription."""
    delivery.MAX_WAIT = 0.0
    listed = recorded(SHARED_DATA / "hf_daily")
    with TemporaryDirectory() as folder:
        async with EmbeddedServer(Path(folder)) as server:
            redis = await connect(server.url)
            results: dict[str, Any] = {"papers": len(listed)}
            for name, polls in (("polled", as_the_bot_polls(listed)), ("daily", once_a_day(listed))):
                board = await replay(redis, polls)
                results[name] = [figures(board, query) for query in SUBSCRIPTIONS]
            await redis.aclose()
    return results


def table(results: Mapping[str, Any]) -> str:
    """For people."""
    head = "| subscription | polled as the bot does: before | after | digests | polled once a day: before | after |"
    rows = [head, "|---|---|---|---|---|---|"]
    for polled, daily in zip(results["polled"], results["daily"], strict=True):
        cells = [
            f"`{polled['query']}`",
            _cell(polled["before"]),
            _cell(polled["after"]),
            str(polled["digests"]),
        ]
        cells += [_cell(daily["before"]), _cell(daily["after"])]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def _cell(figure: Mapping[str, float]) -> str:
    return f"{figure['mean']} (most {figure['most']})"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="only the figures, as one line")
    options = parser.parse_args()
    if not SHARED_DATA.is_dir():
        sys.exit("recorded data is not here (expected in ../shared/data)")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    results = asyncio.run(run())
    sys.stdout.write((json.dumps(results) if options.json else table(results)) + "\n")


if __name__ == "__main__":
    main()
