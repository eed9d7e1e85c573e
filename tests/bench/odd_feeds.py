"""Count the entries read from faulty feeds, and time an arXiv feed: a part of `tests.bench.feeds`.

The baseline is a simple bot, which uses feedparser in its own process.
"""

import io
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from time import process_time
from typing import Any

import feedparser
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from bot.domain.errors import SourceError
from bot.sources.arxiv.announcements import parse_announcements
from bot.sources.arxiv.papers import elements
from bot.sources.context import Network
from bot.sources.feed import FeedSource
from tests.sources.odd_feeds import ODD
from tests.sources.upstreams import Announced, rss

ENTRIES = 994
"""Number of entries of a large arXiv feed."""


@asynccontextmanager
async def _server(host: str) -> AsyncIterator[str]:
    """Serve the faulty feeds, each under its index in the list."""
    feeds = list(ODD.values())

    async def respond(request: web.Request) -> web.StreamResponse:
        odd = feeds[int(request.path.strip("/"))]
        return web.Response(body=odd.body, headers=dict(odd.headers))

    app = web.Application()
    app.router.add_get("/{number}", respond)
    async with TestServer(app, host=host) as server:
        yield str(server.make_url("")).rstrip("/")


async def _read_by_us(url: str, allowed: Collection[Network]) -> int:
    feed = FeedSource("odd", url, lambda: datetime.now(UTC), private=allowed)
    try:
        batch = await feed.fetch(None)
    except SourceError:
        return 0
    return len({paper.id for paper in (*batch.papers, *batch.history)})


async def _read_simply(url: str) -> int:
    """Return entries with a title and a link, by id or link; none if feedparser calls the feed malformed."""
    try:
        async with ClientSession() as session, session.get(url) as response:
            found = feedparser.parse(io.BytesIO(await response.read()))
    except Exception:  # noqa: BLE001  # any failure: nothing is read
        return 0
    if found.bozo:
        return 0
    names = (one.get("id") or one.get("link") for one in found.entries if one.get("title"))
    return len({name for name in names if name})


async def read_odd_feeds(host: str, allowed: Collection[Network]) -> dict[str, Any]:
    """Count the entries with a paper, the readable ones, and those read by Paperboy and by a simple bot."""
    wrong: dict[str, str] = {}
    ours, simply = 0, 0
    async with _server(host) as url:
        for number, (name, odd) in enumerate(ODD.items()):
            read = await _read_by_us(f"{url}/{number}", allowed)
            ours, simply = ours + read, simply + await _read_simply(f"{url}/{number}")
            if read != odd.readable:
                wrong[name] = f"{read} of {odd.readable}"
    return {
        "feeds": len(ODD),
        "entries": sum(odd.entries for odd in ODD.values()),
        "readable": sum(odd.readable for odd in ODD.values()),
        "read": ours,
        "simple": simply,
        "wrong": wrong,
    }


def _xml(body: bytes) -> int:
    return sum(1 for _ in elements(body, "a feed"))


def arxiv_ms() -> dict[str, float]:
    """Return processor milliseconds for a large arXiv feed, the best of five runs.

    `xml` is our parser, to be compared with `feedparser`; `papers` includes the cleaning of all text.
    """
    body = rss(*(Announced(f"2605.{n:05}", title=f"On the number {n}") for n in range(ENTRIES)))
    times: dict[str, float] = {}
    for name, parse in (("xml", _xml), ("papers", parse_announcements), ("feedparser", feedparser.parse)):
        took = []
        for _ in range(5):
            began = process_time()
            parse(body)
            took.append(1000 * (process_time() - began))
        times[name] = round(min(took), 1)
    return times
