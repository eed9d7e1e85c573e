"""The composition root: settings in, every room wired to its neighbours. Nothing runs yet."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import aiohttp
import structlog
from redis.asyncio import Redis

import adapters
from bot.cards.message import message
from bot.cards.welcome import reading_card
from bot.commands.core import Commands
from bot.commands.services import Services
from bot.domain.errors import ConfigurationError
from bot.domain.polls import PollResult
from bot.matching import Matcher
from bot.observability import metrics
from bot.pipeline.card_updates import CardUpdater
from bot.pipeline.delivery import DeliveryWorker
from bot.pipeline.fanout import Fanout
from bot.pipeline.poller import Poller
from bot.ports import Platform, Source
from bot.search import Search
from bot.search.recent_papers import RecentPapers
from bot.settings import Settings
from bot.sources import build_sources
from bot.sources.elsewhere import Elsewhere
from bot.sources.enrichment import PREFIX, build_enrichment
from bot.sources.wiring import Wiring
from bot.store import keys
from bot.store.button_payloads import ButtonPayloads
from bot.store.connect import connect, syncs_every_write
from bot.store.edits import CardUpdateQueue
from bot.store.embedded import EmbeddedServer
from bot.store.index_sync import IndexSync
from bot.store.lease import Lease
from bot.store.notifications import Notifications
from bot.store.outbox.outbox import Outbox
from bot.store.poll_stream import PollReader
from bot.store.polls import last_polls
from bot.store.rates import Rates
from bot.store.rules import ChannelRules
from bot.store.saved import Saved
from bot.store.settings import ChannelSettingsStore
from bot.store.subscriptions import Subscriptions
from bot.store.votes import Votes
from bot.terminal.sample import PapersOrSample
from bot.terminal.session import Terminal
from bot.web.server import Website, website

log = structlog.get_logger(__name__)

POLLER, FANOUT, DELIVERY, WEB, CONSOLE = "poller", "fanout", "delivery", "web", "console"
ROLES = (POLLER, FANOUT, DELIVERY, WEB, *adapters.PLATFORMS)
LONG = 3
"""Days. A fetch of more is worth a line for each."""

Clock = Callable[[], datetime]


def wall_clock() -> datetime:
    """Now, aware."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bot:
    """Everything that a process may run, wired together; nothing runs yet."""

    settings: Settings
    redis: Redis
    wake: Notifications
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
    editors: tuple[CardUpdater, ...]
    web: Website | None
    """Where a port is set."""
    reached: asyncio.Event
    """Set once any source has answered."""

    @property
    def terminal(self) -> Terminal | None:
        """The terminal, where it is a channel of this process."""
        return terminal_of(self.platforms)


def terminal_of(platforms: Iterable[Platform]) -> Terminal | None:
    """The terminal among these."""
    return next((platform for platform in platforms if isinstance(platform, Terminal)), None)


def choose_roles(names: Sequence[str]) -> frozenset[str]:
    """The roles of this process; none named means all that are configured. Raises ConfigurationError."""
    unknown = sorted(set(names) - set(ROLES))
    if unknown:
        raise ConfigurationError(f"{unknown[0]} is no role: there are {', '.join(ROLES)}")
    return frozenset(names)


@asynccontextmanager
async def open_bot(
    settings: Settings, roles: frozenset[str] = frozenset(), now: Clock = wall_clock
) -> AsyncIterator[Bot]:
    """A wired bot, whose connections are closed in the end. Raises ConfigurationError."""
    async with AsyncExitStack() as stack:
        redis = await stack.enter_async_context(open_server(settings))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        platforms = build_platforms(settings, redis, roles)
        for platform in platforms:
            stack.push_async_callback(platform.close)
        durable = await syncs_every_write(redis)
        index = settings.data_dir / "search"
        bot = wire(settings, redis, session, platforms, durable=durable, now=now, index=index)
        stack.push_async_callback(bot.search.close)
        yield bot


@asynccontextmanager
async def open_server(settings: Settings) -> AsyncIterator[Redis]:
    """The operator's server, or one of our own; its connections are closed in the end. Raises ConfigurationError."""
    if settings.redis_url is not None:
        redis = await connect(settings.redis_url.get_secret_value(), unsafe=settings.unsafe_redis)
        async with aclosing(redis):
            yield redis
        return
    async with EmbeddedServer(settings.data_dir) as server, aclosing(await connect(server.url)) as redis:
        if server.alone:  # whoever leads by this lease was killed
            await redis.delete(keys.LEASE)
        yield redis


