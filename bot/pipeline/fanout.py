"""From the papers stream through the matcher into the outbox: who gets which paper, and in which message."""

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
from bot.policy.planner import Found, Match, plan_deliveries
from bot.policy.signals import WITHDRAWN, growth
from bot.store.edits import CardUpdate, CardUpdateQueue
from bot.store.index_sync import Index, IndexSync
from bot.store.notifications import Notifications
from bot.store.outbox.outbox import Outbox
from bot.store.poll_stream import PollReader
from bot.store.rules import ChannelRules
from bot.store.subscriptions import Subscriptions
from bot.store.worker_loop import CONNECTION_ERRORS, run_worker

MOST_OPEN = 100_000
"""Deliveries. Above that matching waits until some are posted; papers keep in their stream."""
IN_HAND = 10_000
"""Matches of a poll that are sorted by channel at a time, about: more would keep the garbage collector busy."""
CHANNELS_AT_ONCE = 300
"""About 20 to a shard, 1 ms each on the server."""
STEP = 100
"""Matches taken in before others on the event loop have their turn: of a million, 10,000 are looked at for those."""
PAUSE = 50
"""Channels whose offers are made out before others have their turn: a few milliseconds."""
FULL_PAUSE = 1.0
"""Seconds between two looks at the outbox while it is too full to match more."""

_log = get_logger()


class Matches(Sized, Protocol):
    """Who a paper goes to."""

    def part(self, part: int, parts: int) -> Iterable[Match]:
        """Those of one of so many parts of the channels."""


Matched = tuple[PaperChange, Matches]


class Matching(Index, Protocol):
    """What the fan-out needs of a matcher."""

    def newly(self, paper: Paper, before: Paper | None) -> Matches: ...

    def match(self, paper: Paper) -> Collection[Match]: ...


class Fanout:
    """Reads polls, together with its replicas, and offers their papers to whoever they match.

    A poll counts as done with when all its offers are in the outbox. A kill in between repeats them, and those
    that are there already change nothing.
    """

    def __init__(
        self,
        news: PollReader,
        follower: IndexSync[Matching],
        outbox: Outbox,
        subscriptions: Subscriptions,
        rules: ChannelRules,
        *,
        edits: CardUpdateQueue,
        most_open: int = MOST_OPEN,
    ) -> None:
        self._news = news
        self._follower = follower
        self._outbox = outbox
        self._subscriptions = subscriptions
        self._rules = rules
        self._edits = edits
        self._most_open = most_open
        self._is_full = False

    async def run(self, notifications: Notifications) -> None:
        """Match whatever is announced until cancelled; then leave the consumer group."""
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
        """Match all that waits now, as far as the outbox has room. -> how many papers were offered to channels."""
        taken = 0
        while not await self._too_much_is_open():
            poll = await self._news.read()
            if poll is None:
                break
            taken += await self._offer(poll, await self._matched(poll))
            await self._edit(poll)
            await self._news.matched(poll)
        return taken

    async def _too_much_is_open(self) -> bool:
        waits = await self._outbox.open() >= self._most_open
        if waits != self._is_full:
            _log.warning("matching waits until posts are made" if waits else "matching goes on")
        self._is_full = waits
        return waits

    async def stop(self) -> None:
        """Leave the others the rest."""
        await self._news.leave()

    async def _matched(self, poll: Poll) -> list[Matched]:
        index = await self._follower.up_to_date()
        matched = []
        for new in poll.news:
            matched.append((new, index.newly(new.paper, new.before)))
            await asyncio.sleep(0)
        return matched

    async def _offer(self, poll: Poll, matched: Sequence[Matched]) -> int:
        """Offer each channel all that it gets of a poll at once. -> how many papers were taken"""
        now, taken = await self._outbox.now(), 0
        async for by_channel in _by_channel(matched):
            channels = iter(by_channel.items())
            while some := dict(islice(channels, CHANNELS_AT_ONCE)):
                taken += await self._offer_to(some, poll, now)
        metrics.matches.inc(sum(len(matches) for _, matches in matched))
        metrics.enqueued.inc(taken)
        metrics.matching_lag.observe(max(0.0, time() - poll.at / 1000))
        return taken

    async def _offer_to(
        self, found: Mapping[ChannelRef, Sequence[tuple[PaperChange, list[Match]]]], poll: Poll, now: datetime
    ) -> int:
        rules = await self._rules.of_each(found)
        offers = []
        for n, (channel, matched) in enumerate(found.items(), 1):
            if n % PAUSE == 0:
                await asyncio.sleep(0)
            papers = [await self._known_then(channel, new, some) for new, some in matched]
            offers += plan_deliveries(channel, papers, rules[channel], poll, now)
        return await self._outbox.enqueue(offers)

    async def _edit(self, poll: Poll) -> None:
        """Let cards of papers that have grown much be brought up to date where that is wanted."""
        index = await self._follower.up_to_date()
        for new in poll.news:
            why = growth(new.before, new.paper)
            channels = iter({match.channel for match in index.match(new.paper)} if why else ())
            while some := list(islice(channels, CHANNELS_AT_ONCE)):
                rules = await self._rules.of_each(some)
                wanted: dict[str, list[CardUpdate]] = {}
                for channel in some:
                    if rules[channel].settings.edits or why == WITHDRAWN:
                        wanted.setdefault(channel.platform, []).append(CardUpdate(channel, new.paper.id, why))
                for platform, edits in wanted.items():
                    await self._edits.put(platform, edits)

    async def _known_then(self, channel: ChannelRef, new: PaperChange, matches: Collection[Match]) -> Found:
        """Of a paper that is announced again, only the matches of subscriptions that were there the first time."""
        if new.first_seen is not None:
            subscriptions = await self._subscriptions.of(channel)
            old = {s.number for s in subscriptions if _ms(s) <= new.first_seen}
            matches = [match for match in matches if match.number in old]
        return Found(new.paper, matches, new.before, new.first_seen)


async def _by_channel(
    matched: Sequence[Matched],
) -> AsyncIterator[Mapping[ChannelRef, Sequence[tuple[PaperChange, list[Match]]]]]:
    """What each channel gets; a part of the channels at a time, where all of them are too many to hold."""
    parts = -(-sum(len(matches) for _, matches in matched) // IN_HAND)
    for part in range(parts):
        found: dict[ChannelRef, list[tuple[PaperChange, list[Match]]]] = {}
        for new, matches in matched:
            for n, match in enumerate(matches.part(part, parts)):
                if n % STEP == 0:
                    await asyncio.sleep(0)
                _add(found.setdefault(match.channel, []), new, match)
        yield found


def _add(news: list[tuple[PaperChange, list[Match]]], new: PaperChange, match: Match) -> None:
    """Matches come paper by paper."""
    if news and news[-1][0] is new:
        news[-1][1].append(match)
    else:
        news.append((new, [match]))


def _ms(subscription: Subscription) -> int:
    return round(subscription.created_at.timestamp() * 1000)
