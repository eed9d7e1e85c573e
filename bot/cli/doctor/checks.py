"""Runs all checks concurrently, so that they take no longer than the slowest one, and reports them in a fixed order."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator
from datetime import datetime
from difflib import get_close_matches

import aiohttp
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.app import build_platforms, open_server
from bot.cli.doctor import machine, server
from bot.cli.doctor.outside import check_outside
from bot.clock import wall_clock
from bot.domain.errors import ConfigurationError
from bot.ports import Copying, Finding, Interactive, Platform
from bot.settings import Settings
from bot.wiring import wire

STAY_DOWN = "Paperboy can't start until this is fixed"


def check_names(names: Collection[str], known: Collection[str]) -> None:
    """Raises ConfigurationError for a platform that doesn't exist."""
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(sorted(known))}."
            raise ConfigurationError(f"There is no platform “{name}”. {hint}")


async def examine(
    settings: Settings, only: Collection[str] = (), now: Callable[[], datetime] = wall_clock
) -> AsyncIterator[Finding]:
    """Yield all findings, prerequisites first. `only` names the platforms to check; if empty, everything is checked.

    Changes nothing. Findings contain no secrets.
    """
    port = None
    if not only:
        yield machine.contact(settings.contact)
        port = asyncio.create_task(machine.port(settings.port)) if settings.port is not None else None
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
    if port is not None:
        yield await port


async def _with_server(
    settings: Settings,
    redis: Redis,
    session: aiohttp.ClientSession,
    only: Collection[str],
    now: Callable[[], datetime],
) -> AsyncIterator[Finding]:
    try:
        platforms = build_platforms(settings, redis, frozenset())
    except ConfigurationError as error:
        yield Finding("settings", ok=False, message=str(error), todo=STAY_DOWN)
        problem, platforms = str(error), ()
    else:
        problem = ""
    try:
        bot = wire(settings, redis, session, platforms, durable=False, now=now)
    except ConfigurationError as error:
        if str(error) != problem:
            yield Finding("settings", ok=False, message=str(error), todo=STAY_DOWN)
        return
    sources = () if only else bot.sources
    outside = asyncio.create_task(check_outside(sources, bot.papers.cursor, platforms, only))
    if not only:
        yield (
            machine.data_folder(settings.data_dir) if settings.redis_url else machine.disk(settings.data_dir)
        )
        async for finding in server.check_server(redis, [platform.name for platform in platforms], now):
            yield finding
    unconnected = () if problem else _unconnected(settings, platforms, only)
    for finding in (*await outside, *unconnected):
        yield finding
    for platform in platforms:
        await platform.close()


def _unconnected(
    settings: Settings, platforms: Iterable[Platform], only: Collection[str]
) -> Iterator[Finding]:
    connected = {platform.name for platform in platforms if not isinstance(platform, Interactive | Copying)}
    for name in sorted(set(only) - connected):
        todo = "README.md says how to connect it"
        yield Finding(name, ok=False, message="its tokens are not set", todo=todo)
    if not connected and not only:
        message = "none: this terminal is the channel"
        yield Finding("platforms", ok=True, message=message, todo=_connect(settings))


def _connect(settings: Settings) -> str:
    ways = (f"{how.replace('`', '')} for {title}" for title, how in settings.connectable)
    return f"to connect one, set {', or '.join(ways)}; README.md has the steps"


def _place(settings: Settings) -> str:
    if settings.redis_url is None:
        return f"Paperboy's own Valkey server, in {settings.data_dir}"
    return "the server of REDIS_URL answers and stores its data"
