"""The subscriptions of every channel: the truth in Redis, and the stream of changes that matchers follow."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from redis.asyncio import Redis

from bot.domain.errors import UserError
from bot.domain.models import ChannelRef, Every, Subscription
from bot.store import keys
from bot.store.scripts import Scripts, script

LIMIT = 50
"""Subscriptions a channel."""
LONGEST = 10_000
"""Changes kept for matchers to follow, in each shard; one that is further behind loads everything again."""
PAGE = 500

Positions = Mapping[int, str]
"""Shard -> id of the last change that was read, "" for none."""


@dataclass(frozen=True, slots=True)
class Change:
    """One subscription added, or removed."""

    channel: ChannelRef
    number: int
    subscription: Subscription | None
    """None where it was removed."""


class Trimmed(Exception):
    """Changes were missed: those that follow can't be applied to what is known."""


class Subscriptions:
    """Adds, removes and lists subscriptions."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._scripts = Scripts(redis)

    async def add(
        self, channel: ChannelRef, query: str, every: Every, created_by: str
    ) -> tuple[Subscription, bool]:
        """Subscribe a channel to a canonical query. The same query again gives the existing one, and False.

        Raises UserError where the channel has `LIMIT` subscriptions already.
        """
        number, record, created = await self._scripts.run(
            script("changes", "subscribe"),
            self._keys(channel),
            [str(channel), query, every, created_by, LIMIT, LONGEST, uuid4().hex],
        )
        if not int(number):
            raise UserError(
                f"This channel has {LIMIT} subscriptions, and more can't be added.",
                hint="/paper list shows them, /paper unsubscribe <#id> ends one",
            )
        return _load(channel, int(number), record), bool(int(created))

    async def remove(self, channel: ChannelRef, number: int) -> Subscription | None:
        """End a subscription: what it was, or None where there is none of this number."""
        subscriptions, home, _, changes = self._keys(channel)
        record = await self._scripts.run(
            script("changes", "unsubscribe"),
            [subscriptions, home, changes],
            [str(channel), number, LONGEST, uuid4().hex],
        )
        return _load(channel, number, record) if record else None

    async def change(
        self, channel: ChannelRef, number: int, *, query: str | None = None, every: Every | None = None
    ) -> Subscription | None:
        """Give a subscription another canonical query or rhythm; its former query is remembered as `was`.

        None where there is none of this number.
        """
        existing = next((s for s in await self.of(channel) if s.number == number), None)
        if existing is None:
            return None
        changes: dict[str, str] = {"every": every} if every else {}
        if query and query != existing.query:
            changes |= {"query": query, "was": existing.query}
        subscriptions, _, _, stream = self._keys(channel)
        record = await self._scripts.run(
            script("changes", "change"),
            [subscriptions, stream],
            [str(channel), number, json.dumps(changes, ensure_ascii=False), LONGEST],
        )
        return _load(channel, number, record) if record else None

    async def of(self, channel: ChannelRef) -> list[Subscription]:
        """A channel's subscriptions by number."""
        found: dict[Any, Any] = await self._redis.hgetall(keys.subscriptions(channel))
        return [_load(channel, number, found[str(number)]) for number in sorted(map(int, found))]

    async def of_each(self, channels: Sequence[ChannelRef]) -> dict[ChannelRef, list[Subscription]]:
        """The subscriptions by number of every channel that has some."""
        found: dict[ChannelRef, list[Subscription]] = {}
        for at in range(0, len(channels), PAGE):
            for subscription in await self._of_many(list(channels[at : at + PAGE])):
                found.setdefault(subscription.channel, []).append(subscription)
        return {channel: sorted(some, key=lambda s: s.number) for channel, some in found.items()}

    async def ever(self, channel: ChannelRef) -> bool:
        """Whether the channel has, or once had, a subscription."""
        return bool(await self._redis.sismember(keys.channels(keys.shard_of(channel)), str(channel)))

    async def load(self) -> AsyncIterator[Subscription]:
        """Every subscription there is, in no order."""
        for shard in range(keys.SHARDS):
            page: list[ChannelRef] = []
            async for name in self._redis.sscan_iter(keys.channels(shard), count=PAGE):
                page.append(ChannelRef.parse(name))
                if len(page) >= PAGE:
                    for subscription in await self._of_many(page):
                        yield subscription
                    page.clear()
            for subscription in await self._of_many(page):
                yield subscription

    async def positions(self) -> dict[int, str]:
        """Where the streams of changes end now. Read it before `load`: changes met twice do no harm."""
        pipeline = self._redis.pipeline(transaction=False)
        for shard in range(keys.SHARDS):
            _ = pipeline.xrevrange(keys.changes(shard), count=1)
        ends = await pipeline.execute()
        return {shard: end[0][0] if end else "" for shard, end in enumerate(ends)}

    async def changes(self, after: Positions) -> tuple[list[Change], dict[int, str]]:
        """What has changed since, and the new positions. Raises Trimmed where some of it is no longer there.

        One round trip, and it never waits for changes to come.
        """
        pipeline = self._redis.pipeline(transaction=False)
        for shard in range(keys.SHARDS):
            _ = pipeline.xrange(keys.changes(shard), min=after[shard] or "-", count=LONGEST)
        found: list[Change] = []
        positions: dict[int, str] = {}
        for shard, entries in enumerate(await pipeline.execute()):
            news = _after(after[shard], entries)
            found += (_change(fields) for _, fields in news)
            positions[shard] = news[-1][0] if news else after[shard]
        return found, positions

    async def _of_many(self, channels: list[ChannelRef]) -> list[Subscription]:
        pipeline = self._redis.pipeline(transaction=False)
        for channel in channels:
            _ = pipeline.hgetall(keys.subscriptions(channel))
        found = await pipeline.execute() if channels else []
        return [
            _load(channel, int(number), record)
            for channel, records in zip(channels, found, strict=True)
            for number, record in records.items()
        ]

    def _keys(self, channel: ChannelRef) -> list[str]:
        shard = keys.shard_of(channel)
        return [
            keys.subscriptions(channel),
            keys.channel(channel),
            keys.channels(shard),
            keys.changes(shard),
        ]


def _after(position: str, entries: list[tuple[str, dict[str, str]]]) -> list[tuple[str, dict[str, str]]]:
    """The entries past `position`, which must still be there itself (the read began with it).

    Ids count up by one (`7-…`), so that a gap shows; what comes after the dash is the time, so that a stream
    that was lost and begun anew shows, too.
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
    if record is None:
        return Change(channel, number, None)
    return Change(channel, number, _load(channel, number, record))


def _load(channel: ChannelRef, number: int, record: str) -> Subscription:
    values: dict[str, Any] = json.loads(record)
    return Subscription(
        channel=channel,
        number=number,
        query=values["query"],
        every=values["every"],
        created_by=values["by"],
        was=values.get("was", ""),
        created_at=datetime.fromtimestamp(values["at"] / 1000, UTC),
    )
