"""A process as its HTTP clients see it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from aiohttp.test_utils import TestClient, TestServer
from redis.asyncio import Redis

from bot.ports import Core
from bot.search.recent_papers import RecentPapers
from bot.search.search import Search
from bot.store.outbox.outbox import Outbox
from bot.store.papers import Papers
from bot.store.reactions import ReadingLists
from bot.store.subscriptions import Subscriptions
from bot.terminal.sample import PapersOrSample
from bot.web.legal import LegalPages, Operator
from bot.web.list_reader import ListReader
from bot.web.probes import Probes
from bot.web.server import Website, parts
from tests.failing_core import FailingCore
from tests.platform_harness import PUBLIC_URL

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)

Client = TestClient[Any, Any]


class Gateway:
    """A platform that can be connected or not, and open to everyone or not."""

    name = "fake"
    title = "Fake"

    def __init__(self, address: str | None = None) -> None:
        self.is_connected = True
        self.address = address

    def connected(self) -> bool:
        return self.is_connected

    def invitation(self) -> str | None:
        return self.address


@asynccontextmanager
async def a_website(
    redis: Redis, *platforms: Any, port: int = 0, token: str | None = None, https: bool = False
) -> AsyncIterator[Website]:
    """Build the HTTP server of a process, without listening yet."""
    papers, outbox = PapersOrSample(redis), Outbox(redis)
    search = Search(papers, None, lambda: NOW, papers.stand_ins)
    probes = Probes(redis, outbox, platforms, lambda: NOW, token)
    reader = ListReader(
        papers=Papers(redis),
        search=search,
        recent=RecentPapers(Papers(redis), lambda: NOW),
        outbox=outbox,
        subscriptions=Subscriptions(redis),
        saved=ReadingLists(redis),
    )
    shown = parts(
        redis=redis,
        reader=reader,
        papers=papers,
        outbox=outbox,
        platforms=platforms,
        now=lambda: NOW,
        public_url=PUBLIC_URL,
    )
    legal = LegalPages(Operator("The lab of Ada"))
    yield Website(port, platforms, probes, (*shown, legal), https=https)
    await search.close()


@asynccontextmanager
async def site(
    redis: Redis,
    *platforms: Any,
    roles: frozenset[str] = frozenset(),
    token: str | None = None,
    core: Core | None = None,
    https: bool = False,
) -> AsyncIterator[Client]:
    """Return an HTTP client of a process with these roles."""
    async with (
        a_website(redis, *platforms, token=token, https=https) as website,
        TestClient(TestServer(website.app(core or FailingCore(), roles))) as client,
    ):
        yield client
