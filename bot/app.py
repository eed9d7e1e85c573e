"""Opens what a process needs before it runs: settings, the Redis server, platforms, and the bot wired from them."""

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
    """Read the settings of the core, of all sources and of all platforms. Raises ConfigurationError."""
    return Settings.read((*source_setting_groups(), *adapters.setting_groups()))


def choose_roles(names: Sequence[str]) -> frozenset[str]:
    """Return this process's roles; without names, all that are configured. Raises ConfigurationError."""
    unknown = sorted(set(names) - set(ROLES))
    if unknown:
        raise ConfigurationError(f"There is no role “{unknown[0]}”. Roles are {', '.join(ROLES)}.")
    return frozenset(names)


@asynccontextmanager
async def open_bot(
    settings: Settings, roles: frozenset[str] = frozenset(), now: Clock = wall_clock
) -> AsyncIterator[Bot]:
    """Open a wired bot, and close its connections at the end. Raises ConfigurationError."""
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
    """Connect to the operator's Redis server, or to one that this process starts. Raises ConfigurationError."""
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
    """Build the platforms that are configured, and the terminal if a role names it or nothing else is configured.

    Raises ConfigurationError if a role names a platform that isn't configured.
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
