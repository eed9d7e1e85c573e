"""News of work, so that nobody has to ask for it all the time."""

import asyncio
import random
from collections.abc import Callable

from redis.asyncio import Redis
from redis.exceptions import RedisClusterException, RedisError
from structlog import get_logger

from bot.store import keys

SWEEP = 20.0
"""Seconds after which everyone looks by themselves, for news that was lost on the way."""
AGAIN_AFTER = 1.0

Listener = Callable[[str], None]

_log = get_logger()


class Notifications:
    """One subscription for each process. Scripts publish what work they made: `papers`, `due slack 07`.

    Listeners are called with each message, and with "" where some may have been missed: look at everything.
    They must return at once.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> None:
        """Call `listener` with all news from now on."""
        self._listeners.append(listener)

    async def run(self) -> None:
        """Hear news until cancelled; a lost connection is made again."""
        while True:
            try:
                await self._hear()
            except (RedisError, RedisClusterException, OSError, AttributeError) as error:  # see cluster.py
                _log.warning("wake_lost", error=str(error))
                self._tell("")
                await asyncio.sleep(AGAIN_AFTER)

    async def _hear(self) -> None:
        async with self._redis.pubsub(ignore_subscribe_messages=True) as pubsub:
            await pubsub.subscribe(keys.WAKE)
            self._tell("")  # whatever was said while nobody listened
            clock = asyncio.get_running_loop().time
            sweep = _next_sweep()
            while True:
                message = await pubsub.get_message(timeout=max(0.0, sweep - clock()))
                if message is not None and message["type"] == "message":
                    self._tell(str(message["data"]))
                if clock() >= sweep:  # also amid a lot of news: one message may still have been lost
                    self._tell("")
                    sweep = _next_sweep()

    def _tell(self, message: str) -> None:
        for listener in self._listeners:
            listener(message)


def _next_sweep() -> float:
    return asyncio.get_running_loop().time() + SWEEP * random.uniform(0.8, 1.2)  # noqa: S311  # no secret
