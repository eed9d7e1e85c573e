"""The front page: what Paperboy is, what is trending, a search, and how the installation is doing."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from urllib.parse import urlencode

from aiohttp import web
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.cards import PaperBlock
from bot.cards.paper import paper_block
from bot.cards.sanitize import plain
from bot.commands.presets import PRESETS, Preset
from bot.domain.errors import UserError
from bot.domain.models import SAMPLE_SOURCE, Paper
from bot.domain.polls import PollResult
from bot.ports import Invitable, Joinable, Platform, Rate
from bot.query import parse, spelled
from bot.search.search import SearchResults
from bot.store.limits import Limits
from bot.store.outbox.outbox import Outbox
from bot.store.polls import last_polls
from bot.terminal.sample import PapersOrSample
from bot.text import shorten
from bot.web.feed_documents import ATOM, JSON, TYPES
from bot.web.limits import count_request
from bot.web.paper_pages import address_of
from bot.web.reading import SPANS, Reader
from bot.web.requests import query_of
from bot.web.templating import FILES, Templates

SHOWN = 20
"""Papers on the front page."""
FRESH = 10.0
"""Seconds for which the page's content is cached."""
REDIS_SECONDS = 3.0
"""Seconds that Redis, or a search, may take for a page."""
ABSTRACT = 2000
"""Characters of an abstract on a page."""
CONCURRENT_SEARCHES = 2
"""Searches that run at a time for strangers: people in channels don't wait for them."""
SEARCHES_EACH = Rate(30, 60)
"""Searches of one client."""
SEARCHES_TOTAL = Rate(300, 60)
"""Searches of all clients together."""
TOO_MANY_SEARCHES = "Too many searches. Try again in a minute."
PRESETS_FRESH = 3600.0
"""Seconds after which the matches of the presets are counted again."""
PRESET_DAYS = 14
MAX_PAGE_DIGITS = 6
"""Digits of a page number that are read."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A paper on a page: its card, and its abstract to unfold."""

    block: PaperBlock
    abstract: str
    address: str = ""
    """Of the paper's page; "" for a paper of the bundled sample."""


@dataclass(frozen=True, slots=True)
class FeedLink:
    """A feed of what a page shows."""

    label: str
    title: str
    type: str
    address: str


@dataclass(frozen=True, slots=True)
class Front:
    """The front page's content, without a search."""

    papers: tuple[Paper, ...] = ()
    sample: bool = False
    presets: tuple[tuple[str, Preset, int], ...] = ()
    """Name, preset, and how many papers of the last days match."""
    health: str = "Paperboy's database does not answer at the moment."


@dataclass(frozen=True, slots=True)
class Results:
    """The result of a search: a page of papers, or a problem that says what to do."""

    asked: str
    found: SearchResults | None = None
    page: int = 1
    papers: tuple[Shown, ...] = ()
    problem: str = ""
    status: int = 200


