"""All checks, side by side, so that the whole takes no longer than the slowest; their order is fixed."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Sequence
from datetime import datetime

import aiohttp
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.app import build_platforms, open_server
from bot.cli.doctor import machine, server
from bot.clock import wall_clock
from bot.domain.errors import ConfigurationError, SourceError
from bot.ports import Copying, Diagnosable, Finding, Interactive, Platform, Source
from bot.settings import Settings
from bot.wiring import wire

TIMEOUT = 8.0
"""Seconds for one source or platform: an operator waits, and all are checked at the same time."""
CHECK_NETWORK = "check this machine's network (DNS, proxy, firewall); Paperboy keeps trying"
STAY_DOWN = "Paperboy can't start until this is fixed"

log = structlog.get_logger(__name__)


async def examine(
    settings: Settings, only: Collection[str] = (), now: Callable[[], datetime] = wall_clock
) -> AsyncIterator[Finding]:
    """Every finding; what others depend on comes first. `only` names platforms to check, none means everything.

    Changes nothing. No finding contains a secret.
    """
    if not only:
        yield machine.contact(settings.contact)
        if settings.port is not None:
            yield await machine.port(settings.port)
    try:
        async with open_server(settings) as redis, aiohttp.ClientSession() as session:
            yield Finding("redis", ok=True, message=_place(settings))
            async for finding in _with_server(settings, redis, session, only, now):
                yield finding
    except ConfigurationError as error:
        yield Finding("redis", ok=False, message=str(error), todo=STAY_DOWN)
    except (RedisError, OSError) as error:
        yield Finding(
            "redis",
            ok=False,
            message=f"it stopped answering, or doesn't allow a command: {error}",
            todo="try again in a minute; if that doesn't help, give the user of REDIS_URL more rights",
        )


async def _with_server(
    settings: Settings,
    redis: Redis,
    session: aiohttp.ClientSession,
    only: Collection[str],
    now: Callable[[], datetime],
) -> AsyncIterator[Finding]:
    wrong: Finding | None = None
    try:
        platforms = build_platforms(settings, redis, frozenset())
    except ConfigurationError as error:
        platforms = ()
        wrong = Finding("settings", ok=False, message=str(error), todo=STAY_DOWN)
        yield wrong
    bot = wire(settings, redis, session, platforms, durable=False, now=now)
    cursor = bot.papers.cursor
    sources = asyncio.create_task(_sources(() if only else bot.sources, cursor))
    connections = asyncio.create_task(_platforms(platforms, only))
    if not only:
        yield (
            machine.data_folder(settings.data_dir) if settings.redis_url else machine.disk(settings.data_dir)
        )
        async for finding in server.check_server(redis, [one.name for one in platforms], now):
            yield finding
    for finding in (*await sources, *await connections):
        yield finding
    connected = {one.name for one in platforms if not isinstance(one, Interactive | Copying)}
    for name in sorted(set(only) - connected):
        yield Finding(
            name, ok=False, message="its tokens are not set", todo="README.md says how to connect it"
        )
    if not connected and not only and wrong is None:
        yield Finding(
            "platforms", ok=True, message="none: this terminal is the channel", todo=_connect(settings)
        )
    for platform in platforms:
        await platform.close()


def _connect(settings: Settings) -> str:
    ways = (f"{how.replace('`', '')} for {title}" for title, how in settings.connectable)
    return f"to connect one, set {', or '.join(ways)}; README.md has the steps"


async def _platforms(platforms: Iterable[Platform], only: Collection[str]) -> list[Finding]:
    checked = (
        _platform(platform, platform.name)
        for platform in platforms
        if isinstance(platform, Diagnosable) and (not only or platform.name in only)
    )
    return [finding for findings in await asyncio.gather(*checked) for finding in findings]


async def _platform(platform: Diagnosable, name: str) -> Iterable[Finding]:
    try:
        async with asyncio.timeout(TIMEOUT):
            return list(await platform.diagnose())
    except TimeoutError:
        message = f"no answer within {TIMEOUT:.0f} s"
    except Exception as error:  # the edge: a check that fails is a finding, too
        log.debug("check_failed", platform=name, exc_info=True)
        message = f"could not be checked: {type(error).__name__}: {error}"
    return [Finding(name, ok=False, message=message, todo="try again in a minute")]


async def _sources(
    sources: Sequence[Source], cursor: Callable[[str], Awaitable[str | None]]
) -> list[Finding]:
    """One finding for each upstream: categories that one server lists share their fate."""
    upstreams: dict[tuple[str, type], list[Source]] = defaultdict(list)
    for source in sources:
        upstreams[source.name.partition(":")[0], type(source)].append(source)
    checks = [_upstream(members, await cursor(members[0].name)) for members in upstreams.values()]
    findings = list(await asyncio.gather(*checks))
    unreachable = [one for one in findings if one.todo == CHECK_NETWORK]
    if len(unreachable) > 1 and len(unreachable) == len(findings):
        names = ", ".join(one.name for one in unreachable)
        message = f"none can be reached ({names}); the first one: {unreachable[0].message}"
        return [Finding("sources", ok=False, message=message, todo=CHECK_NETWORK)]
    return findings


async def _upstream(members: Sequence[Source], cursor: str | None) -> Finding:
    source, others = members[0], [member.name.partition(":")[2] for member in members[1:]]
    name = source.name
    also = (
        f" ({len(others)} more there: {', '.join(others[:5])}{', …' if len(others) > 5 else ''})"
        if others
        else ""
    )
    todo = CHECK_NETWORK
    try:
        async with asyncio.timeout(TIMEOUT):
            batch = await source.fetch(cursor)
    except SourceError as error:
        message = str(error)
        if error.refused:
            todo = "it rejects Paperboy: set PAPERBOY_CONTACT; Paperboy tries again in a day"
    except TimeoutError:
        message = f"no answer within {TIMEOUT:.0f} s"
    except Exception as error:  # the edge: the other sources are checked all the same
        log.debug("check_failed", source=name, exc_info=True)
        message, todo = (
            f"{type(error).__name__}: {error}",
            "this is a bug in Paperboy; other sources still work",
        )
    else:
        return Finding(name, ok=True, message=f"reachable, {len(batch.papers)} papers listed now{also}")
    return Finding(name, ok=False, message=f"{message}{also}", todo=todo)


def _place(settings: Settings) -> str:
    if settings.redis_url is None:
        return f"Paperboy's own Valkey server, in {settings.data_dir}"
    return "the server of REDIS_URL answers and stores its data"
