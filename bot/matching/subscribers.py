"""The subscriptions of each query: millions of them, in about twenty bytes each.

A subscription is two packed integers: `channel · number · every` in the set of its query, and `number · query` in the
set of its channel. `Match` objects are created only during iteration.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from bot.domain.models import ChannelRef, Every
from bot.matching.id_sets import IdSet, first_from, ids_in, with_id, without_id

_EVERY: tuple[Every, ...] = ("now", "daily", "weekly", "channel")
_EVERY_BITS = 2
_NUMBER_BITS = 30
_CHANNEL_SHIFT = _NUMBER_BITS + _EVERY_BITS
_QUERY_BITS = 32


class Match(NamedTuple):
    """A subscription that a paper matches: its channel, its number there, its query, and how often it is posted."""

    channel: ChannelRef
    number: int
    query: str
    every: Every


class Matches(Collection[Match]):
    """The subscriptions that a paper matches, created one by one during iteration.

    It doesn't change while subscriptions are added and removed, because a fan-out can take long.
    """

    def __init__(
        self, queries: Sequence[str], subscribers: Sequence[IdSet], channels: Sequence[ChannelRef]
    ) -> None:
        self._queries = queries
        self._subscribers = subscribers
        self._channels = channels

    def __len__(self) -> int:
        return sum(1 if isinstance(some, int) else len(some) for some in self._subscribers)

    def __contains__(self, match: object) -> bool:
        return any(match == other for other in self)

    def __iter__(self) -> Iterator[Match]:
        return self.part(0, 1)

    def part(self, part: int, parts: int) -> Iterator[Match]:
        """Yield one of `parts` disjoint slices. All matches of a channel are in the same slice."""
        channels, number_mask, every_mask = self._channels, (1 << _NUMBER_BITS) - 1, (1 << _EVERY_BITS) - 1
        for query, subscribers in zip(self._queries, self._subscribers, strict=True):
            for packed in ids_in(subscribers):
                channel = packed >> _CHANNEL_SHIFT
                if channel % parts == part:
                    number = packed >> _EVERY_BITS & number_mask
                    yield Match(channels[channel], number, query, _EVERY[packed & every_mask])


class SubscriberTable:
    """The subscriptions of each query. Queries are identified by their ids."""

    def __init__(self) -> None:
        self._channels: list[ChannelRef] = []
        """Channels by id. Ids are never reused, so that older `Matches` stay valid."""
        self._channel_ids: dict[ChannelRef, int] = {}
        self._of_channel: list[IdSet | None] = []
        self._of_query: dict[int, IdSet] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, channel: ChannelRef, number: int, every: Every, query: int) -> None:
        """Add subscription `number` of `channel`, which must be new, to `query`."""
        channel_id = self._channel_ids.setdefault(channel, len(self._channels))
        if channel_id == len(self._channels):
            self._channels.append(channel)
            self._of_channel.append(None)
        self._of_channel[channel_id] = with_id(self._of_channel[channel_id], number << _QUERY_BITS | query)
        packed = channel_id << _CHANNEL_SHIFT | number << _EVERY_BITS | _EVERY.index(every)
        self._of_query[query] = with_id(self._of_query.get(query), packed)
        self._count += 1

    def remove(self, channel: ChannelRef, number: int) -> int | None:
        """Remove a subscription. Returns the id of its query, or None if there was no such subscription."""
        channel_id = self._channel_ids.get(channel, -1)
        own = self._of_channel[channel_id] if channel_id >= 0 else None
        entry = first_from(own, number << _QUERY_BITS)
        if own is None or entry is None or entry >> _QUERY_BITS != number:
            return None
        self._of_channel[channel_id] = without_id(own, entry)
        query = entry & (1 << _QUERY_BITS) - 1
        ids = self._of_query.pop(query)
        packed = first_from(ids, channel_id << _CHANNEL_SHIFT | number << _EVERY_BITS)
        left = ids if packed is None else without_id(ids, packed)
        if left is not None:
            self._of_query[query] = left
        self._count -= 1
        return query

    def has(self, query: int) -> bool:
        """Whether `query` has any subscription."""
        return query in self._of_query

    def of(self, queries: Sequence[int], texts: Mapping[int, str]) -> Matches:
        """Return all subscriptions of these queries; `texts` maps a query's id to its text."""
        sets = [self._of_query[query] for query in queries]
        copies = [ids if isinstance(ids, int) else ids[:] for ids in sets]
        return Matches([texts[query] for query in queries], copies, self._channels)
