"""A client of a Redis Cluster whose errors are those of a single server's client."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from redis.asyncio import RedisCluster
from redis.asyncio.cluster import ClusterPipeline
from redis.exceptions import ConnectionError as NotConnected
from redis.exceptions import RedisClusterException

ATTEMPTS = 4
"""Times that a command is sent while the Cluster changes its layout."""
PAUSE = 0.1
"""Seconds before the second attempt, doubling. A failover takes longer than all of them: then the caller backs off."""


@contextmanager
def _as_redis_errors() -> Iterator[None]:
    """While a Cluster changes its layout, redis-py 8.1 raises errors that aren't RedisErrors, and an AttributeError if it
    closes a connection that another task is opening."""
    try:
        yield
    except (RedisClusterException, AttributeError) as error:
        raise NotConnected(f"the Cluster is changing: {error}") from error


class Cluster(RedisCluster):
    """redis-py's client, with every failure a RedisError. Any command may be sent again: every write is idempotent."""

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
        return _Pipeline(self, transaction)  # type: ignore[abstract]  # redis-py's pipeline lacks the same methods


class _Pipeline(ClusterPipeline):
    async def execute(self, raise_on_error: bool = True, allow_redirections: bool = True) -> list[Any]:
        with _as_redis_errors():
            return await super().execute(raise_on_error, allow_redirections)
