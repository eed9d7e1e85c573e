"""Records the outcome of each delivery, and acts on it: pauses a channel, waits for a limit, backs off."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from time import monotonic, time
from typing import TypeVar

from structlog import get_logger

from bot.domain.deliveries import Delivery, Outcome
from bot.domain.errors import CardRefused, ChannelGone, DeliveryUncertain, RetryLater, WorkspaceGone
from bot.domain.models import MessageRef
from bot.observability import metrics
from bot.pipeline.pauses import Pauses
from bot.policy.retry import PlatformHealth
from bot.store.limits import RateLimiter
from bot.store.outbox.outbox import Outbox
from bot.store.worker_loop import CONNECTION_ERRORS

SAVE_AGAIN_AFTER = 1.0
"""Seconds between two attempts to save an outcome while Redis is unavailable."""
_T = TypeVar("_T")

_log = get_logger()


class Outcomes:
    """The outcomes of one platform's deliveries, and the platform's health as they show it.

    `on_outcome` is called with each delivery, its outcome (`posted`, `pending`, …) and the seconds until its shard has
    something due.
    """

    def __init__(
        self,
        platform: str,
        outbox: Outbox,
        rates: RateLimiter,
        pauses: Pauses,
        on_outcome: Callable[[Delivery, str, float | None], None],
    ) -> None:
        self._platform = platform
        self._outbox = outbox
        self._rates = rates
        self._pauses = pauses
        self._on_outcome = on_outcome
        self._last_success: float | None = None
        """The monotonic time of the last confirmed post."""
        self.can_look_up = True
        """False once the platform has said that it can't look up posts."""
        self.health = PlatformHealth()
        self.not_before = 0.0
        """The monotonic time before which nothing may be posted on the platform."""

    async def posted(self, delivery: Delivery, message: MessageRef, shown: Sequence[str] = ()) -> None:
        """Record a confirmed post. Retries until Redis is available."""
        self._last_success = monotonic()
        wait = await _retry_until_saved(lambda: self._outbox.done(delivery, message, shown))
        if delivery.detected is not None:
            delay = time() - delivery.detected.timestamp()
            metrics.post_delay.labels(self._platform).observe(max(0.0, delay))
        _log.info("delivery_posted", delivery=delivery.key, message=message.id, papers=len(delivery.papers))
        await self._answered(delivery)
        self._report(delivery, "posted", wait)

    async def record(self, delivery: Delivery, outcome: Outcome) -> None:
        """Record a delivery's outcome. Retries until Redis is available."""
        wait = await _retry_until_saved(lambda: self._outbox.record_outcome(delivery, outcome))
        self._report(delivery, outcome.state, wait)

    async def failed(self, delivery: Delivery, error: Exception, outcome: Outcome) -> None:
        """Pause, limit or back off as `error` demands, and record the delivery's `outcome`."""
        if isinstance(error, ChannelGone | WorkspaceGone):
            gone = error
            await _retry_until_saved(lambda: self._pauses.pause(delivery.channel, gone))
            await self._answered(delivery)
        elif isinstance(error, CardRefused):
            await self._answered(delivery)
        elif outcome.refused and outcome.limit is None:  # only this delivery waits
            if not delivery.refused_alone:
                self._back_off(self.health.failed(delivery.channel))
        elif isinstance(error, RetryLater) and not error.counts:
            after = self.health.limited(error, delivery.channel)
            outcome = replace(outcome, after=after)
            await self._limit(delivery, error, after)
        elif not (isinstance(error, DeliveryUncertain) and error.after is not None):
            self._back_off(self.health.failed(delivery.channel))
            if self.health.is_down and (self.can_look_up or not isinstance(error, DeliveryUncertain)):
                outcome = replace(outcome, counts=False)  # the failure says nothing about this delivery
        _log.info(
            "delivery_not_confirmed",
            delivery=delivery.key,
            outcome=outcome.state,
            after=round(outcome.after, 1),
            reason=outcome.why,
        )
        if outcome.refused and self._last_success is not None:
            outcome = replace(outcome, passed=monotonic() - self._last_success)
        await self.record(delivery, outcome)

    def _back_off(self, seconds: float) -> None:
        self.not_before = max(self.not_before, monotonic() + seconds)

    async def _limit(self, delivery: Delivery, error: RetryLater, after: float) -> None:
        to = delivery.channel
        if error.scope == "platform":
            self._back_off(after)
            await _retry_until_saved(lambda: self._rates.stop(after, to.platform))
        elif error.scope == "workspace":
            await _retry_until_saved(lambda: self._rates.stop(after, to.platform, to.workspace))

    async def _answered(self, delivery: Delivery) -> None:
        """Note that the platform works. If it was down, make the deliveries due that failed meanwhile."""
        if self.health.answered(delivery.channel):
            self.not_before = 0.0
            _log.info("platform_recovered", platform=self._platform)
            await _retry_until_saved(lambda: self._outbox.hasten(self._platform))

    def _report(self, delivery: Delivery, outcome: str, wait: float | None) -> None:
        metrics.deliveries.labels(self._platform, outcome).inc()
        self._on_outcome(delivery, outcome, wait)


async def _retry_until_saved(write: Callable[[], Awaitable[_T]]) -> _T:
    """Retry a write until Redis is available: giving up would lose what is known about a post."""
    while True:
        try:
            return await write()
        except CONNECTION_ERRORS as error:
            _log.warning("outcome_not_saved", error=str(error), retry_in=SAVE_AGAIN_AFTER)
            await asyncio.sleep(SAVE_AGAIN_AFTER)
