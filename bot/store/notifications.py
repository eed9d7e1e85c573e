"""Notifications of new work over Redis pub/sub, so that no worker has to poll for it."""

import asyncio
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from redis.asyncio import Redis

from bot.store import keys
from bot.store.worker_loop import run_worker

SWEEP = 20.0
"""Seconds between sweeps, in which every worker looks for work in case a notification was lost."""

Listener = Callable[[str], None]


class Notifications:
    """One pub/sub subscription per process. Scripts publish which work they created: `papers`, `due slack 07`.

    Listeners are called with each message, and with "" if some may have been missed: then look for all kinds of work.
    They must return at once.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._listeners: list[Listener] = []

    @contextmanager
    def listening(self, listener: Listener) -> Iterator[None]:
        """Call `listener` with every message inside the `with` block."""
        self._listeners.append(listener)
        try:
            yield
        finally:
            self._listeners.remove(listener)

    @contextmanager
    def waiting_for(self, topic: str) -> Iterator[asyncio.Event]:
        """Yield an event that is set by each message of this topic, and when one may have been missed."""
        event = asyncio.Event()

        def listener(message: str) -> None:
            if message in {"", topic}:
                event.set()

        with self.listening(listener):
            yield event

    async def run(self) -> None:
        """Receive messages until cancelled, and reconnect if the connection is lost."""
        await run_worker("notifications", self._receive, on_failure=lambda: self._publish(""))

    async def _receive(self) -> None:
        async with self._redis.pubsub(ignore_subscribe_messages=True) as pubsub:
            await pubsub.subscribe(keys.WAKE)
            self._publish("")  # there may have been messages before we were subscribed
            clock = asyncio.get_running_loop().time
            sweep = _next_sweep()
            while True:
                message = await pubsub.get_message(timeout=max(0.0, sweep - clock()))
                if message is not None and message["type"] == "message":
                    self._publish(str(message["data"]))
                if clock() >= sweep:  # even while messages arrive: one may have been lost
                    self._publish("")
                    sweep = _next_sweep()

    def _publish(self, message: str) -> None:
        for listener in tuple(self._listeners):
            listener(message)


def _next_sweep() -> float:
    return asyncio.get_running_loop().time() + SWEEP * random.uniform(0.8, 1.2)  # noqa: S311  # no secret
