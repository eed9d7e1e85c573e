"""Measure how faulty feeds are read, and what hostile ones can do: private addresses, event loop stalls, memory.

    python -m tests.bench.feeds --json

Each is fetched like a feed that an operator configured. The baseline is a simple bot, which unpacks the whole answer
into memory, and parses it in a thread of the same process.
"""

import argparse
import asyncio
import gzip
import json
import logging
import resource
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from time import perf_counter
from typing import Any

import feedparser
import structlog
from aiohttp import ClientSession, ClientTimeout, web
from aiohttp.test_utils import TestServer

from bot.domain.errors import SourceError
from bot.sources.feed import FeedSource
from tests.bench.odd_feeds import arxiv_ms, read_odd_feeds
from tests.sources.test_ssrf_guard import TRICKS, Trap

TICK = 0.002
PATIENCE = 3.0
"""Timeout in seconds for an answer; in production it is 30."""
HOST = "127.0.0.9"
"""Address of the hostile server: the only loopback address to which connections are allowed."""
ALLOWED = [ip_network(f"{HOST}/32")]
MB = 2**20


def rss() -> float:
    """Return the resident megabytes of this process."""
    fields = Path("/proc/self/statm").read_text().split()
    return int(fields[1]) * resource.getpagesize() / MB


@dataclass
class Watch:
    """Observations of the event loop and the memory while something runs."""

    stall_ms: float = 0.0
    peak_mb: float = 0.0

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self._look())
        await asyncio.sleep(5 * TICK)
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _look(self) -> None:
        while True:
            due = perf_counter() + TICK
            await asyncio.sleep(TICK)
            self.stall_ms = max(self.stall_ms, 1000 * (perf_counter() - due))
            self.peak_mb = max(self.peak_mb, rss())


def item(n: int) -> bytes:
    return f"<item><title>On {n}</title><link>https://example.org/{n}</link></item>".encode()


def rss_of(inner: bytes) -> bytes:
    return b'<?xml version="1.0"?><rss version="2.0"><channel><title>x</title>' + inner + b"</channel></rss>"


def laughs() -> bytes:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    head = f'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY l0 "ha">{entities}]>'
    return head.encode() + rss_of(b"<item><title>&l11;</title><link>https://example.org</link></item>")


def quadratic() -> bytes:
    head = b'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "' + b"x" * 100_000 + b'">]>'
    return head + rss_of(b"<item><title>" + b"&a;" * 10_000 + b"</title></item>")


BODIES: dict[str, Callable[[], bytes]] = {
    "entity bomb": laughs,
    "quadratic bomb": quadratic,
    "100 MB": lambda: rss_of(b" " * (100 * MB)),
    "100,000 entries": lambda: rss_of(b"".join(map(item, range(100_000)))),
    "4 MB of entries": lambda: rss_of(b"".join(map(item, range(45_000))))[: 4 * MB],
    "4 MB whole": lambda: rss_of(b"".join(map(item, range(50_000)))),
    "deep nesting": lambda: rss_of(b"<a>" * 500_000),
    "a title of 3 MB": lambda: rss_of(b"<item><title>" + b"word " * 600_000 + b"</title><link>https://a.b</link></item>"),
    "a million tags": lambda: rss_of(b"<item><title>x</title>" + b"<b/>" * 900_000 + b"</item>"),
    "3 MB of HTML": lambda: rss_of(
        b"<item><title>x</title><link>https://a.b</link><description>" + b"&lt;i&gt;" * 330_000 + b"</description></item>"
    ),
    "broken UTF-8": lambda: rss_of(b"\xff\xfe" * 500_000),
}  # fmt: skip


@asynccontextmanager
async def hostile() -> AsyncIterator[str]:
    """Return the application that serves all hostile feeds."""
    ready = {f"/{n}": gzip.compress(make(), 1) for n, make in enumerate(BODIES.values())}
    ready["/gzip"] = gzip.compress(b"<rss>" + bytes(1024 * MB), 1)
    ready["/gzip2"] = gzip.compress(ready["/gzip"], 1)

    async def respond(request: web.Request) -> web.StreamResponse:
        if request.path == "/drip":
            return await drip(request)
        if request.path == "/loop":
            raise web.HTTPFound("/loop")
        if request.path == "/to":
            raise web.HTTPFound(request.query["to"])
        return web.Response(body=ready[request.path], headers={"Content-Encoding": "gzip"})

    app = web.Application()
    app.router.add_get("/{path:.*}", respond)
    async with TestServer(app, host=HOST) as server:
        yield str(server.make_url("")).rstrip("/")


