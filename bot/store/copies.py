"""Channels that get a copy of each post of another channel, such as the address of a program.

A copy is in the shard of the channel that it repeats, so that one script records a post and its copies.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from redis.asyncio import Redis

from bot.domain.errors import UserError
from bot.domain.models import ChannelRef
from bot.store import keys
from bot.store.outbox.outbox import Outbox
from bot.store.scripts import Scripts, script
from bot.store.unreadable import load_each

MAX_COPIES = 10
"""Maximum number of copies of one channel: each post is sent to all of them."""
PAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A channel that repeats another one's posts."""

    to: ChannelRef
    number: int = 0
    """Identifies it among the copies of its channel."""
    by: str = ""
    """The `signature` of the person who added it."""
    at: datetime
    sealed: str
    """Data that its platform needs, encrypted by the platform."""


class Copies:
    """Adds, finds and removes copies."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._scripts = Scripts(redis)

    async def add(self, channel: ChannelRef, copy: Copy) -> Copy:
        """Send the posts of `channel` to `copy` from now on. Returns the copy with its name and number.

        Raises UserError if the channel has too many.
        """
        named = _with_name(copy, channel)
        args: list[str | int] = [_dump(named), str(channel), MAX_COPIES, copy.number]
        script_keys = [keys.copies(channel), keys.copy_of(named.to)]
        number = int(await self._scripts.run(script("copy_put"), script_keys, args))
        if not number:
            raise UserError(
                f"This channel already sends its posts to {MAX_COPIES} addresses, the most that it can."
            )
        return replace(named, number=number)

    async def of(self, channel: ChannelRef) -> list[Copy]:
        """Return the channel's copies, by number."""
        stored: Any = await self._redis.hgetall(keys.copies(channel))
        records = [(number, (number, text)) for number, text in stored.items()]
        loaded = await load_each(self._redis, "copy", records, lambda _name, one: _load(*one))
        return sorted((copy for _, copy in loaded), key=lambda copy: copy.number)

    async def find(self, to: ChannelRef) -> tuple[ChannelRef, Copy] | None:
        """Return a copy with the channel that it repeats; None if there is no such copy any more. Raises RedisError."""
        original: Any = await self._redis.get(keys.copy_of(to))
        if not original:
            return None
        channel = ChannelRef.parse(original)
        return next(((channel, copy) for copy in await self.of(channel) if copy.to == to), None)

    async def remove(self, channel: ChannelRef, copy: Copy) -> None:
        """Remove a copy and the deliveries that wait for it. A post in flight may still arrive."""
        await self._redis.hdel(keys.copies(channel), str(copy.number))
        await self._redis.delete(keys.copy_of(copy.to))
        await Outbox(self._redis).forget(copy.to)

    async def restore(self, channel: ChannelRef, copy: Copy) -> Copy:
        """Add a copy that this channel, or another one, had. Returns the channel's existing copy if it has the same."""
        existing = await self.of(channel)
        same = next((one for one in existing if (one.sealed, one.at) == (copy.sealed, copy.at)), None)
        return same or await self.add(channel, copy)

    async def reseal(self, platform: str, reseal: Callable[[str], str]) -> None:
        """Encrypt the data of all copies on a platform again."""
        async for key in self._redis.scan_iter("pb:*:copies:*", count=PAGE):
            stored: Any = await self._redis.hgetall(key)
            for number, text in stored.items():
                copy = _load(number, text)
                if copy.to.platform == platform:
                    args = [number, text, _dump(replace(copy, sealed=reseal(copy.sealed)))]
                    await self._scripts.run(script("copy_reseal"), [str(key)], args)


def _with_name(copy: Copy, channel: ChannelRef) -> Copy:
    """Return the copy with a name in the channel's shard, as one in sixteen names is; always the same name."""
    to, nth = copy.to, 0
    while not to.channel or keys.shard_of(to) != keys.shard_of(channel):
        to = replace(to, channel=sha256(f"{channel} {copy.sealed} {nth}".encode()).hexdigest()[:16])
        nth += 1
    return replace(copy, to=to)


def _dump(copy: Copy) -> str:
    values = {
        "to": str(copy.to),
        "by": copy.by,
        "at": round(copy.at.timestamp() * 1000),
        "sealed": copy.sealed,
    }
    return json.dumps(values, ensure_ascii=False)


def _load(number: str, record: str) -> Copy:
    values = json.loads(record)
    return Copy(
        to=ChannelRef.parse(values["to"]),
        number=int(number),
        by=str(values["by"]),
        at=datetime.fromtimestamp(values["at"] / 1000, UTC),
        sealed=str(values["sealed"]),
    )
