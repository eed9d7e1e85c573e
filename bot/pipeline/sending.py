"""One delivery, from its claim to its outcome: reconcile, wait for the rate limits, post."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Literal

from structlog import get_logger

from bot.cards import Card
from bot.cards.digest import Entry
from bot.domain.deliveries import Delivery, Outcome
from bot.domain.errors import LookupUnsupported, SendError
from bot.domain.life import LIFE, paper_of
from bot.domain.models import ChannelSettings, MessageRef, Rules
from bot.observability import metrics
from bot.observability.error_tally import tally
from bot.pipeline.delivery_card import PaperCache
from bot.pipeline.outcomes import Outcomes
from bot.policy.planner import fold
from bot.policy.retry import on_failure, on_lookup_failure
from bot.policy.schedule import due
from bot.ports import Platform, Threaded
from bot.store.limits import RateLimiter, TurnedAway
from bot.store.outbox.outbox import DEATHS, Outbox
from bot.store.papers import Papers

MAX_IN_WORKSPACE = 96
"""Maximum number of one workspace's deliveries sent at the same time, so that hanging posts leave room for others."""
SLOW = 2.0
"""Seconds after which a post counts as hanging; then further deliveries of its workspace are postponed for longer."""
SEND_TIMEOUT = 15.0
"""Timeout of one call to a platform, in seconds."""
CLOCK_DRIFT = timedelta(minutes=1)
"""Maximum difference between the clocks of the platform and of Redis."""
CHANNEL_MARGIN = 1.04
"""Factor on the gap between posts that the platform demands, since they arrive a little unevenly."""

Render = Callable[[Delivery, Sequence[Entry], Rules], Card]

_log = get_logger()


