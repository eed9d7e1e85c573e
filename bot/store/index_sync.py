"""Keeps an index of all subscriptions up to date in every process that matches."""

import asyncio
import gc
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from bot.domain.models import ChannelRef, Subscription
from bot.store.subscriptions import Change, Subscriptions, Trimmed

PER_YIELD = 50
"""Number of subscriptions indexed before other tasks on the event loop can run: a few milliseconds."""
PER_FREEZE = 20_000
"""Number of subscriptions after which the indexed ones are hidden from the garbage collector: going over a million of
them would stop everything for a second."""


class SyncedIndex(Protocol):
    """The part of a matcher that keeps it up to date."""

    def add(self, subscription: Subscription) -> None: ...

    def remove(self, channel: ChannelRef, number: int) -> None:
        """Remove a subscription; nothing happens if there is none."""


IndexT_co = TypeVar("IndexT_co", bound=SyncedIndex, covariant=True)


class IndexSync(Generic[IndexT_co]):
    """An index that is loaded once and then applies the changes.

    `up_to_date` reads changes without waiting for further ones. It is called before each poll, so that a subscription
    that any process has confirmed counts for that poll here.
    """

    def __init__(self, subscriptions: Subscriptions, empty: Callable[[], IndexT_co]) -> None:
        self._subscriptions = subscriptions
        self._empty = empty
        self._index: IndexT_co | None = None
        self._positions: dict[int, str] = {}

    async def up_to_date(self) -> IndexT_co:
        """Return the index with every change up to now. Raises RedisError; the next call continues from there."""
        if self._index is None:
            self._index = await self._load()
        try:
            changes, self._positions = await self._subscriptions.changes(self._positions)
        except Trimmed:
            self._index = await self._load()
            changes, self._positions = await self._subscriptions.changes(self._positions)
        for n, change in enumerate(changes, 1):
            _apply(self._index, change)
            if n % PER_YIELD == 0:
                await asyncio.sleep(0)
        return self._index

    async def _load(self) -> IndexT_co:
        self._index = None  # free the stale one first: two indexes of a million subscriptions would not fit
        index = self._empty()
        self._positions = await self._subscriptions.positions()
        count = 0
        async for subscription in self._subscriptions.load():
            index.add(subscription)
            count += 1
            if count % PER_YIELD == 0:
                await asyncio.sleep(0)
            if count % PER_FREEZE == 0:
                gc.freeze()
        gc.freeze()
        return index


def _apply(index: SyncedIndex, change: Change) -> None:
    index.remove(change.channel, change.number)  # also before adding: it may have been loaded already
    if change.subscription is not None:
        index.add(change.subscription)
