"""From the papers stream through the matcher into the outbox: who gets which paper, and in which message."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from time import time
from typing import Protocol

from redis.exceptions import RedisError
from structlog import get_logger

from bot import metrics
from bot.models import ChannelRef, Every, Paper, Reason, Subscription
from bot.store.follow import Follower, Index
from bot.store.news import New, News
from bot.store.outbox import Offer, Outbox
from bot.store.subscriptions import Subscriptions
from bot.store.wake import Wake

MOST_OPEN = 100_000
"""Deliveries. Above that matching waits until some are posted; papers keep in their stream."""
PAPERS_AT_ONCE = 10
OFFERS_AT_ONCE = 500
"""About 30 to a shard, 1 ms each on the server."""
STEP = 1000
"""Matches looked at before others on the event loop have their turn: a few milliseconds."""
DIGEST_HOUR = 9
"""UTC; a digest is due then."""
AGAIN_AFTER = 1.0

_log = get_logger()


class Match(Protocol):
    """A subscription that a paper matches."""

    @property
    def channel(self) -> ChannelRef: ...
    @property
    def number(self) -> int: ...
    @property
    def query(self) -> str: ...
    @property
    def every(self) -> Every: ...


class Matching(Index, Protocol):
    """What the fan-out needs of a matcher."""

    def newly(self, paper: Paper, before: Paper | None) -> Sequence[Match]: ...


class Fanout:
    """Reads papers, together with its replicas, and offers each to whoever it matches.

    A paper counts as done with when all its offers are in the outbox. A kill in between repeats them, and those
    that are there already change nothing.
    """

    def __init__(
        self,
        news: News,
        follower: Follower[Matching],
        outbox: Outbox,
        subscriptions: Subscriptions,
        *,
        most_open: int = MOST_OPEN,
    ) -> None:
        self._news = news
        self._follower = follower
        self._outbox = outbox
        self._subscriptions = subscriptions
        self._most_open = most_open
        self._work = asyncio.Event()
        self._is_full = False

    async def run(self, wake: Wake) -> None:
        """Match whatever comes, until cancelled."""
        wake.listen(self._heard)
        while True:
            try:
                self._work.clear()
                await self.match_all()
                if self._is_full:
                    await asyncio.sleep(AGAIN_AFTER)
                else:
                    await self._work.wait()
            except (RedisError, OSError) as error:
                _log.warning("fanout_waits", error=str(error))
                await asyncio.sleep(AGAIN_AFTER)

    async def match_all(self) -> int:
        """Match all that waits now, as far as the outbox has room. -> how many papers were offered to channels."""
        taken = 0
        while not await self._too_much_is_open():
            news = await self._news.read(PAPERS_AT_ONCE)
            if not news:
                break
            index = await self._follower.up_to_date()
            for new in news:
                taken += await self._offer(new, index.newly(new.paper, new.before))
            await self._news.matched(news)
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

    def _heard(self, message: str) -> None:
        if message in {"", "papers"}:
            self._work.set()

    async def _offer(self, new: New, matches: Sequence[Match]) -> int:
        by_channel = await _grouped(matches)
        if new.first_seen is not None:
            by_channel = {c: m async for c, m in self._older(by_channel, new.first_seen)}
        offers = (offer for channel, some in by_channel.items() for offer in [_offer(new, channel, some)])
        taken = 0
        while batch := list(islice(offers, OFFERS_AT_ONCE)):
            taken += await self._outbox.offer(batch)
        metrics.matches.inc(len(matches))
        metrics.offers.inc(taken)
        metrics.matching_lag.observe(max(0.0, time() - new.at / 1000))
        return taken

    async def _older(
        self, by_channel: Mapping[ChannelRef, list[Match]], first_seen: int
    ) -> AsyncIterator[tuple[ChannelRef, list[Match]]]:
        """Of a paper that is announced again, the matches of subscriptions that were there at the first time."""
        for channel, matches in by_channel.items():
            old = {s.number for s in await self._subscriptions.of(channel) if _ms(s) <= first_seen}
            if left := [match for match in matches if match.number in old]:
                yield channel, left


def due_at(every: Every, now: datetime) -> datetime:
    """When a message of this rhythm is due: at once, or at the next digest hour."""
    if every == "now":
        return now
    today = now.replace(hour=DIGEST_HOUR, minute=0, second=0, microsecond=0)
    due = today if now < today else today + timedelta(days=1)
    return due if every == "daily" else due + timedelta(days=-due.weekday() % 7)


async def _grouped(matches: Iterable[Match]) -> dict[ChannelRef, list[Match]]:
    found: dict[ChannelRef, list[Match]] = {}
    for n, match in enumerate(matches, 1):
        found.setdefault(match.channel, []).append(match)
        if n % STEP == 0:
            await asyncio.sleep(0)
    return found


def _offer(new: New, channel: ChannelRef, matches: Sequence[Match]) -> Offer:
    """One message for all reasons; the most eager of them says when."""
    ordered = sorted(matches, key=lambda match: match.number)
    every: Every = min((match.every for match in ordered), key=("now", "daily", "weekly").index)
    due = due_at(every, datetime.fromtimestamp(new.at / 1000, UTC))
    return Offer(
        channel=channel,
        papers=((new.paper.id, tuple(Reason(match.number, match.query) for match in ordered)),),
        due=round(due.timestamp() * 1000),
        label=new.paper.id if every == "now" else f"{every} {due:%Y-%m-%d}",
        detected=new.at if every == "now" and new.first_seen is None else None,
        perhaps_since=new.first_seen,
    )


def _ms(subscription: Subscription) -> int:
    return round(subscription.created_at.timestamp() * 1000)
