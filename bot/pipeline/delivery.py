"""From the outbox to a platform: claim, begin, send, done; and what to do where one of them fails."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from math import inf
from time import monotonic, time
from typing import Literal, TypeVar
from uuid import uuid4

from redis.exceptions import RedisError
from structlog import get_logger

from bot.cards import Card
from bot.domain.deliveries import Delivery, Outcome
from bot.domain.errors import ChannelGone, LookupUnsupported, RetryLater, SendError, WorkspaceGone
from bot.domain.models import ChannelSettings, MessageRef, Paper, Reason
from bot.observability import metrics
from bot.policy.retry import on_failure, on_lookup_failure
from bot.policy.schedule import due
from bot.ports import Platform
from bot.store import keys
from bot.store.notifications import Notifications
from bot.store.outbox.outbox import DEATHS, Outbox
from bot.store.papers import Papers
from bot.store.rates import Rates, TurnedAway
from bot.store.worker_loop import run_worker

IN_HAND = 128
"""Deliveries that one process works on at the same time."""
OF_ONE_WORKSPACE = 96
"""So that a workspace whose posts hang leaves room for others."""
SLOW = 2.0
"""Seconds that a post takes where it hangs: then its workspace's next ones come back less soon."""
SEND_TIMEOUT = 15.0
CLOCKS = timedelta(minutes=1)
"""How far the platform's clock and Redis' may be apart."""
CHANNEL_MARGIN = 1.04
"""Posts leave that much further apart than is allowed, for they arrive a little unevenly."""
PATIENCE = 5.0
"""Seconds that `deliver_due` waits for a rate or an unclear post."""
AGAIN_AFTER = 1.0
DRAIN = 18.0
"""Seconds that posts in flight may take at shutdown. More than a send takes (`SEND_TIMEOUT`), less than the 30 s after
which the recipes in deploy/ kill the process. The only such time: docs/operators.md names it."""
CANCEL_AGAIN_AFTER = 1.0
"""Seconds after which a post that ignored its cancellation is cancelled again."""
ASK_AGAIN = 5.0
REMEMBERED = 500
FRESH = 30.0
"""Seconds in which a paper is not read from Redis again."""

_T = TypeVar("_T")

Entry = tuple[Paper, tuple[Reason, ...]]
Render = Callable[[Delivery, Sequence[Entry], ChannelSettings], Card]

_log = get_logger()


