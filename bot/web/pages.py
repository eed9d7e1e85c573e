"""The front page: an introduction, trending papers, a search, and the state of the installation."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic

from aiohttp import web
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.commands.presets import PRESETS, Preset
from bot.domain.models import Paper
from bot.domain.polls import PollResult
from bot.domain.source_titles import SOURCE_TITLES
from bot.ports import Invitable, Joinable, Platform
from bot.query import parse
from bot.store.limits import Limits
from bot.store.outbox.outbox import Outbox
from bot.store.polls import last_polls
from bot.terminal.sample import PapersOrSample
from bot.web.feed_links import feed_links
from bot.web.filters import SORTS
from bot.web.filters import SPANS as DAYS
from bot.web.list_reader import SPANS, ListReader
from bot.web.requests import query_of
from bot.web.search_form import SearchForm, shown
from bot.web.templating import FILES, Templates

SHOWN = 20
"""Number of papers on the front page."""
FRESH = 10.0
"""Seconds for which the page's content is cached."""
REDIS_SECONDS = 3.0
"""Timeout of Redis for a page, in seconds."""
PRESETS_FRESH = 3600.0
"""Seconds for which the number of each preset's matches is cached."""
PRESET_DAYS = 14
"""Age up to which papers count as matches of a preset, in days."""


@dataclass(frozen=True, slots=True)
class Front:
    """The front page's content, without a search."""

    papers: tuple[Paper, ...] = ()
    sample: bool = False
    presets: tuple[tuple[str, Preset, int], ...] = ()
    """Name, preset, and number of matching papers of the last `PRESET_DAYS`."""
    health: str = "Paperboy's database does not answer at the moment."


class Pages:
    """The front page and its static files."""

    def __init__(
        self,
        *,
        redis: Redis,
        papers: PapersOrSample,
        reader: ListReader,
        outbox: Outbox,
        platforms: Iterable[Platform],
        now: Callable[[], datetime],
    ) -> None:
        self._redis = redis
        self._reader = reader
        self._search = reader.search
        self._form = SearchForm(reader.search, Limits(redis), now)
        self._papers = papers
        self._outbox = outbox
        self._platforms = tuple(platforms)
        self._now = now
        self._templates = Templates()
        self._front = Front()
        self._until = 0.0
        self._counted = tuple((name, preset, 0) for name, preset in PRESETS.items())
        self._counted_until = 0.0

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of the page and of the files that it loads."""
        return [web.get("/", self._index), *FILES.routes()]

    async def _index(self, request: web.Request) -> web.Response:
        front = await self._fresh_front()
        query = query_of(request)
        span = query.get("span", "") if query.get("span", "") in SPANS else "day"
        results = await self._form.results(request)
        trending = () if results.subscribed else await self._trending(front, span)
        page = self._templates.page(
            "front.html",
            status=results.status,
            results=results,
            papers=[shown(paper, self._now()) for paper in trending],
            sample=front.sample and span == "day",
            span=span,
            spans=tuple(SPANS),
            health=front.health,
            feeds=feed_links(results.subscribed, span),
            days=DAYS,
            sorts=SORTS,
            sources=SOURCE_TITLES,
            presets=front.presets,
            preset_days=PRESET_DAYS,
            invitations=self._invitations(),
            forms=[platform.form() for platform in self._platforms if isinstance(platform, Joinable)],
        )
        page.headers.update(results.headers)
        page.enable_compression()
        return page

    async def _trending(self, front: Front, span: str) -> Sequence[Paper]:
        """Return the trending papers for the front page; none if those of a longer span can't be read."""
        if span == "day":
            return front.papers
        try:
            async with asyncio.timeout(REDIS_SECONDS):
                items = await self._reader.trending(span)
        except (RedisError, OSError, TimeoutError):
            return ()
        return [item.paper for item in items.items[:SHOWN]]

    async def _fresh_front(self) -> Front:
        """Return content at most `FRESH` seconds old; while Redis is away, the latest content."""
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
        """Return the presets with their numbers of matches, which are counted once an hour."""
        if monotonic() < self._counted_until:
            return self._counted
        with suppress(TimeoutError):  # the page doesn't wait for an index that is being built
            async with asyncio.timeout(REDIS_SECONDS / 2):
                counts = [
                    await self._search.count(parse(preset.query), PRESET_DAYS) for preset in PRESETS.values()
                ]
            named = zip(PRESETS.items(), counts, strict=True)
            self._counted = tuple((name, preset, matches) for (name, preset), matches in named)
            self._counted_until = monotonic() + PRESETS_FRESH
        return self._counted

    def _invitations(self) -> list[tuple[str, str]]:
        """Return (label, URL) for each platform that anyone can add."""
        return [
            (f"Add to {platform.title}", address)
            for platform in self._platforms
            if isinstance(platform, Invitable) and (address := platform.invitation())
        ]


def health_line(polls: Sequence[PollResult], waiting: int, now: datetime) -> str:
    """Summarize the state of the installation in one line."""
    if not polls:
        return "No source has been read yet."
    failing = [poll.source for poll in polls if poll.error is not None]
    sources = (
        f"{len(polls) - len(failing)} of {len(polls)} sources answer" if failing else "all sources answer"
    )
    posts = {0: "no post is waiting", 1: "1 post is waiting"}.get(waiting, f"{waiting:,} posts are waiting")
    return f"Last look for papers {ago(now - max(poll.at for poll in polls))}; {sources}; {posts}."


def ago(time: timedelta) -> str:
    """Format an age as `just now`, `5 minutes ago`, `3 hours ago` or `2 days ago`."""
    minutes = int(time.total_seconds()) // 60
    for size, name in ((1440, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size:
            count = minutes // size
            return f"{count} {name}{'s' if count > 1 else ''} ago"
    return "just now"
