"""Run several pollers on one Redis over simulated weeks: what they find, how soon, and with how many requests."""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from random import Random
from statistics import median, quantiles
from typing import Any

from aiohttp import ClientSession
from redis.asyncio import Redis

from bot.domain.models import ChannelRef
from bot.domain.polls import PollResult
from bot.pipeline.category_demand import FollowedSources
from bot.pipeline.poller import Poller
from bot.ports import Batch, Source
from bot.sources import build_on_demand, build_sources
from bot.sources.arxiv import ArxivSettings
from bot.sources.biorxiv import BiorxivSettings
from bot.sources.context import SourceContext, silent
from bot.sources.feed import FeedSettings
from bot.store import keys
from bot.store.followed_categories import FollowedCategories
from bot.store.lease import Lease
from bot.store.papers import Ingested, Papers
from bot.store.polls import last_polls
from bot.store.subscriptions import Subscriptions
from tests.replay import serve
from tests.simulator.clock import SimulatedClock
from tests.simulator.upstreams import Faults, Upstreams
from tests.simulator.world import CATEGORIES, DAY, Arxived, World, at
from tests.sources.context import settings_for

START = date(2026, 5, 18)
PACE = 0.001
"""Factor on the pauses between requests."""
TTL = 2.0
"""Length of the pollers' lease in real seconds; a killed poller doesn't release it."""
FOLLOW_EVERY = 3600.0
"""Simulated seconds between the pollers' checks of which categories are subscribed to."""
SUBSCRIBER = ChannelRef("simulator", "W", "C")
GRACE = timedelta(days=2)
"""Time after the last counted day, for papers that arrive late."""

Choose = Callable[[SourceContext], Iterable[Source]]


