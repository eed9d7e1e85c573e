"""The program refuses a server that would lose its data: at once, with one line that says what to do."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bot.store import keys
from bot.store.migrations import MIGRATIONS
from tests.program import environment, start


@pytest.fixture
async def config(redis: Redis) -> AsyncIterator[Redis]:
    """Yield a client; afterwards the server's settings are restored."""
    yield redis
    await redis.config_set("maxmemory-policy", "noeviction")
    await redis.config_set("appendonly", "yes")


async def refused(folder: Path, valkey: str) -> str:
    process = await start("run", env=environment(folder, REDIS_URL=valkey))
    _, output = await process.communicate()
    assert process.returncode == 78
    lines = output.decode().splitlines()
    assert len(lines) == 1, lines
    return lines[0]


async def test_a_server_that_evicts_is_refused(config: Redis, valkey: str, tmp_path: Path) -> None:
    await config.config_set("maxmemory-policy", "allkeys-lru")
    assert "CONFIG SET maxmemory-policy noeviction" in await refused(tmp_path, valkey)


async def test_a_server_without_persistence_is_refused(config: Redis, valkey: str, tmp_path: Path) -> None:
    await config.config_set("appendonly", "no")
    assert "CONFIG SET appendonly yes" in await refused(tmp_path, valkey)


async def test_a_server_used_by_a_newer_version_is_refused(
    config: Redis, valkey: str, tmp_path: Path
) -> None:
    await config.set(keys.SCHEMA, 2 + len(MIGRATIONS))
    assert "update Paperboy" in await refused(tmp_path, valkey)
