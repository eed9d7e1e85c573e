"""Count posts per day in a channel with ten typical subscriptions on recorded days, with and without flood control.

    python -m tests.bench.flood --json

Every paper goes the whole way, from a poll to a post, in a channel that never groups and in one that does; polled as
the bot polls (a paper arrives when it is listed), and once a day as by cron. A lab's channel has all ten
subscriptions: without limits, with flood control, and with `most:3`; `in_24_hours` is the maximum of any 24 hours: of
posted papers, and of folded lines. Prints a table without `--json`.
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

import pytest
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
from tests.scenario import Board, Clock, House, set_clock

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
MOST = 3
LAB = {"without": NEVER, "flood_control": ChannelSettings(), "most_3": ChannelSettings(most=MOST)}
DAY = timedelta(days=1)
CRON = time(12, tzinfo=UTC)

Listed = list[tuple[datetime, Paper]]


def recorded(folder: Path) -> Listed:
    """Return every paper with the time at which it was first listed."""
    found: dict[str, tuple[datetime, Paper]] = {}
    for path in sorted(folder.glob("*.json")):
        for row in json.loads(path.read_bytes()):
            [paper] = parse_list(json.dumps([row]).encode())
            at = datetime.fromisoformat(row["paper"]["submittedOnDailyAt"])
            found.setdefault(paper.id, (at, paper))
    return sorted(found.values(), key=lambda one: one[0])


def as_the_bot_polls(listed: Listed) -> Iterator[tuple[datetime, list[Paper]]]:
    """Return the papers of each poll that finds new ones."""
    now, left = listed[0][0], listed
    while left:
        now = next_poll(now)
        arrived = [paper for at, paper in left if at <= now]
        left = left[len(arrived) :]
        if arrived:
            yield now, arrived


def once_a_day(listed: Listed) -> Iterator[tuple[datetime, list[Paper]]]:
    """Return the papers of daily polls at noon."""
    days: dict[datetime, list[Paper]] = {}
    for at, paper in listed:
        noon = datetime.combine(at.date(), CRON)
        days.setdefault(noon if at <= noon else noon + timedelta(days=1), []).append(paper)
    yield from sorted(days.items())


def channel(query: str, kind: str) -> ChannelRef:
    return ChannelRef("board", kind, str(SUBSCRIPTIONS.index(query)))


async def replay(
    redis: Redis, polls: Iterable[tuple[datetime, list[Paper]]], patch: pytest.MonkeyPatch
) -> Board:
    """Replay the polls on a simulated clock, and return all posts."""
    await redis.flushall()
    patch.undo()
    polls = list(polls)
    board = Board(set_clock(patch, redis))
    await board.clock.set(polls[0][0] - DAY)
    house = House(redis, board)
    for query in SUBSCRIPTIONS:
        for kind, settings in (("before", NEVER), ("after", ChannelSettings())):
            await house.settings.put(channel(query, kind), settings)
            await house.subscriptions.add(channel(query, kind), query, "now", "bench")
        for kind, settings in LAB.items():
            await house.settings.put(lab(kind), settings)
            await house.subscriptions.add(lab(kind), query, "now", "bench")
    for number, (at, papers) in enumerate(polls):
        await pass_until(at, board.clock, house)
        await house.papers.ingest("huggingface", Batch(tuple(papers), str(number)), 0)
        await house.fanout.match_all()
        await house.deliver()
    await pass_until(board.clock.now + 2 * DAY, board.clock, house)
    return board


async def pass_until(end: datetime, clock: Clock, house: House) -> None:
    """Let time pass, and post what becomes due."""
    while (due := await clock.next_due()) and due <= end:
        await clock.set(max(due, clock.now))
        await house.deliver()
    await clock.set(max(end, clock.now))


def lab(kind: str) -> ChannelRef:
    """Return the channel that has all subscriptions."""
    return ChannelRef("board", "lab", kind)


def lab_figures(board: Board) -> dict[str, Any]:
    """Return messages and posted papers per day, the maximum in any 24 hours, and what was lost or posted twice."""
    days = {post.at.date() for post in board.posts if post.channel == lab("without")}
    wanted = {paper for post in board.posts if post.channel == lab("without") for paper in post.papers}
    found: dict[str, Any] = {}
    for kind in LAB:
        posts = [post for post in board.posts if post.channel == lab(kind)]
        shown = [post.at for post in posts if "/rest@" not in post.key for _ in post.papers]
        folded = [post.at for post in posts if "/rest@" in post.key]
        papers = [paper for post in posts for paper in post.papers]
        found[kind] = {
            "messages_a_day": round(len(posts) / len(days), 1),
            "papers_a_day": round(len(shown) / len(days), 1),
            "messages_in_24_hours": most_in_a_day([post.at for post in posts]),
            "papers_in_24_hours": most_in_a_day(shown),
            "folded_lines_in_24_hours": most_in_a_day(folded),
            "folded_share": round(1 - len(shown) / max(1, len(papers)), 3),
            "lost": len(wanted - set(papers)),
            "doubled": len(papers) - len(set(papers)),
        }
    return found


def most_in_a_day(moments: list[datetime]) -> int:
    """Return the maximum number of moments in any 24 hours."""
    ordered, first, most = sorted(moments), 0, 0
    for n, moment in enumerate(ordered):
        while moment - ordered[first] >= DAY:
            first += 1
        most = max(most, n - first + 1)
    return most


def figures(board: Board, query: str) -> dict[str, Any]:
    """Return papers, and posts per day: the average over days with papers, and the maximum."""
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
    """Measure both ways of polling, for every subscription and for a lab that has all of them."""
    delivery.MAX_WAIT = 0.0
    with pytest.MonkeyPatch.context() as patch:
        return await _run(patch)


async def _run(patch: pytest.MonkeyPatch) -> dict[str, Any]:
    listed = recorded(SHARED_DATA / "hf_daily")
    with TemporaryDirectory() as folder:
        async with EmbeddedServer(Path(folder)) as server:
            redis = await connect(server.url)
            results: dict[str, Any] = {"papers": len(listed)}
            for name, polls in (("polled", as_the_bot_polls(listed)), ("daily", once_a_day(listed))):
                board = await replay(redis, polls, patch)
                results[name] = [figures(board, query) for query in SUBSCRIPTIONS]
                results[f"lab_{name}"] = lab_figures(board)
            await redis.aclose()
    return results


def table(results: Mapping[str, Any]) -> str:
    """Return a table for people."""
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
    rows += ["", "| all ten in one channel, polled as the bot does | " + " | ".join(LAB) + " |"]
    rows += ["|" + "---|" * (len(LAB) + 1)]
    for name in results["lab_polled"]["without"]:
        values = " | ".join(str(results["lab_polled"][kind][name]) for kind in LAB)
        rows.append(f"| {name.replace('_', ' ')} | {values} |")
    return "\n".join(rows)


def _cell(figure: Mapping[str, float]) -> str:
    return f"{figure['mean']} (most {figure['most']})"


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="only the figures, as one line")
    options = parser.parse_args()
    if not SHARED_DATA.is_dir():
        sys.exit("recorded data is missing (expected in ../shared/data)")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    results = asyncio.run(run())
    sys.stdout.write((json.dumps(results) if options.json else table(results)) + "\n")


if __name__ == "__main__":
    main()
