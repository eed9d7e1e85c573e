"""The subscriptions of every channel, and the streams of changes that matchers follow."""

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, get_args
from uuid import uuid4

from redis.asyncio import Redis

from bot.domain.errors import UserError
from bot.domain.models import ChannelRef, Every, Subscription
from bot.query import parse
from bot.store import keys
from bot.store.scripts import Scripts, script
from bot.store.unreadable import UNREADABLE, load_each

LIMIT = 50
"""Maximum number of subscriptions of one channel."""
MAX_CHANGES = 10_000
"""Maximum number of changes stored for matchers per shard; a matcher further behind loads all subscriptions again."""
PAGE = 500
"""Maximum number of channels read by one round trip."""

Positions = Mapping[int, str]
"""Shard -> id of the last change that was read, "" if none was."""


_Load = Callable[[ChannelRef, str, str], Subscription]


@dataclass(frozen=True, slots=True)
class Change:
    """A subscription that was added, changed or removed."""

    channel: ChannelRef
    number: int
    subscription: Subscription | None
    """None if it was removed."""


class Trimmed(Exception):
    """Some changes are no longer stored, so that all subscriptions have to be loaded again."""


class Subscriptions:
    """Adds, removes and lists subscriptions."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._scripts = Scripts(redis)

    async def add(
        self, channel: ChannelRef, query: str, every: Every, created_by: str
    ) -> tuple[Subscription, bool]:
        """Subscribe a channel to a query, and return the subscription and True.

        If the channel has the query already, even in another spelling, return that subscription and False.
        Raises UserError if the channel already has `LIMIT` subscriptions.
        """
        number, record, created = await self._scripts.run(
            script("changes", "subscribe"),
            self._keys(channel),
            [str(channel), query, every, created_by, LIMIT, MAX_CHANGES, uuid4().hex, str(parse(query))],
        )
        if not int(number):
            raise UserError(
                f"You already have {LIMIT} subscriptions of your own, the most that one person can have."
                if channel.person
                else f"This channel already has {LIMIT} subscriptions, the most that one channel can have.",
                hint="/paper list shows them, /paper unsubscribe <#id> removes one",
            )
        return _load(channel, int(number), record), bool(int(created))

    async def remove(self, channel: ChannelRef, number: int) -> Subscription | None:
        """Remove a subscription and return it; None if the channel has none with this number."""
        subscriptions, home, _, changes = self._keys(channel)
        record = await self._scripts.run(
            script("changes", "unsubscribe"),
            [subscriptions, home, changes],
            [str(channel), number, MAX_CHANGES, uuid4().hex],
        )
        return _load_removed(channel, number, record) if record else None

    async def change(
        self, channel: ChannelRef, number: int, *, query: str | None = None, every: Every | None = None
    ) -> Subscription | None:
        """Give a subscription another query or frequency; its former query is stored as `was`.

        Returns None if the channel has no subscription with this number.
        """
        existing = next((s for s in await self.of(channel) if s.number == number), None)
        if existing is None:
            return None
        changes: dict[str, str] = {"every": every} if every else {}
        if query and query != existing.query:
            changes |= {"query": query, "key": str(parse(query)), "was": existing.query}
        subscriptions, _, _, stream = self._keys(channel)
        record = await self._scripts.run(
            script("changes", "change"),
            [subscriptions, stream],
            [str(channel), number, json.dumps(changes, ensure_ascii=False), MAX_CHANGES],
        )
        return _load(channel, number, record) if record else None

    async def of(self, channel: ChannelRef) -> list[Subscription]:
        """Return a channel's subscriptions by number, without those that can't be read."""
        return sorted(await self._of_many([channel], _load_with_query), key=lambda one: one.number)

    async def of_each(self, channels: Sequence[ChannelRef]) -> dict[ChannelRef, list[Subscription]]:
        """Return the subscriptions of every channel that has some, by number, without those that can't be read."""
        found: dict[ChannelRef, list[Subscription]] = {}
        for at in range(0, len(channels), PAGE):
            for subscription in await self._of_many(list(channels[at : at + PAGE]), _load_with_query):
                found.setdefault(subscription.channel, []).append(subscription)
        return {channel: sorted(some, key=lambda s: s.number) for channel, some in found.items()}

    async def ever(self, channel: ChannelRef) -> bool:
        """Whether the channel has or had a subscription."""
        return bool(await self._redis.sismember(keys.channels(keys.shard_of(channel)), str(channel)))

    async def load(self) -> AsyncIterator[Subscription]:
        """Yield every subscription, in no particular order. Queries aren't checked, since there may be a million."""
        for shard in range(keys.SHARDS):
            names: list[str] = []
            async for name in self._redis.sscan_iter(keys.channels(shard), count=PAGE):
                names.append(name)
                if len(names) >= PAGE:
                    for subscription in await self._of_names(names):
                        yield subscription
                    names.clear()
            for subscription in await self._of_names(names):
                yield subscription

    async def _of_names(self, names: list[str]) -> list[Subscription]:
        named = [(name, name) for name in names]
        channels = await load_each(self._redis, "channel", named, lambda _name, text: ChannelRef.parse(text))
        return await self._of_many([channel for _, channel in channels], _load)

    async def positions(self) -> dict[int, str]:
        """Return where the streams of changes end now. Call it before `load`: applying a change twice does no harm."""
        pipeline = self._redis.pipeline(transaction=False)
        for shard in range(keys.SHARDS):
            _ = pipeline.xrevrange(keys.changes(shard), count=1)
        ends = await pipeline.execute()
        return {shard: end[0][0] if end else "" for shard, end in enumerate(ends)}

    async def changes(self, after: Positions) -> tuple[list[Change], dict[int, str]]:
        """Return the changes since `after`, and the new positions. Raises Trimmed if some of them are no longer stored.

        Makes one round trip and doesn't wait for further changes.
        """
        pipeline = self._redis.pipeline(transaction=False)
        for shard in range(keys.SHARDS):
            _ = pipeline.xrange(keys.changes(shard), min=after[shard] or "-", count=MAX_CHANGES)
        found: list[Change] = []
        positions: dict[int, str] = {}
        for shard, entries in enumerate(await pipeline.execute()):
            new = _after(after[shard], entries)
            loaded = await load_each(
                self._redis, "subscription_change", new, lambda _entry, fields: _change(fields)
            )
            found += (change for _, change in loaded)
            positions[shard] = new[-1][0] if new else after[shard]
        return found, positions

    async def _of_many(self, channels: list[ChannelRef], load: _Load) -> list[Subscription]:
        pipeline = self._redis.pipeline(transaction=False)
        for channel in channels:
            _ = pipeline.hgetall(keys.subscriptions(channel))
        found = await pipeline.execute() if channels else []
        stored = [
            (f"{channel} #{number}", (channel, number, record))
            for channel, records in zip(channels, found, strict=True)
            for number, record in records.items()
        ]
        loaded = await load_each(self._redis, "subscription", stored, lambda _name, one: load(*one))
        return [subscription for _, subscription in loaded]

    def _keys(self, channel: ChannelRef) -> list[str]:
        shard = keys.shard_of(channel)
        return [
            keys.subscriptions(channel),
            keys.channel(channel),
            keys.channels(shard),
            keys.changes(shard),
        ]


