"""Who follows each query: millions of subscriptions in some twenty bytes each.

A subscription is two numbers: in its query's bucket `channel · number · every`, in its channel's bucket
`number · query`. Subscription objects are made only for those that are looked at.
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
    """A subscription that a paper matches: whose it is, its number there, what it asks for, how it is told."""

    channel: ChannelRef
    number: int
    query: str
    every: Every


class Matches(Collection[Match]):
    """The subscriptions that a paper matches, made one by one as they are looked at.

    It stays as it is while subscriptions come and go: a fan-out may take its time.
    """

    def __init__(
        self, queries: Sequence[str], followers: Sequence[IdSet], channels: Sequence[ChannelRef]
    ) -> None:
        self._queries = queries
        self._subscribers = followers
        self._channels = channels

    def __len__(self) -> int:
        return sum(1 if isinstance(some, int) else len(some) for some in self._subscribers)

    def __contains__(self, match: object) -> bool:
        return any(match == other for other in self)

    def __iter__(self) -> Iterator[Match]:
        return self.part(0, 1)

    def part(self, part: int, parts: int) -> Iterator[Match]:
        """Those of every `parts`-th channel, from channel `part` on: all of a channel's are in the same part."""
        channels, number_mask, every_mask = self._channels, (1 << _NUMBER_BITS) - 1, (1 << _EVERY_BITS) - 1
        for query, followers in zip(self._queries, self._subscribers, strict=True):
            for packed in ids_in(followers):
                channel = packed >> _CHANNEL_SHIFT
                if channel % parts == part:
                    number = packed >> _EVERY_BITS & number_mask
                    yield Match(channels[channel], number, query, _EVERY[packed & every_mask])


class Subscribers:
    """Who follows which query; queries are ids here."""

    def __init__(self) -> None:
        self._channels: list[ChannelRef] = []
        """By their ids, which are never given twice: what was found before still says whose it is."""
        self._channel_ids: dict[ChannelRef, int] = {}
        self._of_channel: list[IdSet | None] = []
        self._of_query: dict[int, IdSet] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, channel: ChannelRef, number: int, every: Every, query: int) -> None:
        """Subscription `number` of `channel`, which it has not, follows `query`."""
        channel_id = self._channel_ids.setdefault(channel, len(self._channels))
        if channel_id == len(self._channels):
            self._channels.append(channel)
            self._of_channel.append(None)
        self._of_channel[channel_id] = with_id(self._of_channel[channel_id], number << _QUERY_BITS | query)
        packed = channel_id << _CHANNEL_SHIFT | number << _EVERY_BITS | _EVERY.index(every)
        self._of_query[query] = with_id(self._of_query.get(query), packed)
        self._count += 1

    def remove(self, channel: ChannelRef, number: int) -> int | None:
        """The query that this subscription followed, or None where there was none such."""
        channel_id = self._channel_ids.get(channel, -1)
        own = self._of_channel[channel_id] if channel_id >= 0 else None
        entry = first_from(own, number << _QUERY_BITS)
        if own is None or entry is None or entry >> _QUERY_BITS != number:
            return None
        self._of_channel[channel_id] = without_id(own, entry)
        query = entry & (1 << _QUERY_BITS) - 1
        followers = self._of_query.pop(query)
        packed = first_from(followers, channel_id << _CHANNEL_SHIFT | number << _EVERY_BITS)
        left = followers if packed is None else without_id(followers, packed)
        if left is not None:
            self._of_query[query] = left
        self._count -= 1
        return query

    def has(self, query: int) -> bool:
        """Whether anyone follows `query`."""
        return query in self._of_query

    def of(self, queries: Sequence[int], texts: Mapping[int, str]) -> Matches:
        """All who follow these queries; `texts` says what each of them asks for."""
        buckets = [self._of_query[query] for query in queries]
        kept = [bucket if isinstance(bucket, int) else bucket[:] for bucket in buckets]
        return Matches([texts[query] for query in queries], kept, self._channels)
