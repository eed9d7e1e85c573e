"""What a process opens before it runs: its settings, the server, the platforms, and the bot that is wired from them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager

import aiohttp
import structlog
from redis.asyncio import Redis

import adapters
from bot.clock import Clock, wall_clock
from bot.domain.errors import ConfigurationError
from bot.ports import Copying, Platform
from bot.settings import Settings
from bot.sources import setting_groups as source_setting_groups
from bot.store.connect import connect, syncs_every_write
from bot.store.crash_recovery import free_claims_of_the_dead
from bot.store.embedded import EmbeddedServer
from bot.wiring import Bot, wire

log = structlog.get_logger(__name__)

POLLER, FANOUT, DELIVERY, WEB = "poller", "fanout", "delivery", "web"
FALLBACK = adapters.FALLBACK
ROLES = (POLLER, FANOUT, DELIVERY, WEB, *adapters.PLATFORMS)


def read_settings() -> Settings:
    """The settings of this process: the core's, every source's and every platform's. Raises ConfigurationError."""
    return Settings.read((*source_setting_groups(), *adapters.setting_groups()))


def choose_roles(names: Sequence[str]) -> frozenset[str]:
    """The roles of this process; no names mean all that are configured. Raises ConfigurationError."""
    unknown = sorted(set(names) - set(ROLES))
    if unknown:
        raise ConfigurationError(f"There is no role “{unknown[0]}”. Roles are {', '.join(ROLES)}.")
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
    """A client of the operator's server, or of one that this process starts. Raises ConfigurationError."""
    if settings.redis_url is not None:
        redis = await connect(settings.redis_url.get_secret_value(), unsafe=settings.unsafe_redis)
        async with aclosing(redis):
            yield redis
        return
    async with EmbeddedServer(settings.data_dir) as server, aclosing(await connect(server.url)) as redis:
        server.serves(redis)
        if server.alone:  # a process that held a lease was killed
            await free_claims_of_the_dead(redis, adapters.PLATFORMS)
        yield redis


def build_platforms(settings: Settings, redis: Redis, roles: frozenset[str]) -> tuple[Platform, ...]:
    """The platforms whose settings are given; the terminal if a role asks for it or nothing else is given.

    Raises ConfigurationError if a role asks for a platform that has no settings.
    """
    built = {name: adapters.build(name, settings, redis) for name in adapters.PLATFORMS if name != FALLBACK}
    platforms = {name: platform for name, platform in built.items() if platform is not None}
    if missing := (roles & built.keys()) - platforms.keys():
        raise ConfigurationError(
            f"The role “{min(missing)}” needs tokens, and none are set. README.md shows how."
        )
    if WEB in roles and settings.port is None:
        raise ConfigurationError("The role “web” needs PORT, the port that it listens on.")
    has_people = any(not isinstance(platform, Copying) for platform in platforms.values())
    if FALLBACK in roles or not (has_people or roles):
        fallback = adapters.build(FALLBACK, settings, redis)
        platforms |= {FALLBACK: fallback} if fallback else {}
    return tuple(platforms.values())