async def serve_on() -> None:
    """Print the address, and serve until the input ends."""
    async with hostile() as url:
        sys.stdout.write(f"{url}\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)


@asynccontextmanager
async def elsewhere() -> AsyncIterator[str]:
    """Run the server in a separate process, because its bodies are large."""
    command = (sys.executable, "-m", "tests.bench.feeds", "--serve")
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
    assert process.stdout
    assert process.stdin
    try:
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.stdin.close()
        await process.wait()


async def drip(request: web.Request) -> web.StreamResponse:
    """Send a byte now and then, for as long as the client listens."""
    response = web.StreamResponse()
    await response.prepare(request)
    with suppress(ConnectionError):
        while True:
            await response.write(b" ")
            await asyncio.sleep(0.05)
    return response


async def ours(url: str) -> str:
    feed = FeedSource("hostile", url, lambda: datetime.now(UTC), private=ALLOWED, timeout=PATIENCE)
    try:
        batch = await feed.fetch(None)
    except SourceError as error:
        return str(error)[:80]
    return f"{len(batch.papers)} papers"


async def simple(url: str) -> str:
    """Read the feed as a simple bot does."""
    try:
        async with (
            ClientSession(timeout=ClientTimeout(total=PATIENCE)) as session,
            session.get(url) as response,
        ):
            body = await response.read()
        return f"{len((await asyncio.to_thread(feedparser.parse, body)).entries)} entries"
    except Exception as error:  # noqa: BLE001 - any error is a result
        return repr(error)[:80]


async def quiet(_url: str) -> str:
    """Do nothing, to measure the machine's own noise."""
    await asyncio.sleep(PATIENCE)
    return "nothing"


async def measured(read: Callable[[str], Awaitable[str]], url: str) -> dict[str, Any]:
    watch, before, began = Watch(), rss(), perf_counter()
    async with watch.watching():
        outcome = await read(url)
    return {
        "outcome": outcome,
        "seconds": round(perf_counter() - began, 2),
        "stall_ms": round(watch.stall_ms, 1),
        "grown_mb": round(max(0.0, watch.peak_mb - before), 1),
    }


async def tricks(url: str) -> dict[str, int]:
    """Return every way to write a private address, directly and in a redirect."""
    async with Trap().listening() as trap:
        tried = 0
        for trick in TRICKS:
            for address in (trick.format(port=trap.port), f"{url}/to?to={trick.format(port=trap.port)}"):
                feed = FeedSource("hostile", address, lambda: datetime.now(UTC), private=ALLOWED if url in address else (), timeout=PATIENCE)  # fmt: skip
                with suppress(SourceError):
                    await feed.fetch(None)
                tried += 1
    return {"tried": tried, "reached": trap.reached}


async def run() -> dict[str, Any]:
    figures: dict[str, Any] = {"odd": await read_odd_feeds(HOST, ALLOWED), "arxiv_ms": arxiv_ms()}
    async with elsewhere() as url:
        names = {**{f"/{n}": name for n, name in enumerate(BODIES)}, "/gzip": "gzip bomb of 1 GB",
                 "/gzip2": "gzip bomb in gzip", "/drip": "slow bytes", "/loop": "redirects in circles"}  # fmt: skip
        figures["quiet"] = await measured(quiet, url)
        await ours(f"{url}/0")  # warm up
        ways = {name: await measured(ours, url + path) for path, name in names.items()}
        child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        figures["addresses"] = await tricks(url)
        figures |= {"feeds": ways, "worker_peak_mb": round(child, 1)}
        figures["stall_ms_max"] = max(row["stall_ms"] for row in ways.values())
        figures["grown_mb_max"] = max(row["grown_mb"] for row in ways.values())
        same = ("4 MB whole", "entity bomb", "3 MB of HTML", "100,000 entries")
        figures["simple"] = {
            name: await measured(simple, url + path) for path, name in names.items() if name in same
        }
        figures["simple_stall_ms_max"] = max(row["stall_ms"] for row in figures["simple"].values())
        figures["simple_grown_mb_max"] = max(row["grown_mb"] for row in figures["simple"].values())
    return figures


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="only the figures, as one line")
    parser.add_argument("--serve", action="store_true", help="only run the hostile server")
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve_on())
        return
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    figures = asyncio.run(run())
    if not options.json:
        for name, row in figures["feeds"].items():
            sys.stdout.write(
                f"{name:<22}{row['seconds']:>7} s{row['stall_ms']:>8} ms{row['grown_mb']:>8} MB  {row['outcome']}\n"
            )
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
