"""Keeps an index of all subscriptions up to date, in every process that matches."""

import asyncio
import gc
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from bot.domain.models import ChannelRef, Subscription
from bot.store.subscriptions import Change, Subscriptions, Trimmed

PAUSE = 50
"""Subscriptions taken in before others on the event loop have their turn: a few milliseconds."""
SETTLE = 20_000
"""Subscriptions after which what was taken in is kept out of the garbage collector's rounds: going over a million
of them would stop everything for a second."""


class Index(Protocol):
    """What a matcher offers for keeping it up to date."""

    def add(self, subscription: Subscription) -> None: ...

    def remove(self, channel: ChannelRef, number: int) -> None:
        """Forget a subscription; nothing happens where there is none."""


IndexT_co = TypeVar("IndexT_co", bound=Index, covariant=True)


class IndexSync(Generic[IndexT_co]):
    """An index that is loaded once and then follows the changes.

    `up_to_date` asks for changes without waiting for any: called before each paper, it makes a subscription
    that was confirmed anywhere count for that paper here.
    """

    def __init__(self, subscriptions: Subscriptions, empty: Callable[[], IndexT_co]) -> None:
        self._subscriptions = subscriptions
        self._empty = empty
        self._index: IndexT_co | None = None
        self._positions: dict[int, str] = {}

    async def up_to_date(self) -> IndexT_co:
        """The index with every change up to now. Raises RedisError; the next call goes on from there."""
        if self._index is None:
            self._index = await self._load()
        try:
            changes, self._positions = await self._subscriptions.changes(self._positions)
        except Trimmed:
            self._index = await self._load()
            changes, self._positions = await self._subscriptions.changes(self._positions)
        for n, change in enumerate(changes, 1):
            _apply(self._index, change)
            if n % PAUSE == 0:
                await asyncio.sleep(0)
        return self._index

    async def _load(self) -> IndexT_co:
        self._index = None  # frees a stale one first: two of a million subscriptions would not fit
        index = self._empty()
        self._positions = await self._subscriptions.positions()
        count = 0
        async for subscription in self._subscriptions.load():
            index.add(subscription)
            count += 1
            if count % PAUSE == 0:
                await asyncio.sleep(0)
            if count % SETTLE == 0:
                gc.freeze()
        gc.freeze()
        return index


def _apply(index: Index, change: Change) -> None:
    index.remove(change.channel, change.number)  # also before adding: loading may have met it already
    if change.subscription is not None:
        index.add(change.subscription)
