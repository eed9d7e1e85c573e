"""News of work, so that nobody has to ask for it all the time."""

import asyncio
import random
from collections.abc import Callable

from redis.asyncio import Redis
from redis.exceptions import RedisError
from structlog import get_logger

from bot.store import keys

SWEEP = 20.0
"""Seconds after which everyone looks by themselves, for news that was lost on the way."""
AGAIN_AFTER = 1.0

Listener = Callable[[str], None]

_log = get_logger()


class Wake:
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
            except (RedisError, OSError) as error:
                _log.warning("wake_lost", error=str(error))
                self._tell("")
                await asyncio.sleep(AGAIN_AFTER)

    async def _hear(self) -> None:
        async with self._redis.pubsub(ignore_subscribe_messages=True) as pubsub:
            await pubsub.subscribe(keys.WAKE)
            self._tell("")  # whatever was said while nobody listened
            while True:
                message = await pubsub.get_message(timeout=SWEEP * random.uniform(0.8, 1.2))  # noqa: S311
                if message is None or message["type"] == "message":
                    self._tell(str(message["data"]) if message else "")

    def _tell(self, message: str) -> None:
        for listener in self._listeners:
            listener(message)