def _after(position: str, entries: list[tuple[str, dict[str, str]]]) -> list[tuple[str, dict[str, str]]]:
    """Return the entries after `position`. Raises Trimmed if `position` isn't the first entry any more.

    The first part of an id counts up by one (`7-…`), so that gaps can be detected. The second part is the time, so that
    a stream that was lost and started again can be detected, too.
    """
    if position:
        if not entries or entries[0][0] != position:
            raise Trimmed(position)
        return entries[1:]
    if entries and not entries[0][0].startswith("1-"):
        raise Trimmed(entries[0][0])
    return entries


def _change(fields: Mapping[str, str]) -> Change:
    channel, number = ChannelRef.parse(fields["channel"]), int(fields["number"])
    record = fields.get("record")
    return Change(channel, number, None if record is None else _load(channel, number, record))


def _load(channel: ChannelRef, number: int | str, record: str) -> Subscription:
    """Parse a subscription's JSON. Ignores fields of newer versions; an unknown frequency becomes the channel's."""
    values: dict[str, Any] = json.loads(record)
    every: Any = values.get("every")
    return Subscription(
        channel=channel,
        number=int(number),
        query=_text(values["query"]),
        every=every if every in get_args(Every) else "channel",
        created_by=_text(values.get("by", "")),
        was=_text(values.get("was", "")),
        created_at=datetime.fromtimestamp(values["at"] / 1000, UTC),
    )


def _load_with_query(channel: ChannelRef, number: int | str, record: str) -> Subscription:
    """Parse a subscription with its query. Raises UserError if the query can't be read."""
    subscription = _load(channel, number, record)
    _ = parse(subscription.query)
    return subscription


def _load_removed(channel: ChannelRef, number: int, record: str) -> Subscription:
    """Parse a removed subscription; if it can't be read, return one with its record as the query."""
    try:
        return _load(channel, number, record)
    except UNREADABLE:
        return Subscription(
            channel=channel, number=number, query=record, created_at=datetime.fromtimestamp(0, UTC)
        )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} isn't text")
    return value
