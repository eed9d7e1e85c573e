"""Who follows each query: millions of subscriptions in some twenty bytes each.

A subscription is two numbers: in its query's bucket `channel · number · every`, in its channel's bucket
`number · query`. Subscription objects are made only for those that are looked at.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple, overload

from bot.matcher.buckets import Bucket, excluding, first_from, including
from bot.models import ChannelRef, Every

_EVERY: tuple[Every, ...] = ("now", "daily", "weekly", "channel")
_EVERY_BITS = 2
_NUMBER_BITS = 30
_CHANNEL_SHIFT = _NUMBER_BITS + _EVERY_BITS
_QUERY_BITS = 32


class Match(NamedTuple):
    """A subscription that a paper matches: whose it is, its number there, what it asks for, how it is told."""

    channel: ChannelRef
    number: int
    query: str
    every: Every


class Matches(Sequence[Match]):
    """The subscriptions that a paper matches, made one by one as they are looked at.

    It stays as it is while subscriptions come and go: a fan-out may take its time.
    """

    def __init__(self, found: Sequence[tuple[str, Sequence[int]]], channels: Sequence[ChannelRef]) -> None:
        self._found = found
        self._ends = list(accumulate(len(followers) for _, followers in found))
        self._channels = channels

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __iter__(self) -> Iterator[Match]:
        return (self._match(query, packed) for query, followers in self._found for packed in followers)

    @overload
    def __getitem__(self, at: int) -> Match: ...
    @overload
    def __getitem__(self, at: slice) -> list[Match]: ...
    def __getitem__(self, at: int | slice) -> Match | list[Match]:
        if isinstance(at, slice):
            return [self[place] for place in range(*at.indices(len(self)))]
        place = range(len(self))[at]
        group = bisect_right(self._ends, place)
        query, followers = self._found[group]
        return self._match(query, followers[place - self._ends[group]])

    def _match(self, query: str, packed: int) -> Match:
        return Match(
            self._channels[packed >> _CHANNEL_SHIFT],
            packed >> _EVERY_BITS & (1 << _NUMBER_BITS) - 1,
            query,
            _EVERY[packed & (1 << _EVERY_BITS) - 1],
        )


class Followers:
    """Who follows which query; queries are ids here."""

    def __init__(self) -> None:
        self._channels: list[ChannelRef] = []
        """By their ids, which are never given twice: what was found before still says whose it is."""
        self._channel_ids: dict[ChannelRef, int] = {}
        self._of_channel: list[Bucket | None] = []
        self._of_query: dict[int, Bucket] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, channel: ChannelRef, number: int, every: Every, query: int) -> None:
        """Subscription `number` of `channel`, which it has not, follows `query`."""
        channel_id = self._channel_ids.setdefault(channel, len(self._channels))
        if channel_id == len(self._channels):
            self._channels.append(channel)
            self._of_channel.append(None)
        self._of_channel[channel_id] = including(self._of_channel[channel_id], number << _QUERY_BITS | query)
        packed = channel_id << _CHANNEL_SHIFT | number << _EVERY_BITS | _EVERY.index(every)
        self._of_query[query] = including(self._of_query.get(query), packed)
        self._count += 1

    def remove(self, channel: ChannelRef, number: int) -> int | None:
        """The query that this subscription followed, or None where there was none such."""
        channel_id = self._channel_ids.get(channel, -1)
        own = self._of_channel[channel_id] if channel_id >= 0 else None
        entry = first_from(own, number << _QUERY_BITS)
        if own is None or entry is None or entry >> _QUERY_BITS != number:
            return None
        self._of_channel[channel_id] = excluding(own, entry)
        query = entry & (1 << _QUERY_BITS) - 1
        followers = self._of_query.pop(query)
        packed = first_from(followers, channel_id << _CHANNEL_SHIFT | number << _EVERY_BITS)
        left = followers if packed is None else excluding(followers, packed)
        if left is not None:
            self._of_query[query] = left
        self._count -= 1
        return query

    def has(self, query: int) -> bool:
        """Whether anyone follows `query`."""
        return query in self._of_query

    def of(self, queries: Iterable[tuple[int, str]]) -> Matches:
        """All who follow these queries, given as ids with their texts."""
        found = [(text, self._of_query[query]) for query, text in queries]
        return Matches([(text, (b,) if isinstance(b, int) else b[:]) for text, b in found], self._channels)