class Pages:
    """The pages that people see."""

    def __init__(
        self,
        *,
        redis: Redis,
        papers: PapersOrSample,
        reader: Reader,
        outbox: Outbox,
        platforms: Iterable[Platform],
        now: Callable[[], datetime],
    ) -> None:
        self._redis = redis
        self._limits = Limits(redis)
        self._reader = reader
        self._search = reader.search
        self._searches = asyncio.Semaphore(CONCURRENT_SEARCHES)
        self._papers = papers
        self._outbox = outbox
        self._platforms = tuple(platforms)
        self._now = now
        self._templates = Templates()
        self._front = Front()
        self._until = 0.0
        self._counted = tuple((name, one, 0) for name, one in PRESETS.items())
        self._counted_until = 0.0

    def routes(self) -> list[web.RouteDef]:
        """The page, and the files that it loads."""
        return [web.get("/", self._index), *FILES.routes()]

    async def _index(self, request: web.Request) -> web.Response:
        front = await self._fresh_front()
        query = query_of(request)
        span = query.get("span", "") if query.get("span", "") in SPANS else "day"
        results = await self._search_results(request, plain(query.get("q", "")), query.get("page", ""))
        page = self._templates.page(
            "front.html",
            status=results.status,
            results=results,
            papers=[shown(paper, self._now()) for paper in await self._trending(front, span)],
            sample=front.sample and span == "day",
            span=span,
            spans=tuple(SPANS),
            health=front.health,
            feeds=feed_links(results.asked, span),
            presets=front.presets,
            preset_days=PRESET_DAYS,
            invitations=self._invitations(),
            forms=[platform.form() for platform in self._platforms if isinstance(platform, Joinable)],
        )
        page.enable_compression()
        return page

    async def _trending(self, front: Front, span: str) -> Sequence[Paper]:
        """The trending papers of the front page; none of a longer span while they can't be read."""
        if span == "day":
            return front.papers
        try:
            async with asyncio.timeout(REDIS_SECONDS):
                items = await self._reader.trending(span)
        except (RedisError, OSError, TimeoutError):
            return ()
        return [item.paper for item in items.items[:SHOWN]]

    async def _search_results(self, request: web.Request, asked: str, page: str) -> Results:
        if not asked:
            return Results("")
        try:
            full = await count_request(
                self._limits, request, "search", each=SEARCHES_EACH, total=SEARCHES_TOTAL
            )
            if full is not None:
                return Results(asked, problem=TOO_MANY_SEARCHES, status=429)
            number = page_number(page)
            async with asyncio.timeout(REDIS_SECONDS), self._searches:
                found = await self._search.find(asked, page=number)
        except UserError as error:
            return Results(asked, problem=plain(f"{error} {error.hint}"))
        except (RedisError, OSError, TimeoutError):
            return Results(
                asked, problem="The search isn't answering just now. Try again in a minute.", status=503
            )
        answers = found.papers if found.parts is None else ()
        papers = tuple(shown(paper, self._now()) for paper in answers)
        return Results(asked, found, min(number, found.pages), papers)

    async def _fresh_front(self) -> Front:
        """Content at most `FRESH` seconds old; while Redis is away, the latest that was read."""
        if monotonic() < self._until:
            return self._front
        self._until = monotonic() + FRESH
        try:
            async with asyncio.timeout(REDIS_SECONDS):
                self._front = await self._read()
        except (RedisError, OSError, TimeoutError):
            self._until = 0.0
        return self._front

    async def _read(self) -> Front:
        trending = await self._papers.trending()
        sample = [] if trending else await self._papers.stand_ins()
        polls = await last_polls(self._redis)
        waiting = await self._outbox.open()
        return Front(
            papers=tuple(trending or sample)[:SHOWN],
            sample=bool(sample),
            presets=await self._presets(),
            health=health_line(tuple(polls.values()), waiting, self._now()),
        )

    async def _presets(self) -> tuple[tuple[str, Preset, int], ...]:
        """The presets with their matches, which are counted once an hour."""
        if monotonic() < self._counted_until:
            return self._counted
        with suppress(TimeoutError):  # the page doesn't wait for an index that is being built
            async with asyncio.timeout(REDIS_SECONDS / 2):
                counts = [await self._search.count(parse(one.query), PRESET_DAYS) for one in PRESETS.values()]
            named = zip(PRESETS.items(), counts, strict=True)
            self._counted = tuple((name, one, found) for (name, one), found in named)
            self._counted_until = monotonic() + PRESETS_FRESH
        return self._counted

    def _invitations(self) -> list[tuple[str, str]]:
        """(Label, URL) for each platform that anyone may add."""
        return [
            (f"Add to {platform.title}", address)
            for platform in self._platforms
            if isinstance(platform, Invitable) and (address := platform.invitation())
        ]


def feed_links(asked: str, span: str = "day") -> list[FeedLink]:
    """The feeds of a search, or of the trending papers; none for a search that can't be a subscription."""
    name, given, what = "trending", "" if span == "day" else f"?span={span}", "Trending papers"
    if asked:
        try:
            query = spelled(parse(asked))
        except UserError:
            return []
        name, given, what = "search", f"?{urlencode({'q': query})}", f"New papers on {query}"
    return [
        FeedLink(label, f"{what} ({label})", TYPES[form], f"/feeds/{name}.{form}{given}")
        for form, label in ((ATOM, "Atom"), (JSON, "JSON Feed"))
    ]


def page_number(text: str) -> int:
    """The page that `page=` names; 1 for anything that isn't one."""
    return max(1, int(text)) if len(text) <= MAX_PAGE_DIGITS and text.isascii() and text.isdigit() else 1


def shown(paper: Paper, now: datetime) -> Shown:
    """A paper as a page shows it."""
    address = "" if SAMPLE_SOURCE in paper.sources else address_of(paper)
    return Shown(paper_block(paper, (), now), shorten(plain(paper.abstract), ABSTRACT), address)


def health_line(polls: Sequence[PollResult], waiting: int, now: datetime) -> str:
    """The state of the installation in one line."""
    if not polls:
        return "No source has been read yet."
    failing = [poll.source for poll in polls if poll.error is not None]
    sources = (
        f"{len(polls) - len(failing)} of {len(polls)} sources answer" if failing else "all sources answer"
    )
    posts = {0: "no post is waiting", 1: "1 post is waiting"}.get(waiting, f"{waiting:,} posts are waiting")
    return f"Last look for papers {ago(now - max(poll.at for poll in polls))}; {sources}; {posts}."


def ago(time: timedelta) -> str:
    """`just now`, `5 minutes ago`, `3 hours ago`, `2 days ago`."""
    minutes = int(time.total_seconds()) // 60
    for size, name in ((1440, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size:
            count = minutes // size
            return f"{count} {name}{'s' if count > 1 else ''} ago"
    return "just now"
