"""The fan-out: reads polls, matches their papers against all subscriptions, and enqueues deliveries."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence, Sized
from contextlib import suppress
from datetime import datetime
from itertools import islice
from time import time
from typing import Protocol

from structlog import get_logger

from bot.domain.models import ChannelRef, Paper, Subscription
from bot.domain.polls import PaperChange, Poll
from bot.observability import metrics
from bot.pipeline.life import LifeFanout
from bot.policy.planner import Match, MatchedPaper, plan_deliveries
from bot.policy.signals import WITHDRAWN, growth
from bot.store.card_updates import CardUpdate, CardUpdateQueue
from bot.store.channel_rules import ChannelRules
from bot.store.index_sync import IndexSync, SyncedIndex
from bot.store.notifications import Notifications
from bot.store.outbox.outbox import Outbox
from bot.store.poll_stream import PollReader
from bot.store.subscriptions import Subscriptions
from bot.store.worker_loop import CONNECTION_ERRORS, run_worker

MAX_OPEN = 100_000
"""Number of open deliveries from which matching waits; papers wait in their stream meanwhile."""
MATCHES_AT_ONCE = 10_000
"""Maximum number of a poll's matches grouped by channel at a time: more would keep the garbage collector busy."""
CHANNELS_AT_ONCE = 100
"""Maximum number of channels whose deliveries are enqueued by one call: 6 in each shard, 1 ms in all on the server.
Reading the rules of 300 at once blocked the event loop for 20 ms."""
MATCHES_PER_YIELD = 100
"""Number of matches grouped before other tasks on the event loop can run."""
CHANNELS_PER_YIELD = 50
"""Number of channels whose deliveries are planned before other tasks can run: a few milliseconds."""
FULL_PAUSE = 1.0
"""Seconds between two looks at the outbox while it is too full to match more."""

_log = get_logger()


class Matches(Sized, Protocol):
    """The subscriptions that match a paper."""

    def part(self, part: int, parts: int) -> Iterable[Match]:
        """Return the matches in one of `parts` parts of the channels."""


Matched = tuple[PaperChange, Matches]


class Matching(SyncedIndex, Protocol):
    """The part of a matcher that the fan-out needs."""

    def newly(self, paper: Paper, before: Paper | None) -> Matches: ...

    def match(self, paper: Paper) -> Collection[Match]: ...