class DeliveryWorker:
    """Posts what is due on one platform, together with its replicas.

    `unclear` says what becomes of a post that the platform can't say anything about: `resend` or `hold`.
    `replay_recent` is called where Redis came back and may have forgotten its last moments: it offers anew what was
    offered lately, and answers whether it did; where not, it is asked again.
    """

    def __init__(
        self,
        platform: Platform,
        outbox: Outbox,
        papers: Papers,
        rates: Rates,
        render: Render,
        *,
        on_uncertain: Literal["resend", "hold"] = "resend",
        replay_recent: Callable[[], Awaitable[bool]] | None = None,
    ) -> None:
        self._platform = platform
        self._outbox = outbox
        self._papers = papers
        self._rates = rates
        self._render = render
        self._on_uncertain = on_uncertain
        self._replay_recent = replay_recent
        self._suspects = asyncio.Lock()
        self._reading = asyncio.Lock()
        self._looks = dict.fromkeys(range(keys.SHARDS), 0.0)
        self._changed = asyncio.Event()
        self._stopping = False
        self._not_before = 0.0
        self._tasks: set[asyncio.Task[None]] = set()
        self._in_hand: defaultdict[str, dict[str, float]] = defaultdict(dict)
        self._counts: Counter[str] = Counter()
        self._recent: dict[str, tuple[float, Paper]] = {}
        self._composing = asyncio.Lock()

    async def run(self, notifications: Notifications) -> None:
        """Post whatever becomes due, until `drain` is called."""

        async def work() -> None:
            self._changed.clear()
            if not self._stopping and not await self._claim():
                await self._wait()

        with notifications.listening(self._heard):
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
        if not self._tasks:
            return
        await asyncio.wait(self._tasks, timeout=DRAIN)
        if self._tasks:
            _log.warning("drain_cut_off", platform=self._platform.name, deliveries=len(self._tasks))
        while self._tasks:  # redis-py can lose a cancellation
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(self._tasks, timeout=CANCEL_AGAIN_AFTER)

    async def deliver_due(self) -> Counter[str]:
        """Post all that is due now. -> how many were `posted`, and how many became `pending`, `unknown`, …"""
        self._counts.clear()
        self._look_everywhere()
        while True:
            await self._claim()
            if self._tasks:
                await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
                continue
            pause = min(self._looks.values()) - monotonic()
            if pause > PATIENCE:
                return Counter(self._counts)
            await asyncio.sleep(max(0.0, pause))

    async def _finish(self) -> None:
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _heard(self, message: str) -> None:
        kind, _, rest = message.partition(" ")
        platform, _, shard = rest.partition(" ")
        if not kind:
            self._look_everywhere()
        elif kind == "due" and platform == self._platform.name:
            self._look(int(shard), 0.0)

    def _look_everywhere(self) -> None:
        for shard in self._looks:
            self._look(shard, 0.0)

    def _look(self, shard: int, wait: float | None) -> None:
        """Look at a shard in `wait` seconds, if not before."""
        if wait is not None:
            self._looks[shard] = min(self._looks[shard], monotonic() + wait)
            self._changed.set()

    async def _claim(self) -> int:
        """Take deliveries in hand, from the shards where some are due. -> how many"""
        now = monotonic()
        free = IN_HAND - len(self._tasks)
        shards = [shard for shard, at in self._looks.items() if at <= now]
        if free <= 0 or not shards or now < self._not_before:
            return 0
        for shard in shards:
            self._looks[shard] = inf
        try:
            claims = await self._outbox.claim(self._platform.name, free, shards, token=uuid4().hex)
        except BaseException:
            self._look_everywhere()
            raise
        for shard, wait in claims.next_look.items():
            self._look(shard, wait)
        for delivery in claims.deliveries:
            self._start(delivery)
        if claims.forgot:
            await self._remember(claims.forgot)
        return len(claims.deliveries)

    async def _remember(self, forgot: Mapping[int, str]) -> None:
        """Have offered again what these shards may have forgotten. They say so until it was."""
        if self._replay_recent is None or await self._replay_recent():
            await self._outbox.mark_replayed(forgot)
        else:
            for shard in forgot:
                self._look(shard, ASK_AGAIN)

    async def _wait(self) -> None:
        """Until something may be due, as far as there is a hand for it."""
        until = max(min(self._looks.values()), self._not_before) if len(self._tasks) < IN_HAND else inf
        if until == inf:
            await self._changed.wait()
            return
        try:
            async with asyncio.timeout(max(0.0, until - monotonic())):
                await self._changed.wait()
        except TimeoutError:
            return

    def _start(self, delivery: Delivery) -> None:
        _log.debug("claimed", delivery=delivery.key, state=delivery.state, tries=delivery.tries)
        task = asyncio.create_task(self._carry(delivery), name=delivery.key)
        self._tasks.add(task)
        self._in_hand[delivery.channel.workspace][delivery.key] = monotonic()
        task.add_done_callback(lambda done: self._ended(done, delivery))

    def _ended(self, task: asyncio.Task[None], delivery: Delivery) -> None:
        self._tasks.discard(task)
        in_hand = self._in_hand[delivery.channel.workspace]
        in_hand.pop(delivery.key, None)
        if not in_hand:
            del self._in_hand[delivery.channel.workspace]
        self._changed.set()
        if not task.cancelled() and (error := task.exception()):
            _log.error("delivery_failed", delivery=delivery.key, exc_info=error)

    async def _carry(self, delivery: Delivery) -> None:
        """One delivery, from being claimed to whatever becomes of it."""
        try:
            if delivery.state == "unknown" and await self._is_settled(delivery):
                return
            await self._turns(delivery)
            if delivery.deaths < DEATHS - 1:
                await self._post(delivery)
            else:  # one more death ends it: it must not be for what another of ours does
                async with self._suspects:
                    await self._post(delivery)
        except TurnedAway as away:
            later = Outcome(state="pending", why=str(away), after=away.after, limit="workspace")
            await self._record_outcome(delivery, later)
        except (RedisError, OSError) as error:  # its lease will end, and another claim finds it
            _log.warning("delivery_dropped", delivery=delivery.key, error=str(error))

    async def _is_settled(self, delivery: Delivery) -> bool:
        """Find out whether it was posted; False where it was not, or is to be posted all the same."""
        since = (delivery.since or datetime.fromtimestamp(0, UTC)) - CLOCKS
        try:
            async with asyncio.timeout(SEND_TIMEOUT):
                message = await self._platform.find(delivery.channel, delivery.key, since)
        except LookupUnsupported as error:
            if self._on_uncertain == "resend":
                return False
            await self._record_outcome(delivery, Outcome(state="held", why=str(error)))
            return True
        except Exception as error:  # noqa: BLE001  # whatever it was: the question stays open
            await self._pause_for(delivery, error)
            await self._record_outcome(delivery, on_lookup_failure(error, delivery.tries))
            return True
        _log.info("asked", delivery=delivery.key, posted=message is not None)
        if message is None:
            return False
        await self._done(delivery, message)
        return True

    async def _turns(self, delivery: Delivery) -> None:
        """Wait for the bot's turn and the workspace's. Raises TurnedAway."""
        to, rates = delivery.channel, self._platform.rates
        in_hand = self._in_hand[to.workspace]
        if len(in_hand) > OF_ONE_WORKSPACE:
            raise TurnedAway(1.0 if monotonic() - min(in_hand.values()) > SLOW else 0.1)
        post = f"{delivery.token} {delivery.key}"
        if rates.workspace is not None:
            with metrics.rate_waits.labels(to.platform, "workspace").time():
                await asyncio.sleep(await self._rates.turn(rates.workspace, post, to.platform, to.workspace))
        if rates.platform is not None:
            with metrics.rate_waits.labels(to.platform, "platform").time():
                await asyncio.sleep(await self._rates.turn(rates.platform, post, to.platform))

    async def _post(self, delivery: Delivery) -> None:
        entries = await self._entries(delivery)
        if not entries:
            await self._record_outcome(delivery, Outcome(state="dead", why="no record of its papers is left"))
            return
        began = monotonic()
        settings = await self._outbox.begin(delivery, gap=self._gap())
        if settings is None or await self._is_closed(delivery, settings):
            return
        await self._one_by_one()
        try:
            card = self._render(delivery, entries, settings)
        except Exception as error:  # noqa: BLE001  # a mistake of ours: other cards go on
            _log.error("card_not_composed", delivery=delivery.key, exc_info=error)
            await self._record_outcome(
                delivery, Outcome(state="dead", why=f"its card can't be composed: {error!r}")
            )
            return
        if monotonic() - began > self._outbox.lease - SEND_TIMEOUT:
            return  # this process stood still: somebody else may have taken the delivery by now
        try:
            with metrics.send_seconds.labels(self._platform.name).time():
                async with asyncio.timeout(SEND_TIMEOUT):
                    message = await self._platform.send(delivery.channel, card, delivery.key)
        except Exception as error:  # noqa: BLE001  # every error has its consequence
            await self._failed(delivery, error)
        else:
            await self._done(delivery, message)

    async def _one_by_one(self) -> None:
        """Go on alone: what begins in one round trip would else be composed at a stretch, and an answer that a
        person waits for would come after all of it."""
        async with self._composing:
            await asyncio.sleep(0)

    async def _is_closed(self, delivery: Delivery, settings: ChannelSettings) -> bool:
        """Whether the channel wants nothing now: what is late, such as a retry, then waits until it does."""
        if settings.weekends and settings.quiet is None:
            return False
        now = await self._outbox.now()
        wait = (due("now", settings, now) - now).total_seconds()
        if wait > 0:
            await self._record_outcome(delivery, Outcome(state="pending", why="", after=wait))
        return wait > 0

    async def _failed(self, delivery: Delivery, error: Exception) -> None:
        if not isinstance(error, SendError | TimeoutError):
            _log.error("platform_broke", delivery=delivery.key, exc_info=error)
        metrics.failures.labels(self._platform.name, type(error).__name__).inc()
        await self._pause_for(delivery, error)
        giving = on_failure(error, delivery.tries)
        if isinstance(error, RetryLater) and not error.counts:
            await self._slow_down(delivery, error, giving.after)
        _log.info(
            "not_confirmed", delivery=delivery.key, then=giving.state, after=giving.after, why=giving.why
        )
        await self._record_outcome(delivery, giving)

    async def _pause_for(self, delivery: Delivery, error: Exception) -> None:
        to = delivery.channel
        if isinstance(error, ChannelGone):
            await _retry_until_saved(lambda: self._outbox.pause(to, str(error)))
        elif isinstance(error, WorkspaceGone):
            await _retry_until_saved(
                lambda: self._outbox.pause_workspace(to.platform, to.workspace, str(error))
            )

    async def _slow_down(self, delivery: Delivery, error: RetryLater, after: float) -> None:
        to = delivery.channel
        if error.scope == "platform":
            self._not_before = max(self._not_before, monotonic() + after)
            await _retry_until_saved(lambda: self._rates.stop(after, to.platform))
        elif error.scope == "workspace":
            await _retry_until_saved(lambda: self._rates.stop(after, to.platform, to.workspace))

    async def _done(self, delivery: Delivery, message: MessageRef) -> None:
        """The post is a fact: write it down, however long Redis takes to come back."""
        wait = await _retry_until_saved(lambda: self._outbox.done(delivery, message))
        self._count("posted")
        if delivery.detected is not None:
            late = time() - delivery.detected.timestamp()
            metrics.post_delay.labels(self._platform.name).observe(max(0.0, late))
        _log.info("posted", delivery=delivery.key, message=message.id, papers=len(delivery.papers))
        self._look(keys.shard_of(delivery.channel), wait)

    async def _record_outcome(self, delivery: Delivery, giving: Outcome) -> None:
        wait = await _retry_until_saved(lambda: self._outbox.record_outcome(delivery, giving))
        self._count(giving.state)
        self._look(keys.shard_of(delivery.channel), wait)

    def _count(self, state: str) -> None:
        self._counts[state] += 1
        metrics.deliveries.labels(self._platform.name, state).inc()

    async def _entries(self, delivery: Delivery) -> list[Entry]:
        """The papers with their reasons, as they are now; the same paper goes to many channels at once."""
        async with self._reading:  # whoever waits for the same paper finds it read
            now = monotonic()
            missing = [i for i, _ in delivery.papers if now - self._recent.get(i, (-inf,))[0] > FRESH]
            if missing:
                found = await self._papers.get(missing)
                self._recent |= {paper_id: (now, paper) for paper_id, paper in found.items()}
        entries = [(self._recent[i][1], why) for i, why in delivery.papers if i in self._recent]
        while len(self._recent) > REMEMBERED:
            del self._recent[next(iter(self._recent))]
        return entries

    def _gap(self) -> float:
        channel = self._platform.rates.channel
        return channel.per / channel.count * CHANNEL_MARGIN if channel else 0.0


async def _retry_until_saved(write: Callable[[], Awaitable[_T]]) -> _T:
    """Write it down whenever Redis takes it: giving up would leave open what is known."""
    while True:
        try:
            return await write()
        except (RedisError, OSError) as error:
            _log.warning("redis_is_away", error=str(error))
            await asyncio.sleep(AGAIN_AFTER)