@dataclass
class Ledger:
    """The announcements to the matchers."""

    at: dict[str, list[datetime]] = field(default_factory=dict)
    polls: dict[str, datetime] = field(default_factory=dict)
    """Entry of the stream -> time at which it was read."""
    events: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Paper and event -> how often it was announced."""

    async def read(self, redis: Redis, now: datetime) -> None:
        """Record the entries since the last call."""
        entries: Any = await redis.xrange(keys.PAPERS, max(self.polls, default="-"))
        for entry, fields in entries:
            if entry in self.polls:  # recorded by a concurrent call
                continue
            self.polls[entry] = now
            for paper_id, change in json.loads(fields["news"]):
                if not change:
                    self.at.setdefault(paper_id, []).append(now)
                elif "events" in (fields_changed := json.loads(change)):
                    before, after = fields_changed["events"]
                    self.events.update((paper_id, row[1]) for row in after if row not in before)


class WatchedPapers(Papers):
    """A store of papers that records each announcement in the ledger at once."""

    def __init__(self, redis: Redis, ledger: Ledger, now: Callable[[], datetime]) -> None:
        super().__init__(redis)
        self._ledger = ledger
        self._now = now

    async def ingest(self, source: str, batch: Batch, fence: int, *, hold: bool = False) -> Ingested:
        ingested = await super().ingest(source, batch, fence, hold=hold)
        await self._ledger.read(self._redis, self._now())
        return ingested

    async def announce(self, sources: Sequence[str], fence: int) -> None:
        await super().announce(sources, fence)
        await self._ledger.read(self._redis, self._now())


class KilledLease(Lease):
    """The lease of a process that dies without releasing it."""

    async def release(self) -> None:
        """Do nothing: the lease must expire."""


@dataclass
class Outcome:
    """The result of a simulation."""

    world: World
    ledger: Ledger
    upstreams: Upstreams
    polls: dict[str, PollResult]
    begin: datetime
    end: datetime
    down: Sequence[tuple[datetime, datetime]] = ()
    followed: Mapping[str, datetime] = field(default_factory=dict)
    """Category that was subscribed to -> time from which it was."""

    def _is_read(self, paper: Arxived) -> bool:
        primary = paper.categories[0]
        return primary in CATEGORIES or paper.announced >= self.followed.get(primary, self.end + DAY)

    def older(self) -> list[str]:
        """Return papers announced although their category was followed only later and no other source listed them."""
        listed = {row.id for rows in self.world.listed.values() for row in rows}
        early = {
            p.id
            for p in self.world.arxived
            if p.categories[0] in self.followed and p.announced < self.followed[p.categories[0]]
        }
        return sorted(early & self.ledger.at.keys() - listed)

    def gone(self) -> set[str]:
        """Return papers that arXiv announced and withdrew while no poller ran: they aren't news."""
        return {
            paper.id
            for paper in self.world.arxived
            for stopped, restarted in self.down
            if paper.withdrawn and stopped <= paper.announced and paper.withdrawn <= restarted
        }

    def expected(self, *, arxiv_only: bool = False) -> dict[str, datetime]:
        """Return each paper that had to be announced -> the time from which that was possible."""
        world = self.world
        papers = {p.id: p.announced for p in world.arxived if self._is_read(p)}
        if not arxiv_only:
            for rows in world.listed.values():
                for row in rows:
                    papers[row.id] = min(row.appears, papers.get(row.id, row.appears))
            for rows_of_day in world.posted.values():
                papers |= {f"doi:{doi}": appears for doi, version, appears in rows_of_day if version == 1}
        before = {p.id for p in world.arxived if p.announced < self.begin} | self.gone()
        return {i: when for i, when in papers.items() if self.begin <= when <= self.end and i not in before}

    def missed(self, *, arxiv_only: bool = False) -> list[str]:
        return sorted(self.expected(arxiv_only=arxiv_only).keys() - self.ledger.at.keys())

    def repeated(self) -> list[str]:
        return sorted(paper_id for paper_id, times in self.ledger.at.items() if len(times) > 1)

    def wrong(self) -> list[str]:
        """Return papers announced although they weren't news: replacements, cross-lists, old papers."""
        world = self.world
        news = self.expected() | {row.id: self.begin for rows in world.listed.values() for row in rows}
        # At the very first poll, a feed's latest batch is news even if it is old.
        recent = {p.id for p in world.arxived if p.announced >= self.begin - 5 * DAY and self._is_read(p)}
        recent |= {
            f"doi:{doi}" for day, rows in world.posted.items() if day >= START - 4 * DAY for doi, _, _ in rows
        }
        return sorted(self.ledger.at.keys() - news.keys() - recent)

    def delays(self) -> list[float]:
        """Return the hours between arXiv's announcement of each paper and ours."""
        expected = self.expected(arxiv_only=True)
        found = ((when, self.ledger.at[i][0]) for i, when in expected.items() if i in self.ledger.at)
        return [(seen - when).total_seconds() / 3600 for when, seen in found]

    def figures(self) -> dict[str, Any]:
        expected, delays = self.expected(arxiv_only=True), self.delays()
        missed = len(self.missed(arxiv_only=True))
        return {
            "announced": len(expected),
            "ingested": len(expected) - missed,
            "percent": round(100 * (1 - missed / len(expected)), 2),
            "median_h": round(median(delays), 2),
            "p95_h": round(quantiles(delays, n=20)[-1], 2),
            "requests": len(self.upstreams.arxiv_requests),
        }

    def closest(self) -> float:
        """Return the shortest simulated time in seconds between two requests to arXiv."""
        return round(min(b - a for a, b in pairwise(self.upstreams.arxiv_requests)) / PACE, 2)


def every_source(world: SourceContext) -> tuple[Source, ...]:
    return build_sources(world)


def feeds_only(world: SourceContext) -> tuple[Source, ...]:
    return tuple(
        s for s in build_sources(world) if s.name.startswith("arxiv") and not s.name.endswith(":oai")
    )