class Fanout:
    """Reads polls, together with its replicas, and enqueues their papers for the channels that they match.

    A poll is acknowledged once all its deliveries are stored. After a crash in between it is matched again, which
    changes nothing for the deliveries that are stored already.
    """

    def __init__(
        self,
        polls: PollReader,
        index: IndexSync[Matching],
        outbox: Outbox,
        subscriptions: Subscriptions,
        rules: ChannelRules,
        *,
        edits: CardUpdateQueue,
        life: LifeFanout,
        max_open: int = MAX_OPEN,
    ) -> None:
        self._polls = polls
        self._index = index
        self._outbox = outbox
        self._subscriptions = subscriptions
        self._rules = rules
        self._edits = edits
        self._life = life
        self._max_open = max_open
        self._is_full = False

    async def run(self, notifications: Notifications) -> None:
        """Match announced papers until cancelled; then leave the consumer group."""
        with notifications.waiting_for("papers") as announced:

            async def work() -> None:
                announced.clear()
                await self.match_all()
                if self._is_full:
                    await asyncio.sleep(FULL_PAUSE)
                else:
                    await announced.wait()

            try:
                await run_worker("fanout", work)
            finally:
                with suppress(*CONNECTION_ERRORS):  # an idle consumer is removed by the others
                    await self.stop()

    async def match_all(self) -> int:
        """Match all waiting polls while the outbox has room. Returns the number of papers enqueued."""
        enqueued = 0
        while not await self._outbox_is_full():
            poll = await self._polls.read()
            if poll is None:
                break
            enqueued += await self._enqueue(poll, await self._matched(poll))
            await self._queue_card_updates(poll, await self._life.enqueue(poll))
            await self._polls.matched(poll)
        return enqueued

    async def _outbox_is_full(self) -> bool:
        is_full = await self._outbox.open() >= self._max_open
        if is_full != self._is_full:
            _log.warning("matching_paused" if is_full else "matching_resumed", max_open=self._max_open)
        self._is_full = is_full
        return is_full

    async def stop(self) -> None:
        """Leave the consumer group; another process matches the remaining polls."""
        await self._polls.leave()

    async def _matched(self, poll: Poll) -> list[Matched]:
        index = await self._index.up_to_date()
        matched = []
        for new in poll.news:
            matched.append((new, index.newly(new.paper, new.before)))
            await asyncio.sleep(0)
        return matched

    async def _enqueue(self, poll: Poll, matched: Sequence[Matched]) -> int:
        """Enqueue a poll's papers, all of a channel's together. Returns the number of papers enqueued."""
        now, enqueued = await self._outbox.now(), 0
        async for by_channel in _by_channel(matched):
            channels = iter(by_channel.items())
            while some := dict(islice(channels, CHANNELS_AT_ONCE)):
                enqueued += await self._enqueue_for(some, poll, now)
        metrics.matches.inc(sum(len(matches) for _, matches in matched))
        metrics.enqueued.inc(enqueued)
        metrics.matching_lag.observe(max(0.0, time() - poll.at / 1000))
        return enqueued

    async def _enqueue_for(
        self, found: Mapping[ChannelRef, Sequence[tuple[PaperChange, list[Match]]]], poll: Poll, now: datetime
    ) -> int:
        rules = await self._rules.of_each(found)
        planned = []
        for n, (channel, matched) in enumerate(found.items(), 1):
            if n % CHANNELS_PER_YIELD == 0:
                await asyncio.sleep(0)
            papers = [await self._with_old_matches(channel, new, some) for new, some in matched]
            planned += plan_deliveries(channel, papers, rules[channel], poll, now)
        return await self._outbox.enqueue(planned)

    async def _queue_card_updates(self, poll: Poll, notified: Mapping[str, Collection[ChannelRef]]) -> None:
        """Queue updates of cards whose papers have changed a lot, for channels that want them or were `notified`."""
        index = await self._index.up_to_date()
        for new in poll.news:
            why = growth(new.before, new.paper)
            notified_channels = {channel for channel in notified.get(new.paper.id, ()) if not channel.person}
            matching = {match.channel for match in index.match(new.paper)} if why else set()
            channels = iter(notified_channels | matching if why else ())
            while some := list(islice(channels, CHANNELS_AT_ONCE)):
                rules = await self._rules.of_each(some)
                wanted: dict[str, list[CardUpdate]] = {}
                for channel in some:
                    if rules[channel].settings.edits or channel in notified_channels or why == WITHDRAWN:
                        wanted.setdefault(channel.platform, []).append(CardUpdate(channel, new.paper.id, why))
                for platform, edits in wanted.items():
                    await self._edits.put(platform, edits)

    async def _with_old_matches(
        self, channel: ChannelRef, new: PaperChange, matches: Collection[Match]
    ) -> MatchedPaper:
        """Return a paper with its matches. If it is announced again, only subscriptions older than the paper count."""
        if new.first_seen is not None:
            subscriptions = await self._subscriptions.of(channel)
            old = {s.number for s in subscriptions if _ms(s) <= new.first_seen}
            matches = [match for match in matches if match.number in old]
        return MatchedPaper(new.paper, matches, new.before, new.first_seen)


async def _by_channel(
    matched: Sequence[Matched],
) -> AsyncIterator[Mapping[ChannelRef, Sequence[tuple[PaperChange, list[Match]]]]]:
    """Group papers by channel; a part of the channels at a time if there are too many matches to hold."""
    parts = -(-sum(len(matches) for _, matches in matched) // MATCHES_AT_ONCE)
    for part in range(parts):
        found: dict[ChannelRef, list[tuple[PaperChange, list[Match]]]] = {}
        for new, matches in matched:
            for n, match in enumerate(matches.part(part, parts)):
                if n % MATCHES_PER_YIELD == 0:
                    await asyncio.sleep(0)
                _add(found.setdefault(match.channel, []), new, match)
        yield found


def _add(news: list[tuple[PaperChange, list[Match]]], new: PaperChange, match: Match) -> None:
    """Add a match. Matches come paper by paper, so only the last paper can be the same."""
    if news and news[-1][0] is new:
        news[-1][1].append(match)
    else:
        news.append((new, [match]))


def _ms(subscription: Subscription) -> int:
    return round(subscription.created_at.timestamp() * 1000)
