"""The order in which things are looked at: what all else stands on comes first."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterable
from datetime import datetime

import aiohttp
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.app import build_platforms, open_server, wall_clock, wire
from bot.cli.doctor import machine, server
from bot.domain.errors import ConfigurationError, SourceError
from bot.ports import Diagnosable, Finding, Interactive, Platform, Source
from bot.settings import Settings

PATIENCE = 60.0
"""Seconds for a source: its first days, politely."""

log = structlog.get_logger(__name__)


async def examine(
    settings: Settings, only: Collection[str] = (), now: Callable[[], datetime] = wall_clock
) -> AsyncIterator[Finding]:
    """Each finding as soon as it is there: a source can take seconds. `only` names platforms; none means all.

    Nothing is changed, and no secret is told.
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
        yield Finding("redis", ok=False, message=str(error), todo="Paperboy can't start before this is right")
    except (RedisError, OSError) as error:
        yield Finding(
            "redis",
            ok=False,
            message=f"it went away, or does not let us look: {error}",
            todo="try again in a minute; if it stays so, the user of REDIS_URL is confined too much",
        )


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
        yield Finding(
            "settings", ok=False, message=str(error), todo="Paperboy can't start before this is right"
        )
        platforms = ()
    if not only:
        own = settings.redis_url is None
        yield machine.disk(settings.data_dir) if own else machine.data_folder(settings.data_dir)
        async for finding in server.look_into(redis, [one.name for one in platforms], now):
            yield finding
        bot = wire(settings, redis, session, platforms, durable=False, now=now)
        for source in bot.sources:
            yield await _source(source, await bot.papers.cursor(source.name))
    async for finding in _platforms(platforms, only):
        yield finding
    for platform in platforms:
        await platform.close()


async def _platforms(platforms: Iterable[Platform], only: Collection[str]) -> AsyncIterator[Finding]:
    connected = [one for one in platforms if not isinstance(one, Interactive)]
    for platform in connected:
        if isinstance(platform, Diagnosable) and (not only or platform.name in only):
            try:
                findings = list(await platform.diagnose())
            except Exception as error:  # the edge: what can't be looked at is a finding, too
                log.debug("examining failed", platform=platform.name, exc_info=True)
                message = f"could not be looked at: {type(error).__name__}: {error}"
                findings = [Finding(platform.name, ok=False, message=message, todo="try again in a minute")]
            for finding in findings:
                yield finding
    for name in sorted(set(only) - {one.name for one in connected}):
        yield Finding(name, ok=False, message="its tokens are not set", todo="see README.md on connecting it")
    if not connected and not only:
        todo = "SLACK_BOT_TOKEN and SLACK_APP_TOKEN, or DISCORD_TOKEN, connect one: see README.md"
        yield Finding("platforms", ok=True, message="none: this terminal is the channel", todo=todo)


def _place(settings: Settings) -> str:
    if settings.redis_url is None:
        return f"a Valkey server of Paperboy's own, in {settings.data_dir}"
    return "the server of REDIS_URL answers, and keeps its data"


async def _source(source: Source, cursor: str | None) -> Finding:
    todo = "check this machine's way out (DNS, proxy, firewall); it is retried by itself"
    try:
        async with asyncio.timeout(PATIENCE):
            batch = await source.fetch(cursor)
    except SourceError as error:
        if error.refused:
            todo = "it does not want us: set PAPERBOY_CONTACT, and ask less often; it is left alone for a day"
        return Finding(source.name, ok=False, message=str(error), todo=todo)
    except TimeoutError:
        return Finding(source.name, ok=False, message=f"no answer within {PATIENCE:.0f} s", todo=todo)
    except Exception as error:  # the edge: the others are looked at all the same
        log.debug("examining failed", source=source.name, exc_info=True)
        todo = "that is a bug of Paperboy's; the other sources go on"
        return Finding(source.name, ok=False, message=f"{type(error).__name__}: {error}", todo=todo)
    return Finding(source.name, ok=True, message=f"read, {len(batch.papers)} papers listed now")
