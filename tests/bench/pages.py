"""Measure the time and the size on the wire of every kind of page and document.

    python -m tests.bench.pages --json

The program's own server (`paperboy run web`) has the recorded papers of arXiv in ../shared/data, with dates shifted so
that the newest is from today. Requests are sequential and all different, with a browser's headers (gzip, keep-alive).
The baseline is a static page that needs no database (/terms). `--folder` keeps the store for another run.

`cpu` is the program's own CPU time for a request, which depends little on other load; the database's isn't included.
"""

import argparse
import asyncio
import json
import random
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from time import perf_counter
from urllib.parse import quote, urlencode

import aiohttp
from pydantic import TypeAdapter

from bot.domain.deliveries import PlannedDelivery
from bot.domain.models import ChannelRef, MessageRef, Paper, Reason
from bot.ports import Batch
from bot.search.search import Search
from bot.store.connect import connect
from bot.store.embedded import EmbeddedServer
from bot.store.outbox.outbox import Outbox
from bot.store.papers import Papers
from bot.store.subscriptions import Subscriptions
from bot.store.tokens import Grant, Tokens
from tests.bench import known_items
from tests.bench.corpus import queries
from tests.bench.search import AT_ONCE, recorded
from tests.ports import free_port
from tests.program import environment, running

CHANNEL = ChannelRef("slack", "T1", "C1")
POSTS = 300
TRENDING = 50
LIKED = 3_000
"""Number of papers with upvotes."""
YOUNG = 4_000
"""Number of the newest papers, which count as seen in the last days."""
SUBSCRIBED = 10
ROUNDS = 30
"""Requests per kind: all kinds of searches together must stay below the limit for all clients."""
SEED = 7
AT_REST = 0.1
"""Maximum CPU load, in seconds per second, at which the program counts as idle."""
STATIC = "terms"
FACTS = "bench.json"
"""File in a kept folder with the secrets of the channel's feed and token, and ids."""


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts about the store that requests need."""

    papers: int
    feed: str
    token: str
    ids: tuple[str, ...]
    typed: tuple[str, ...]
    queries: tuple[str, ...]


async def fill(folder: Path, count: int) -> Facts:
    """Store and index papers, votes, trending papers, and a channel with subscriptions and posts."""
    papers = _as_of_today(recorded(count))
    dice = random.Random(SEED)
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(EmbeddedServer(folder))
        redis = await connect(server.url)
        stack.push_async_callback(redis.aclose)
        store = Papers(redis)
        liked = {paper.id for paper in dice.sample(papers, min(LIKED, len(papers)))}
        papers = [replace(one, upvotes=dice.randint(1, 200)) if one.id in liked else one for one in papers]
        young = sorted(papers, key=lambda paper: paper.published, reverse=True)[:YOUNG]
        for start in range(0, len(papers), AT_ONCE):
            await store.remember(papers[start : start + AT_ONCE])
        for start in range(0, len(young), AT_ONCE):
            await store.ingest(
                "bench", Batch((), str(start), history=tuple(young[start : start + AT_ONCE])), 0
            )
        trending = tuple(paper.id for paper in young[:TRENDING])
        await store.ingest("trends", Batch((), "c", trending=trending), 0)
        searches = queries(papers[:20_000], 200, SEED)
        for query in searches[:SUBSCRIBED]:
            await Subscriptions(redis).add(CHANNEL, query, "now", "bench")
        await _post(Outbox(redis), young, searches)
        search = Search(store, folder / "search", lambda: datetime.now(UTC))
        await search.catch_up()
        await search.close()
        tokens, now = Tokens(redis), datetime.now(UTC)
        return Facts(
            papers=len(papers),
            feed=await tokens.make(Grant(channel=CHANNEL, kind="feed", at=now)),
            token=await tokens.make(Grant(channel=CHANNEL, kind="api", at=now)),
            ids=tuple(paper.id for paper in dice.sample(papers, min(200, len(papers)))),
            typed=tuple(known_items.mixed(papers, 200)),
            queries=tuple(searches),
        )


def _as_of_today(papers: list[Paper]) -> list[Paper]:
    shift = datetime.now(UTC) - max(paper.published for paper in papers) - timedelta(hours=1)
    return [replace(paper, published=paper.published + shift) for paper in papers]


async def _post(outbox: Outbox, papers: list[Paper], searches: list[str]) -> None:
    posted = papers[:POSTS]
    await outbox.enqueue(
        PlannedDelivery(
            channel=CHANNEL,
            papers=((paper.id, (Reason(1, searches[0]),)),),
            due=0,
            label=paper.id,
        )
        for paper in posted
    )
    done = 0
    while claimed := (await outbox.claim(CHANNEL.platform, 32, range(16), token=f"t{done}")).deliveries:
        for delivery in claimed:
            await outbox.done(delivery, MessageRef(f"m{done}"))
            done += 1


def kinds(facts: Facts) -> Mapping[str, Callable[[int], str]]:
    """Return kind -> function from n to the path of the n-th request."""

    def search(n: int, **more: object) -> str:
        return urlencode({"q": facts.typed[n % len(facts.typed)], **more})

    def query(n: int) -> str:
        return urlencode({"q": facts.queries[n % len(facts.queries)]})

    def paper(n: int) -> str:
        return quote(facts.ids[n % len(facts.ids)], safe="")

    api = "/api/v1"
    return {
        STATIC: lambda _: "/terms",
        "front": lambda _: "/",
        "front_week": lambda _: "/?span=week",
        "front_month": lambda _: "/?span=month",
        "search": lambda n: f"/?{search(n)}",
        "search_filtered": lambda n: f"/?{search(n, days=365, sort='new')}",
        "search_broad": lambda n: "/?q=" + ("model", "cat:cs.LG", "learning", "cat:cs.CV data")[n % 4],
        "paper": lambda n: f"/papers/{paper(n)}",
        "no_paper": lambda n: f"/papers/nowhere-{n}",
        "privacy": lambda _: "/privacy",
        "feed_trending": lambda _: "/feeds/trending.atom",
        "feed_search": lambda n: f"/feeds/search.atom?{query(n)}",
        "feed_channel": lambda n: f"/feeds/{facts.feed}.atom?page={n % 3 + 1}",
        "opml": lambda _: f"/feeds/{facts.feed}.opml",
        "api_paper": lambda n: f"{api}/papers/{paper(n)}",
        "api_search": lambda n: f"{api}/search?{search(n)}",
        "api_matching": lambda n: f"{api}/matching?{query(n)}",
        "api_trending": lambda n: f"{api}/trending?span={('day', 'week', 'month')[n % 3]}",
        "api_posts": lambda _: f"{api}/channels/mine/posts",
        "api_subscriptions": lambda _: f"{api}/channels/mine/subscriptions",
    }


async def measure(folder: Path, facts: Facts, rounds: int) -> dict[str, object]:
    """Request all kinds in turn, so that other load on the machine affects all of them."""
    paths = kinds(facts)
    times: dict[str, list[float]] = {kind: [] for kind in paths}
    sizes: dict[str, list[int]] = {kind: [] for kind in paths}
    spent: dict[str, list[float]] = {kind: [] for kind in paths}
    overloaded = 0
    async with served(folder) as (session, pid):
        for number in range(-1, rounds):  # the first round warms up
            for kind, path in paths.items():
                before = cpu_seconds(pid)
                seconds, size, status = await ask(session, path(number), facts.token)
                if status == 503:  # the page timed out: the machine is overloaded
                    overloaded += 1
                elif status != (404 if kind == "no_paper" else 200):
                    raise AssertionError(f"{path(number)}: {status}")
                elif number >= 0:
                    times[kind].append(seconds * 1000)
                    sizes[kind].append(size)
                    spent[kind].append((cpu_seconds(pid) - before) * 1000)
    figures = {
        kind: {
            "p50_ms": round(median(times[kind]), 1),
            "p95_ms": round(quantiles(times[kind], n=20)[-1], 1),
            "p50_cpu_ms": round(median(spent[kind]), 1),
            "p95_cpu_ms": round(quantiles(spent[kind], n=20)[-1], 1),
            "max_kb": round(max(sizes[kind]) / 1000, 1),
        }
        for kind in paths
    }
    pages = {kind: each for kind, each in figures.items() if kind != STATIC}
    return {
        "kinds": figures,
        "static_p50_ms": figures[STATIC]["p50_ms"],
        "worst_p50_ms": max(each["p50_ms"] for each in pages.values()),
        "worst_p95_ms": max(each["p95_ms"] for each in pages.values()),
        "worst_p95_cpu_ms": max(each["p95_cpu_ms"] for each in pages.values()),
        "worst_kb": max(each["max_kb"] for each in pages.values()),
        "overloaded": overloaded,
    }


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[tuple[aiohttp.ClientSession, int]]:
    """Start the program; yield a client and the process id, once it has read the papers of the last days."""
    port = free_port()
    env = environment(folder, PORT=str(port), PAPERBOY_TRUSTED_PROXIES="127.0.0.1/32")
    base = f"http://127.0.0.1:{port}"
    async with (
        running("run", "web", env=env) as process,
        aiohttp.ClientSession(base, auto_decompress=False) as session,
    ):
        async with asyncio.timeout(300):
            while True:
                with suppress(aiohttp.ClientError):
                    async with session.get("/healthz") as response:
                        if response.status == 200:
                            break
                await asyncio.sleep(0.2)
            # The first answers come once the index is open and the papers of the last days are being read.
            for path in ("/?q=model", "/feeds/search.json?q=model"):
                while True:
                    async with session.get(path) as response:
                        if response.status == 200:
                            break
                    await asyncio.sleep(2)
            before = 0.0
            # Once it is idle, it has read all of them.
            while (spent := cpu_seconds(process.pid)) - before > AT_REST:
                before = spent
                await asyncio.sleep(1)
        yield session, process.pid


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of all threads of a process, in seconds."""
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(one.read_text().split()[0]) for one in threads) / 1e9


