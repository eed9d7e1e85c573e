"""Wires all roles together from their dependencies. Starts and opens nothing."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import aiohttp
from redis.asyncio import Redis

import adapters
from bot.clock import Clock
from bot.commands.core import Commands
from bot.domain.polls import PollResult
from bot.matching import Matcher
from bot.observability import metrics
from bot.observability.error_tally import tally
from bot.pipeline.card_updates import CardUpdater
from bot.pipeline.category_demand import FollowedSources
from bot.pipeline.delivery import DeliveryWorker
from bot.pipeline.delivery_card import compose
from bot.pipeline.fanout import Fanout
from bot.pipeline.life import LifeFanout
from bot.pipeline.pauses import CopyOwners
from bot.pipeline.poller import Poller
from bot.pipeline.retention import Retention
from bot.ports import Copying, Interactive, Platform, Source
from bot.search.recent_papers import RecentPapers
from bot.search.search import Search
from bot.settings import Settings
from bot.sources import build_citations, build_enrichers, build_on_demand, build_sources
from bot.sources.context import SourceContext
from bot.sources.enrichment import PREFIX, build_enrichment
from bot.store.backup.move_channel import ChannelMoves
from bot.store.card_updates import CardUpdateQueue
from bot.store.channel_rules import ChannelRules, ChannelSettingsStore
from bot.store.copies import Copies
from bot.store.data_deletion import DataDeletion
from bot.store.followed_categories import FollowedCategories
from bot.store.index_sync import IndexSync
from bot.store.lease import Lease
from bot.store.limits import RateLimiter
from bot.store.notifications import Notifications
from bot.store.outbox.outbox import Outbox
from bot.store.papers import Papers
from bot.store.poll_stream import PollReader
from bot.store.reactions import ReadingLists
from bot.store.subscriptions import Subscriptions
from bot.store.watches import Watches
from bot.terminal.fetch_progress import FetchProgress
from bot.terminal.sample import PapersOrSample
from bot.web.list_reader import ListReader
from bot.web.server import Website, website
from bot.wiring.commands import build_commands
from bot.wiring.shared import Shared


@dataclass(frozen=True, slots=True, kw_only=True)
class Bot:
    """All roles that a process can run, wired together but not started."""

    settings: Settings
    redis: Redis
    notifications: Notifications
    papers: PapersOrSample
    recent: RecentPapers
    search: Search
    subscriptions: Subscriptions
    core: Commands
    sources: tuple[Source, ...]
    platforms: tuple[Platform, ...]
    poller: Poller
    fanout: Fanout
    deliveries: tuple[DeliveryWorker, ...]
    card_updaters: tuple[CardUpdater, ...]
    moves: ChannelMoves
    retention: Retention | None
    """None if data of workspaces that removed the app is never deleted."""
    web: Website | None
    """None if no port is set."""
    reached: asyncio.Event
    """Set once any source has answered."""

    @property
    def interactive(self) -> Interactive | None:
        """The platform whose only user is the person in front of this process, if it runs one."""
        return _interactive(self.platforms)


def wire(
    settings: Settings,
    redis: Redis,
    session: aiohttp.ClientSession,
    platforms: tuple[Platform, ...],
    *,
    durable: bool,
    now: Clock,
    index: Path | None = None,
) -> Bot:
    """Build all roles. The search index is stored in the folder `index`, or in memory if that is None."""
    papers, shown_papers = Papers(redis), PapersOrSample(redis)
    shared = Shared(
        settings=settings,
        redis=redis,
        session=session,
        platforms=platforms,
        platform_settings=adapters.platform_settings(),
        now=now,
        papers=papers,
        shown_papers=shown_papers,
        recent=RecentPapers(papers, now),
        search=Search(shown_papers, index, now, shown_papers.stand_ins),
        subscriptions=Subscriptions(redis),
        channel_settings=ChannelSettingsStore(redis),
        rules=ChannelRules(redis),
        outbox=Outbox(redis, durable=durable),
        polls=PollReader(redis, papers),
        card_updates=CardUpdateQueue(redis),
        reached=asyncio.Event(),
    )
    context = _source_context(shared)
    sources = build_sources(context)
    return Bot(
        settings=settings,
        redis=redis,
        notifications=Notifications(redis),
        papers=shown_papers,
        recent=shared.recent,
        search=shared.search,
        subscriptions=shared.subscriptions,
        core=build_commands(shared, context),
        sources=sources,
        platforms=platforms,
        poller=_poller(shared, context, sources),
        fanout=_fanout(shared),
        deliveries=tuple(_delivery(shared, platform) for platform in platforms),
        card_updaters=tuple(_card_updater(shared, platform) for platform in platforms),
        moves=ChannelMoves(redis),
        retention=_retention(shared),
        web=_web(shared),
        reached=shared.reached,
    )


def _source_context(shared: Shared) -> SourceContext:
    return SourceContext(
        settings=shared.settings,
        session=shared.session,
        redis=shared.redis,
        now=shared.now,
        progress=FetchProgress(shared.reached, _interactive(shared.platforms)),
    )


def _poller(shared: Shared, context: SourceContext, sources: tuple[Source, ...]) -> Poller:
    def polled(result: PollResult) -> None:
        outcome = "ok" if result.error is None else "refused" if result.refused else "failed"
        metrics.polls.labels(*metrics.source_labels(result.source), outcome).inc()
        metrics.papers.labels(*metrics.source_labels(result.source)).inc(result.new)
        if outcome != "ok":
            tally.count(result.source, f"poll_{outcome}")
        elif not result.source.startswith(PREFIX):
            shared.reached.set()

    return Poller(
        sources,
        shared.papers,
        Lease(shared.redis),
        shared.redis,
        now=shared.now,
        background=(*build_enrichment(context, build_enrichers(context)), *build_citations(context)),
        on_demand=FollowedSources(
            build_on_demand(context), FollowedCategories(shared.redis), shared.subscriptions, shared.now
        ),
        polled=polled,
    )


def _fanout(shared: Shared) -> Fanout:
    threaded = {name for name, group in shared.platform_settings.items() if group.message_threads}
    return Fanout(
        shared.polls,
        IndexSync(shared.subscriptions, Matcher),
        shared.outbox,
        shared.subscriptions,
        shared.rules,
        edits=shared.card_updates,
        life=LifeFanout(
            Watches(shared.redis),
            shared.outbox,
            shared.rules,
            has_threads=lambda platform: platform in threaded,
        ),
    )


def _retention(shared: Shared) -> Retention | None:
    if not shared.settings.forget_after_days:
        return None
    removed = {name: group.removed for name, group in shared.platform_settings.items() if group.removed}
    after = timedelta(days=shared.settings.forget_after_days)
    return Retention(shared.outbox, DataDeletion(shared.redis), removed, after)


def _delivery(shared: Shared, platform: Platform) -> DeliveryWorker:
    return DeliveryWorker(
        platform,
        shared.outbox,
        shared.papers,
        RateLimiter(shared.redis),
        lambda delivery, entries, rules: compose(
            entries, rules, shared.now(), delivery.label, ordered=delivery.copy_of is not None
        ),
        on_uncertain=shared.settings.unclear or platform.on_uncertain,
        replay_recent=shared.polls.replay_recent,
        owners=_owners(shared) if isinstance(platform, Copying) else None,
    )


def _owners(shared: Shared) -> CopyOwners:
    direct = {name for name, group in shared.platform_settings.items() if group.direct_messages}
    return CopyOwners(shared.platforms, Copies(shared.redis), lambda platform: platform in direct)


def _card_updater(shared: Shared, platform: Platform) -> CardUpdater:
    return CardUpdater(
        platform,
        shared.card_updates,
        shared.outbox,
        shared.papers,
        shared.subscriptions,
        settings=shared.channel_settings,
        rates=RateLimiter(shared.redis),
        now=shared.now,
    )


def _web(shared: Shared) -> Website | None:
    return website(
        shared.settings,
        redis=shared.redis,
        reader=ListReader(
            papers=shared.papers,
            search=shared.search,
            recent=shared.recent,
            outbox=shared.outbox,
            subscriptions=shared.subscriptions,
            saved=ReadingLists(shared.redis),
        ),
        papers=shared.shown_papers,
        outbox=shared.outbox,
        platforms=shared.platforms,
        now=shared.now,
    )


def _interactive(platforms: Iterable[Platform]) -> Interactive | None:
    return next((platform for platform in platforms if isinstance(platform, Interactive)), None)
