"""The delivery worker: claims deliveries that are due, and sends many of them at the same time."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from math import inf
from time import monotonic
from typing import Literal
from uuid import uuid4

from structlog import get_logger

from bot.domain.deliveries import Delivery
from bot.pipeline.outcomes import Outcomes
from bot.pipeline.pauses import CopyOwners, Pauses
from bot.pipeline.sending import Render, Sender
from bot.ports import Platform
from bot.store import keys
from bot.store.limits import RateLimiter
from bot.store.notifications import Notifications
from bot.store.outbox.outbox import Outbox
from bot.store.papers import Papers
from bot.store.worker_loop import CONNECTION_ERRORS, run_worker

__all__ = ["DRAIN", "DeliveryWorker", "Render"]

MAX_IN_FLIGHT = 128
"""Maximum number of deliveries that one process sends at the same time."""
MAX_WAIT = 5.0
"""Maximum seconds that `deliver_due` waits for a rate limit or the look-up of an uncertain post."""
DRAIN = 18.0
"""Maximum seconds that posts in flight get at shutdown: more than a send takes (`SEND_TIMEOUT`), less than the 30 s
after which the recipes in deploy/ kill the process. docs/operators.md quotes it."""
CANCEL_AGAIN_AFTER = 1.0
"""Seconds after which a post that ignored its cancellation is cancelled again."""
REPLAY_CHECK = 5.0
"""Seconds between two attempts to announce recent papers again."""
PROBE_EVERY = 15.0
"""Seconds between two deliveries that probe a platform that is down, if no other is due."""

_log = get_logger()


class DeliveryWorker:
    """Posts due deliveries on one platform, together with its replicas.

    `on_uncertain` says what to do with an uncertain post if the platform can't look it up. `replay_recent` is called if
    Redis restarted and may have lost its last writes: it announces recent papers again and returns True, or False if it
    has to be called again later. `owners` notifies the owners of copies, if the platform's channels are copies.
    """

    def __init__(
        self,
        platform: Platform,
        outbox: Outbox,
        papers: Papers,
        rates: RateLimiter,
        render: Render,
        *,
        on_uncertain: Literal["resend", "hold"] = "resend",
        replay_recent: Callable[[], Awaitable[bool]] | None = None,
        owners: CopyOwners | None = None,
    ) -> None:
        self._platform = platform
        self._outbox = outbox
        self._outcomes = Outcomes(
            platform.name, outbox, rates, Pauses(platform, outbox, owners), self._on_outcome
        )
        self._sender = Sender(
            platform, outbox, papers, rates, render, on_uncertain=on_uncertain, outcomes=self._outcomes
        )
        self._replay_recent = replay_recent
        self._next_look = dict.fromkeys(range(keys.SHARDS), 0.0)
        self._next_probe = 0.0
        self._changed = asyncio.Event()
        self._stopping = False
        self._claiming = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._counts: Counter[str] = Counter()

    async def run(self, notifications: Notifications) -> None:
        """Post due deliveries until `drain` is called."""

        async def work() -> None:
            self._changed.clear()
            if not self._stopping and not await self._claim():
                await self._wait()

        with notifications.listening(self._on_notification):
            await run_worker(
                f"delivery {self._platform.name}",
                work,
                until=lambda: self._stopping,
                on_failure=self._look_everywhere,
            )
            await self._finish()

    async def drain(self) -> None:
        """Claim nothing more, and return once all posts in flight have ended.

        Those that take longer than `DRAIN` are cancelled; the next worker reconciles them with the platform.
        """
        self._stopping = True
        self._changed.set()
        async with self._claiming:  # a claim that is under way can still start posts
            in_flight = set(self._tasks)
        if in_flight:
            await asyncio.wait(in_flight, timeout=DRAIN)
        if self._tasks:
            _log.warning("drain_cut_off", platform=self._platform.name, deliveries=len(self._tasks))
        while self._tasks:  # redis-py can lose a cancellation
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(self._tasks, timeout=CANCEL_AGAIN_AFTER)

    async def deliver_due(self) -> Counter[str]:
        """Post everything that is due now. Returns the number of deliveries by outcome: `posted`, `pending`, …"""
        self._counts.clear()
        self._look_everywhere()
        while True:
            await self._claim()
            if self._tasks:
                await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
                continue
            pause = max(min(self._next_look.values()), self._outcomes.not_before) - monotonic()
            if pause > MAX_WAIT:
                return Counter(self._counts)
            await asyncio.sleep(max(0.0, pause))

    async def _finish(self) -> None:
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _on_notification(self, message: str) -> None:
        kind, _, rest = message.partition(" ")
        platform, _, shard = rest.partition(" ")
        if not kind:
            self._look_everywhere()
        elif kind == "due" and platform == self._platform.name:
            self._look(int(shard), 0.0)

    def _look_everywhere(self) -> None:
        for shard in self._next_look:
            self._look(shard, 0.0)

    def _look(self, shard: int, wait: float | None) -> None:
        """Look at a shard in `wait` seconds or earlier."""
        if wait is not None:
            self._next_look[shard] = min(self._next_look[shard], monotonic() + wait)
            self._changed.set()

    @property
    def _free(self) -> int:
        """Number of further deliveries that can be started. If the platform is down, one at a time probes it."""
        return (1 if self._outcomes.health.is_down else MAX_IN_FLIGHT) - len(self._tasks)

    async def _claim(self) -> int:
        """Claim deliveries from the shards that may have some due, and start to send them. Returns how many."""
        async with self._claiming:
            return await self._claim_due()

    async def _claim_due(self) -> int:
        now = monotonic()
        if self._free <= 0 or now < self._outcomes.not_before:
            return 0
        await self._probe(now)
        shards = [shard for shard, at in self._next_look.items() if at <= now]
        if self._outcomes.health.is_down:
            shards = random.sample(shards, min(1, len(shards)))
        if not shards:
            return 0
        for shard in shards:
            self._next_look[shard] = inf
        try:
            claims = await self._outbox.claim(self._platform.name, self._free, shards, token=uuid4().hex)
        except BaseException:
            self._look_everywhere()
            raise
        for shard, wait in claims.next_look.items():
            self._look(shard, wait)
        for delivery in claims.deliveries:
            self._start(delivery)
            await asyncio.sleep(0)  # lets commands run in between
        if claims.forgot:
            await self._replay(claims.forgot)
        return len(claims.deliveries)

    async def _probe(self, now: float) -> None:
        """While the platform is down, make one failed delivery due now and then, to see whether it works again."""
        if not self._outcomes.health.is_down or now < self._next_probe:
            return
        self._next_probe = now + PROBE_EVERY
        for shard in range(keys.SHARDS):
            if await self._outbox.hasten(self._platform.name, shard, channels=1):
                self._look(shard, 0.0)
                return

    async def _replay(self, forgot: Mapping[int, str]) -> None:
        """Announce recent papers again, for shards that may have lost some of their posts."""
        if self._replay_recent is None or await self._replay_recent():
            await self._outbox.mark_replayed(forgot)
        else:
            for shard in forgot:
                self._look(shard, REPLAY_CHECK)

    async def _wait(self) -> None:
        """Wait until a delivery may be due and can be sent."""
        until = inf
        if self._free > 0:
            until = min(self._next_look.values())
            if self._outcomes.health.is_down:
                until = min(until, self._next_probe)
            until = max(until, self._outcomes.not_before)
        if until == inf:
            await self._changed.wait()
            return
        try:
            async with asyncio.timeout(max(0.0, until - monotonic())):
                await self._changed.wait()
        except TimeoutError:
            return

    def _start(self, delivery: Delivery) -> None:
        _log.debug("delivery_claimed", delivery=delivery.key, state=delivery.state, tries=delivery.tries)
        task = asyncio.create_task(self._send(delivery), name=delivery.key)
        self._tasks.add(task)
        task.add_done_callback(self._task_ended)

    async def _send(self, delivery: Delivery) -> None:
        try:
            await self._sender.send(delivery)
        except CONNECTION_ERRORS as error:  # its lease expires, and it is claimed again
            _log.warning("delivery_interrupted", delivery=delivery.key, error=str(error))
        except Exception as error:  # noqa: BLE001  # the edge: one delivery never stops the others
            _log.error("delivery_failed", delivery=delivery.key, exc_info=error)

    def _task_ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._changed.set()

    def _on_outcome(self, delivery: Delivery, outcome: str, wait: float | None) -> None:
        self._counts[outcome] += 1
        self._look(keys.shard_of(delivery.channel), wait)
