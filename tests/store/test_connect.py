"""A server that would lose Paperboy's data is refused, with advice."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis, RedisCluster

from bot.domain.errors import ConfigurationError
from bot.store import connect as connecting
from bot.store import keys
from bot.store.connect import client, connect, syncs_every_write
from bot.store.migrations import MIGRATIONS


@pytest.fixture
async def config(redis: Redis) -> AsyncIterator[Redis]:
    """Yield a client; afterwards the server's settings are restored."""
    yield redis
    await redis.config_set("maxmemory-policy", "noeviction")
    await redis.config_set("appendonly", "yes")
    await redis.config_set("appendfsync", "everysec")


async def test_a_good_server_is_accepted(redis: Redis, valkey: str) -> None:
    assert not await redis.exists(keys.SCHEMA)
    found = await connect(valkey)
    assert await found.get(keys.SCHEMA) == str(1 + len(MIGRATIONS))
    await found.aclose()


async def test_a_server_that_evicts_is_refused(config: Redis, valkey: str) -> None:
    await config.config_set("maxmemory-policy", "allkeys-lru")
    with pytest.raises(ConfigurationError, match="CONFIG SET maxmemory-policy noeviction"):
        _ = await connect(valkey, unsafe=True)


async def test_a_server_without_persistence_needs_the_operators_consent(config: Redis, valkey: str) -> None:
    await config.config_set("appendonly", "no")
    with pytest.raises(ConfigurationError, match="PAPERBOY_UNSAFE_REDIS"):
        _ = await connect(valkey)
    redis = await connect(valkey, unsafe=True)
    await redis.aclose()


async def test_a_newer_schema_is_refused(redis: Redis, valkey: str) -> None:
    await redis.set(keys.SCHEMA, 2 + len(MIGRATIONS))
    with pytest.raises(ConfigurationError, match="newer Paperboy"):
        _ = await connect(valkey)


async def test_the_error_about_a_missing_server_omits_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connecting, "CONNECT_TIMEOUT", 0.5)
    with pytest.raises(ConfigurationError, match=r"No Redis answers at 127\.0\.0\.1:1: ") as error:
        _ = await connect("redis://:planted-secret@127.0.0.1:1/0")
    assert "planted-secret" not in str(error.value)


@pytest.mark.parametrize("url", ["http://x", "redis+sentinel://host:1", "localhost:6379", "redis+what://x"])
def test_an_invalid_url_is_an_error(url: str) -> None:
    with pytest.raises(ConfigurationError, match="REDIS_URL"):
        _ = client(url)


async def test_every_form_of_url_gives_a_client() -> None:
    assert isinstance(client("redis+cluster://:pw@host:7000"), RedisCluster)
    one = client("rediss+sentinel://me:p%40ss@one:26379,two:26380/main/3?sentinel_password=x")
    options = one.connection_pool.connection_kwargs
    assert (options["username"], options["password"], options["db"]) == ("me", "p@ss", 3)
    socket = client("unix:///run/redis%20here.sock").connection_pool.connection_kwargs
    assert socket["path"] == "/run/redis here.sock"


@pytest.mark.parametrize(
    ("facts", "accepted"),
    [
        ({"redis_version": "7.0.15"}, True),
        ({"redis_version": "6.2.14"}, False),
        ({"redis_version": "7.2.4", "valkey_version": "8.0.1"}, True),
        ({"redis_version": "7.2.4", "valkey_version": "7.2.5"}, False),
    ],
)
def test_old_servers_are_refused(facts: dict[str, str], *, accepted: bool) -> None:
    server = {**facts, "maxmemory_policy": "noeviction", "aof_enabled": 1}
    if accepted:
        connecting._check(server, unsafe=False)
    else:
        with pytest.raises(ConfigurationError, match="too old"):
            connecting._check(server, unsafe=False)


async def test_a_server_that_syncs_every_write_is_recognized(config: Redis) -> None:
    assert await syncs_every_write(config) is False
    await config.config_set("appendfsync", "always")
    assert await syncs_every_write(config) is True
