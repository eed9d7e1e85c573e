"""Connects to the Redis or Valkey server that stores everything, and refuses one that would lose data."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, cast
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from redis.asyncio import Redis, RedisCluster, Sentinel
from redis.asyncio.cluster import ClusterPipeline
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import SentinelConnectionPool
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    BusyLoadingError,
    NoPermissionError,
    RedisClusterException,
    RedisError,
)
from redis.exceptions import ConnectionError as NotConnected

from bot.domain.errors import ConfigurationError
from bot.domain.network_errors import network_reason
from bot.store.migrations import migrate

REDIS_AT_LEAST = (7, 0)
"""The oldest version of Redis that has what Paperboy uses."""
VALKEY_AT_LEAST = (8, 0)
"""The oldest version of Valkey that has it."""
CONNECTIONS = 500
"""Maximum number of connections of a process to one server; it has about ten, and more only under load."""
CONNECT_TIMEOUT = 4.0
"""Seconds within which a server that was just started must answer."""
FORMS = "redis://, rediss://, unix://, redis+sentinel:// or redis+cluster://"


def client(url: str) -> Redis:
    """Return a client for a URL of one of these forms; nothing is sent yet. Raises ConfigurationError for other URLs.

    - `redis://[user:password@]host[:port][/db]`, `rediss://…` with TLS, `unix:///path/to/socket`
    - `redis+sentinel://[user:password@]host[:port][,host:port…]/service[/db]`, with
      `?sentinel_username=…&sentinel_password=…` if the sentinels need them
    - `redis+cluster://[user:password@]host[:port]`, of any node of the Cluster
    - `rediss+sentinel://` and `rediss+cluster://` with TLS

    A command times out after 5 s, and is repeated up to 3 times within about a second: every write is idempotent.
    """
    try:
        parts = urlsplit(url)
        base, _, topology = parts.scheme.partition("+")
        if base in {"redis", "rediss"} and topology == "sentinel":
            return _sentinel(parts, tls=base == "rediss")
        if base in {"redis", "rediss"} and topology == "cluster":
            plain = parts._replace(scheme=base).geturl()
            return cast("Redis", Cluster.from_url(plain, **_options()))  # it takes the same commands
        if not topology and base in {"redis", "rediss"}:
            int(parts.path.strip("/") or 0)  # redis-py would take the database 0 for anything else
        if parts.scheme in {"redis", "rediss", "unix"}:
            return Redis.from_url(url, health_check_interval=30, **_options())
    except (ValueError, RedisClusterException):
        raise ConfigurationError(
            "REDIS_URL can't be read. It is like redis://host:6379/0: its port and its database are numbers"
        ) from None
    raise ConfigurationError(f"REDIS_URL must begin with {FORMS}")


async def connect(url: str, *, unsafe: bool = False) -> Redis:
    """Return a client of a server, after checking the server's version, eviction policy, persistence and schema.

    `unsafe` accepts a server that reports no persistence. Raises ConfigurationError within about 5 s, which says what
    to change and never shows a password.
    """
    redis = client(url)
    try:
        servers = await _wait_for_info(redis)
    except (AuthenticationError, AuthorizationError, NoPermissionError) as error:
        await redis.aclose()
        raise ConfigurationError(f"Redis at {_place(url)} refuses us: {error}. Check REDIS_URL.") from None
    except (RedisError, RedisClusterException, OSError, TimeoutError) as error:
        await redis.aclose()
        raise ConfigurationError(
            f"No Redis answers at {_place(url)}: {network_reason(error)}. Check REDIS_URL."
        ) from None
    try:
        for server in servers:
            _check(server, unsafe=unsafe)
        await migrate(redis)
    except ConfigurationError:
        await redis.aclose()
        raise
    except RedisError as error:
        await redis.aclose()
        raise ConfigurationError(
            f"Redis at {_place(url)} answers, but can't be written to: {error}. Is it a replica, read-only, "
            "or does the user of REDIS_URL lack permissions?"
        ) from None
    return redis


async def syncs_every_write(redis: Redis) -> bool:
    """Whether an answered write survives even a power cut (`appendfsync always`); False if the server hides that."""
    try:
        answer = await redis.config_get("appendfsync")
    except RedisError:
        return False
    return bool(answer.get("appendfsync") == "always")


def _options() -> dict[str, Any]:
    return {
        "decode_responses": True,
        "socket_timeout": 5.0,
        "socket_connect_timeout": 3.0,
        "max_connections": CONNECTIONS,
        "retry": Retry(ExponentialWithJitterBackoff(base=0.05, cap=0.5), 3),
    }


def _sentinel(parts: SplitResult, *, tls: bool) -> Redis:
    credentials, _, hosts = parts.netloc.rpartition("@")
    user, _, password = credentials.partition(":")
    service, _, database = parts.path.strip("/").partition("/")
    if not service:
        raise ConfigurationError("REDIS_URL needs the service's name: redis+sentinel://host:26379/mymaster")
    params = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    sentinel = Sentinel(  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
        [_address(host) for host in hosts.split(",")],
        sentinel_kwargs={
            "username": params.get("sentinel_username"),
            "password": params.get("sentinel_password"),
            "socket_timeout": 2.0,
            "socket_connect_timeout": 2.0,
            "ssl": tls,
        },
        username=unquote(user) or None,
        password=unquote(password) or None,
        db=int(database or 0),
        ssl=tls,
        **_options(),
    )
    return cast("Redis", sentinel.master_for(service, redis_class=_Watched))


class _Watched(Redis):
    """A client of a primary that sentinels watch. redis-py leaves the connections to the sentinels open."""

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        await super().aclose(close_connection_pool)
        pool = self.connection_pool
        if isinstance(pool, SentinelConnectionPool):
            for sentinel in pool.sentinel_manager.sentinels:
                await sentinel.aclose()


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":") if ":" in text else (text, "", "26379")
    return host, int(port)


async def _wait_for_info(redis: Redis) -> list[dict[str, Any]]:
    """Return the INFO of the server, or of every primary of a Cluster, once it answers."""
    failure: Exception = TimeoutError(f"no answer within {CONNECT_TIMEOUT:.0f} s")
    with suppress(TimeoutError):
        async with asyncio.timeout(CONNECT_TIMEOUT):
            while True:
                try:
                    return await _info(redis)
                except (AuthenticationError, AuthorizationError, NoPermissionError):
                    raise
                except (RedisError, RedisClusterException, OSError) as error:
                    failure = error
                await asyncio.sleep(0.2)
    raise failure  # raised here, so that it keeps its cause


async def _info(redis: Redis) -> list[dict[str, Any]]:
    """Return the INFO of each server. Raises BusyLoadingError while a server is still reading its data."""
    if isinstance(redis, RedisCluster):
        answers: Mapping[str, Any] = await redis.info(target_nodes=RedisCluster.PRIMARIES)
        servers = [answers] if "redis_version" in answers else list(answers.values())
    else:
        servers = [await redis.info()]
    if any(server.get("loading") for server in servers):
        raise BusyLoadingError("it is still reading its data")
    return servers


def _check(server: Mapping[str, Any], *, unsafe: bool) -> None:
    valkey = server.get("valkey_version")
    name, version = ("Valkey", valkey) if valkey else ("Redis", server.get("redis_version", "0"))
    needed = VALKEY_AT_LEAST if valkey else REDIS_AT_LEAST
    if _version(str(version)) < needed:
        raise ConfigurationError(
            f"{name} {version} is too old: {'.'.join(map(str, needed))} or newer is needed."
        )
    policy = server.get("maxmemory_policy")
    if policy != "noeviction" and not (unsafe and policy is None):
        raise ConfigurationError(
            f"This server may delete what Paperboy must remember (maxmemory-policy {policy or 'hidden'}). "
            "Set it there: CONFIG SET maxmemory-policy noeviction"
        )
    if not server.get("aof_enabled") and not unsafe:
        raise ConfigurationError(
            "This server would forget on a restart which papers were posted (appendonly is off). Set it there: "
            "CONFIG SET appendonly yes; or, if it keeps its data in another way, set PAPERBOY_UNSAFE_REDIS=1"
        )


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in _numbers(text.split(".")[:2]))


def _numbers(parts: Iterable[str]) -> Iterable[str]:
    return (part for part in parts if part.isdigit())


def _place(url: str) -> str:
    """Return the server's address without user and password."""
    parts = urlsplit(url)
    return parts.netloc.rpartition("@")[2] or parts.path