def build_platforms(settings: Settings, redis: Redis, roles: frozenset[str]) -> tuple[Platform, ...]:
    """The platforms whose settings are given. The terminal is one where it is asked for, or where nothing is.

    Raises ConfigurationError where a platform is asked for that has no settings.
    """
    built = {name: adapters.build(name, settings, redis) for name in adapters.PLATFORMS if name != CONSOLE}
    platforms = {name: platform for name, platform in built.items() if platform is not None}
    if missing := (roles & built.keys()) - platforms.keys():
        raise ConfigurationError(f"{min(missing)} was asked for, but its tokens are not set: see README.md")
    if WEB in roles and settings.port is None:
        raise ConfigurationError("web was asked for, but PORT is not set")
    if CONSOLE in roles or not (platforms or roles):
        terminal = adapters.build(CONSOLE, settings, redis)
        platforms |= {CONSOLE: terminal} if terminal else {}
    return tuple(platforms.values())


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
    """Build every room from what it is given; the search index is kept in the folder `index`, or in memory."""
    reached = asyncio.Event()
    terminal = terminal_of(platforms)
    papers, subscriptions = PapersOrSample(redis), Subscriptions(redis)
    settings_of = ChannelSettingsStore(redis)
    outbox, news = Outbox(redis, durable=durable), PollReader(redis, papers)
    recent = RecentPapers(papers, now)
    search = Search(papers, index, now, papers.stand_ins)
    wiring = Wiring(
        settings=settings, session=session, redis=redis, now=now, progress=Progress(reached, terminal)
    )
    sources = build_sources(wiring)

    def polled(result: PollResult) -> None:
        outcome = "ok" if result.error is None else "refused" if result.refused else "failed"
        metrics.polls.labels(*metrics.source_labels(result.source), outcome).inc()
        metrics.papers.labels(*metrics.source_labels(result.source)).inc(result.new)
        if outcome == "ok" and not result.source.startswith(PREFIX):
            reached.set()

    def deliveries(platform: Platform) -> DeliveryWorker:
        return DeliveryWorker(
            platform,
            outbox,
            papers,
            Rates(redis),
            lambda delivery, entries, wishes: message(entries, wishes, now(), delivery.label),
            on_uncertain=settings.unclear or platform.on_uncertain,
            replay_recent=news.again,
        )

    def editor(platform: Platform) -> CardUpdater:
        return CardUpdater(
            platform,
            CardUpdateQueue(redis),
            outbox,
            papers,
            subscriptions,
            settings=settings_of,
            rates=Rates(redis),
            now=now,
        )

    return Bot(
        settings=settings,
        redis=redis,
        wake=Notifications(redis),
        papers=papers,
        recent=recent,
        search=search,
        subscriptions=subscriptions,
        core=Commands(
            Services(
                subscriptions=subscriptions,
                papers=papers,
                recent=recent,
                search=search,
                elsewhere=Elsewhere.build(wiring),
                settings=settings_of,
                rules=ChannelRules(redis),
                saved=Saved(redis),
                outbox=outbox,
                kept=ButtonPayloads(redis),
                votes=Votes(redis),
                polls=partial(last_polls, redis),
                now=now,
            )
        ),
        sources=sources,
        platforms=platforms,
        poller=Poller(
            sources,
            papers,
            Lease(redis),
            redis,
            now=now,
            beside=build_enrichment(wiring),
            polled=polled,
        ),
        fanout=Fanout(
            news,
            IndexSync(subscriptions, Matcher),
            outbox,
            subscriptions,
            ChannelRules(redis),
            edits=CardUpdateQueue(redis),
        ),
        deliveries=tuple(map(deliveries, platforms)),
        editors=tuple(map(editor, platforms)),
        web=website(
            settings, redis=redis, papers=papers, search=search, outbox=outbox, platforms=platforms, now=now
        ),
        reached=reached,
    )


class Progress:
    """Says how far a long fetch has come. To have come anywhere is to have reached the source."""

    def __init__(self, reached: asyncio.Event, terminal: Terminal | None) -> None:
        self._reached = reached
        self._terminal = terminal

    def __call__(self, source: str, done: int, total: int) -> None:
        """`done` of `total` days were read."""
        self._reached.set()
        if total > LONG:
            log.info("reading", source=source, days=done, of=total)
            if self._terminal and done % (total // 2) == 1:
                self._terminal.screen.note(reading_card(source, done, total))