async def ask(session: aiohttp.ClientSession, path: str, token: str) -> tuple[float, int, int]:
    """Return seconds, bytes and status of one answer. Each request has a new client network, to avoid rate limits."""
    headers = {
        "X-Forwarded-For": f"{random.randint(11, 90)}.{random.randint(0, 255)}.{random.randint(0, 255)}.1",
        "Accept-Encoding": "gzip",
        **({"Authorization": f"Bearer {token}"} if "/channels/" in path else {}),
    }
    begun = perf_counter()
    async with session.get(path, headers=headers) as response:
        body = await response.read()
        seconds = perf_counter() - begun
        head = sum(len(name) + len(value) + 4 for name, value in response.raw_headers)
    return seconds, len(body) + head, response.status


async def run(options: argparse.Namespace, folder: Path) -> dict[str, object]:
    """Fill the folder, or use that of an earlier run, and measure."""
    facts_file = folder / FACTS
    if facts_file.exists():
        facts: Facts = TypeAdapter(Facts).validate_json(facts_file.read_bytes())
    else:
        facts = await fill(folder, options.papers)
        facts_file.write_bytes(TypeAdapter(Facts).dump_json(facts))
    return {"docs": facts.papers, **await measure(folder, facts, options.rounds)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.pages", description=__doc__)
    parser.add_argument("--papers", type=int, default=100_000, help="maximum number of recorded papers")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--folder", type=Path, help="folder in which the store is kept for another run")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with TemporaryDirectory() as passing:
        folder = options.folder or Path(passing)
        folder.mkdir(parents=True, exist_ok=True)
        figures = asyncio.run(run(options, folder))
    if options.json:
        sys.stdout.write(f"{json.dumps(figures)}\n")
    else:
        for name, value in figures.items():
            sys.stdout.write(f"{name}: {value}\n")


if __name__ == "__main__":
    main()