class Sender:
    """Posts deliveries on one platform.

    `on_uncertain` says what to do with an uncertain post if the platform can't look it up. `outcomes` records each
    delivery's outcome.
    """

    def __init__(
        self,
        platform: Platform,
        outbox: Outbox,
        papers: Papers,
        rates: RateLimiter,
        render: Render,
        *,
        on_uncertain: Literal["resend", "hold"],
        outcomes: Outcomes,
    ) -> None:
        self._platform = platform
        self._outbox = outbox
        self._papers = PaperCache(papers)
        self._rates = rates
        self._render = render
        self._on_uncertain = on_uncertain
        self._outcomes = outcomes
        self._suspects = asyncio.Lock()
        self._composing = asyncio.Lock()
        self._in_flight: defaultdict[str, dict[str, float]] = defaultdict(dict)

    async def send(self, delivery: Delivery) -> None:
        """Send a claimed delivery and record its outcome. After a RedisError its lease expires; it is claimed again."""
        in_workspace = self._in_flight[delivery.channel.workspace]
        in_workspace[delivery.key] = monotonic()
        try:
            await self._send(delivery)
        finally:
            del in_workspace[delivery.key]
            if not in_workspace:
                del self._in_flight[delivery.channel.workspace]

    async def _send(self, delivery: Delivery) -> None:
        if delivery.state == "unknown" and await self._reconcile(delivery):
            return
        try:
            await self._wait_for_rates(delivery)
        except TurnedAway as away:
            later = Outcome(state="pending", why=str(away), after=away.after, limit="workspace")
            await self._outcomes.record(delivery, later)
            return
        if delivery.deaths < DEATHS - 1:
            await self._post(delivery)
        else:  # send suspects one at a time, so that we know which one crashed us
            async with self._suspects:
                await self._post(delivery)

    async def _reconcile(self, delivery: Delivery) -> bool:
        """Ask the platform whether the delivery was posted. Returns False if it has to be posted now."""
        since = (delivery.since or datetime.fromtimestamp(0, UTC)) - CLOCK_DRIFT
        try:
            async with asyncio.timeout(SEND_TIMEOUT):
                message = await self._find(delivery, since)
        except LookupUnsupported as error:
            self._outcomes.can_look_up = False
            if self._on_uncertain == "resend":
                return False
            await self._outcomes.record(delivery, Outcome(state="held", why=str(error)))
            return True
        except Exception as error:  # noqa: BLE001  # after any error, it stays unknown whether it was posted
            await self._outcomes.failed(delivery, error, on_lookup_failure(error, delivery.tries))
            return True
        _log.info("delivery_looked_up", delivery=delivery.key, posted=message is not None)
        if message is None:
            return False
        await self._outcomes.posted(delivery, message)
        return True

    async def _find(self, delivery: Delivery, since: datetime) -> MessageRef | None:
        thread = await self._thread_of(delivery)
        if thread is not None and isinstance(self._platform, Threaded):
            found = await self._platform.find_reply(delivery.channel, thread, delivery.key, since)
            if found is not None:
                return found
        return await self._platform.find(delivery.channel, delivery.key, since)

    async def _thread_of(self, delivery: Delivery) -> MessageRef | None:
        """Return the card in whose thread a paper's news belongs; None if the news is a separate message."""
        papers = {paper_of(entry) for entry, _ in delivery.papers}
        if (
            not delivery.label.startswith(LIFE)
            or len(papers) != 1
            or not isinstance(self._platform, Threaded)
        ):
            return None
        sent = await self._outbox.sent(delivery.channel, papers.pop())
        return sent.message if sent and sent.message.id else None

    async def _post_card(self, delivery: Delivery, card: Card, thread: MessageRef | None) -> MessageRef:
        if thread is not None and isinstance(self._platform, Threaded):
            return await self._platform.reply(delivery.channel, thread, card, delivery.key)
        return await self._platform.send(delivery.channel, card, delivery.key)

    async def _wait_for_rates(self, delivery: Delivery) -> None:
        """Wait for the rate limits of the workspace and of the bot. Raises TurnedAway if that takes too long."""
        to, rates = delivery.channel, self._platform.rates
        in_workspace = self._in_flight[to.workspace]
        if len(in_workspace) > MAX_IN_WORKSPACE:
            raise TurnedAway(1.0 if monotonic() - min(in_workspace.values()) > SLOW else 0.1)
        post = f"{delivery.token} {delivery.key}"
        if rates.workspace is not None:
            with metrics.rate_waits.labels(to.platform, "workspace").time():
                await asyncio.sleep(await self._rates.turn(rates.workspace, post, to.platform, to.workspace))
        if rates.platform is not None:
            with metrics.rate_waits.labels(to.platform, "platform").time():
                await asyncio.sleep(await self._rates.turn(rates.platform, post, to.platform))

    async def _post(self, delivery: Delivery) -> None:
        entries = await self._papers.entries(delivery)
        if not entries:
            dead = Outcome(state="dead", why="none of its papers is stored any more")
            await self._outcomes.record(delivery, dead)
            return
        began = monotonic()
        thread = await self._thread_of(delivery)
        rules = await self._outbox.begin(delivery, gap=self._gap())
        if rules is None:
            return
        if rules.folds:
            await self._outcomes.record(delivery, fold(rules, await self._outbox.now()))
            return
        if await self._postpone(delivery, rules.settings):
            return
        await self._yield()
        try:
            card = self._render(delivery, entries, rules)
        except Exception as error:  # noqa: BLE001  # a bug in a card must not stop other cards
            _log.error("card_failed", delivery=delivery.key, exc_info=error)
            dead = Outcome(state="dead", why=f"its card can't be composed: {error!r}")
            await self._outcomes.record(delivery, dead)
            return
        if monotonic() - began > self._outbox.lease - SEND_TIMEOUT:
            return  # this process was stopped for a while: another worker may have the delivery by now
        try:
            with metrics.send_seconds.labels(self._platform.name).time():
                async with asyncio.timeout(SEND_TIMEOUT):
                    message = await self._post_card(delivery, card, thread)
        except Exception as error:  # noqa: BLE001  # every error has its outcome
            if not isinstance(error, SendError | TimeoutError):
                _log.error("platform_failed", delivery=delivery.key, exc_info=error)
            metrics.failures.labels(self._platform.name, type(error).__name__).inc()
            tally.count(self._platform.name, f"post_failed {type(error).__name__}")
            alone = delivery.refused_alone > 0
            outcome = on_failure(error, delivery.tries, delivery.refusals, alone=alone)
            await self._outcomes.failed(delivery, error, outcome)
        else:
            await self._outcomes.posted(delivery, message, card.posting.papers)

    async def _yield(self) -> None:
        """Let other tasks run between two cards: deliveries claimed together would be composed in one go, and commands
        would be answered after all of them."""
        async with self._composing:
            await asyncio.sleep(0)

    async def _postpone(self, delivery: Delivery, settings: ChannelSettings) -> bool:
        """Postpone a late delivery, such as a retry, until the channel's quiet hours end. Returns whether it did.

        The copy of a post never is: the post was allowed.
        """
        if (settings.weekends and settings.quiet is None) or delivery.copy_of is not None:
            return False
        now = await self._outbox.now()
        wait = (due("now", settings, now) - now).total_seconds()
        if wait > 0:
            await self._outcomes.record(delivery, Outcome(state="pending", why="", after=wait))
        return wait > 0

    def _gap(self) -> float:
        channel = self._platform.rates.channel
        return channel.per / channel.count * CHANNEL_MARGIN if channel else 0.0