ATTEMPTS = 4
"""Maximum number of times that a command is sent while the Cluster changes its layout."""
PAUSE = 0.1
"""Seconds before the second attempt, doubling. A failover takes longer than all of them: then the caller backs off."""


@contextmanager
def _as_redis_errors() -> Iterator[None]:
    """Turn errors of a Cluster that changes its layout into RedisErrors.

    redis-py 8.1 then raises errors that aren't RedisErrors, and an AttributeError if it closes a connection that
    another task is opening.
    """
    try:
        yield
    except (RedisClusterException, AttributeError) as error:
        raise NotConnected(f"the Cluster is changing: {error}") from error


class Cluster(RedisCluster):
    """redis-py's client, but every failure is a RedisError. Commands can be sent again: every write is idempotent."""

    async def execute_command(self, *args: Any, **kwargs: Any) -> Any:
        for attempt in range(ATTEMPTS - 1):
            try:
                with _as_redis_errors():
                    return await super().execute_command(*args, **kwargs)
            except NotConnected:
                await asyncio.sleep(PAUSE * 2**attempt)
        with _as_redis_errors():
            return await super().execute_command(*args, **kwargs)

    def pipeline(self, transaction: Any = None, *_: Any, **__: Any) -> ClusterPipeline:
        return _Pipeline(self, transaction)  # type: ignore[abstract]  # redis-py's class lacks its protocol's attribute


class _Pipeline(ClusterPipeline):
    async def execute(self, raise_on_error: bool = True, allow_redirections: bool = True) -> list[Any]:
        with _as_redis_errors():
            return await super().execute(raise_on_error, allow_redirections)