class Simulation:
    """Three pollers whose leader is killed now and then, with periods in which none runs."""

    def __init__(
        self,
        redis: Redis,
        world: World,
        faults: Faults,
        choose: Choose,
        *,
        replicas: int = 3,
        on_demand: Mapping[str, datetime] | None = None,
    ) -> None:
        """`on_demand` maps categories to the times at which they are subscribed to."""
        self._redis = redis
        self._world = world
        self._choose = choose
        self._replicas = replicas
        begin = at(world.start, 12)
        self.clock = SimulatedClock(begin, sleepers=1)
        self.upstreams = Upstreams(world, self.clock, faults)
        self.ledger = Ledger()
        self._begin = begin
        self._dice = Random(world.seed + 2)
        self._running: list[asyncio.Task[None]] = []
        self._leader = 0
        self._born = 0
        self._on_demand = on_demand
        self._followed = 0
        """Number of sources of followed categories that use the clock."""

    async def run(
        self, *, kill_every: timedelta = timedelta(days=3), down: Sequence[tuple[datetime, datetime]] = ()
    ) -> Outcome:
        end = self._begin + self._world.days * DAY
        async with AsyncExitStack() as stack:
            url = await stack.enter_async_context(serve(self.upstreams.app))
            session = await stack.enter_async_context(ClientSession())
            sources = len(tuple(self._choose(self._context(url, session)))) + (self._on_demand is not None)
            subscribed = sorted((when, name) for name, when in (self._on_demand or {}).items())
            events = sorted([(m, m) for m in _each(self._begin, kill_every, end)] + list(down))
            await self._start(url, session, sources)
            for moment, back in events:
                if moment < self.clock.at:
                    continue
                await self._subscribe_until(moment, subscribed)
                await self.clock.until(moment)
                if moment == back:
                    await self._kill_leader(url, session)
                else:
                    await self._stop(sources)
                    await self.clock.until(back)
                    await self._start(url, session, sources)
            await self._subscribe_until(end, subscribed)
            await self.clock.until(end + GRACE)
            await self._stop(sources)
            await self.ledger.read(self._redis, self.clock.at)
            polls = await last_polls(self._redis)
        return Outcome(
            self._world, self.ledger, self.upstreams, polls, self._begin, end, down, self._on_demand or {}
        )

    def _context(self, url: str, session: ClientSession) -> SourceContext:
        followed = ArxivSettings(
            arxiv_rss_url=url, arxiv_oai_url=url, arxiv_api_url=url, arxiv_categories=CATEGORIES
        )
        biorxiv = BiorxivSettings(biorxiv_url=url, biorxiv_categories=("all",))
        return SourceContext(
            settings=settings_for(url, followed, biorxiv, FeedSettings()),
            session=session,
            redis=self._redis,
            now=self.clock.now,
            progress=silent,
            timeout=1.0,
            pace=PACE,
        )

    async def _subscribe_until(self, end: datetime, planned: list[tuple[datetime, str]]) -> None:
        """Subscribe to each planned category at its time."""
        while planned and planned[0][0] <= end:
            when, category = planned.pop(0)
            await self.clock.until(when)
            channel = replace(SUBSCRIBER, channel=category)  # a channel's subscriptions are limited
            await Subscriptions(self._redis).add(channel, f"cat:{category}", "now", "someone")

    def _following(self, context: SourceContext) -> Callable[[], Awaitable[Sequence[Source]]]:
        """Return the poller's callback for on-demand sources; each of them is registered with the clock."""
        demanded = FollowedSources(
            build_on_demand(context),
            FollowedCategories(self._redis),
            Subscriptions(self._redis),
            self.clock.now,
        )

        async def sources() -> Sequence[Source]:
            found = await demanded()
            self.clock.add_sleepers(len(found) - self._followed)
            self._followed = len(found)
            return found

        return sources

    def _poller(self, url: str, session: ClientSession) -> asyncio.Task[None]:
        number, self._born = self._born, self._born + 1

        def leads(_result: PollResult) -> None:
            self._leader = number

        context = self._context(url, session)
        poller = Poller(
            tuple(self._choose(context)),
            WatchedPapers(self._redis, self.ledger, self.clock.now),
            KilledLease(self._redis, ttl=TTL),
            self._redis,
            now=self.clock.now,
            sleep=self.clock.sleep,
            jitter=self._dice.random,
            renew_every=TTL / 4,
            max_sleep=float("inf"),
            on_demand=self._following(context) if self._on_demand is not None else None,
            follow_every=FOLLOW_EVERY,
            polled=leads,
        )
        return asyncio.create_task(poller.run(), name=str(number))

    async def _start(self, url: str, session: ClientSession, sources: int) -> None:
        self.clock.add_sleepers(sources)
        self._running = [self._poller(url, session) for _ in range(self._replicas)]

    async def _kill_leader(self, url: str, session: ClientSession) -> None:
        for task in self._running:
            if task.get_name() == str(self._leader):
                self._running.remove(task)
                await _ended(task)
                self._running.append(self._poller(url, session))
                return

    async def _stop(self, sources: int) -> None:
        for task in self._running:
            await _ended(task)
        self._running.clear()
        self.clock.add_sleepers(-sources - self._followed)
        self._followed = 0


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def _each(begin: datetime, step: timedelta, end: datetime) -> list[datetime]:
    """Return times `step` apart, at varying hours of the day."""
    return [begin + n * step + timedelta(hours=7 * n % 24) for n in range(1, (end - begin) // step)]
