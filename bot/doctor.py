"""`paperboy doctor`: looks at everything between a new operator and the first post."""

import shutil
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime
from pathlib import Path

from redis.asyncio import Redis

from bot.app import open_bot
from bot.errors import ConfigurationError, SourceError
from bot.ports import Diagnosable, Finding, Platform, Source
from bot.settings import Settings

LEAST_DISK = 200 * 1024 * 1024
"""Bytes; the append-only file is written anew beside the old one."""
MOST_DRIFT = 30
"""Seconds between this machine's clock and the server's; due times are shown by one and kept by the other."""


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """Each finding as soon as it is there: a source can take seconds."""
    yield _contact(settings)
    try:
        async with open_bot(settings) as bot:
            yield Finding("redis", ok=True, message=_server(settings))
            if settings.redis_url is None:
                yield _disk(settings.data_dir)
            yield await _clock(bot.redis)
            for source in bot.sources:
                yield await _source(source)
            async for finding in _platforms(bot.platforms):
                yield finding
    except ConfigurationError as error:
        yield Finding("redis", ok=False, message=str(error), todo="Paperboy can't start before this is right")


async def _platforms(platforms: Iterable[Platform]) -> AsyncIterator[Finding]:
    for platform in platforms:
        if isinstance(platform, Diagnosable):
            for finding in await platform.diagnose():
                yield finding


def _server(settings: Settings) -> str:
    if settings.redis_url is None:
        return f"a Valkey server of Paperboy's own, in {settings.data_dir}"
    return "the server of REDIS_URL answers, and keeps its data"


def _contact(settings: Settings) -> Finding:
    if settings.contact:
        return Finding("contact", ok=True, message=f"upstreams are told {settings.contact}")
    return Finding(
        "contact",
        ok=True,
        message="upstreams are told no address; arXiv asks for one",
        todo="set PAPERBOY_CONTACT to your e-mail address",
    )


def _disk(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    message = f"{free // 2**20} MB free in {folder}"
    todo = (
        ""
        if free >= LEAST_DISK
        else f"free some space, or set PAPERBOY_DATA_DIR to a larger disk than {folder}"
    )
    return Finding("disk", ok=free >= LEAST_DISK, message=message, todo=todo)


async def _clock(redis: Redis) -> Finding:
    seconds, micros = await redis.time()
    drift = abs(datetime.now(UTC).timestamp() - (seconds + micros / 1e6))
    ok = drift <= MOST_DRIFT
    todo = "" if ok else "set both machines' clocks by NTP"
    return Finding("clock", ok=ok, message=f"{drift:.1f} s from the Redis server's", todo=todo)


async def _source(source: Source) -> Finding:
    try:
        batch = await source.fetch(None)
    except SourceError as error:
        return Finding(
            source.name,
            ok=False,
            message=str(error),
            todo="check this machine's way out (DNS, proxy, firewall); it is retried by itself",
        )
    return Finding(source.name, ok=True, message=f"read, {len(batch.papers)} papers listed now")
