"""Deletes everything stored about a channel, a person or a workspace.

Each deletion scans the names of all keys, so it also finds kinds of keys that are added later. Entries of keys that
many share (streams, sorted sets, records with an author) are deleted one by one. A post in flight may still appear.
"""

from redis.asyncio import Redis

from bot.domain.models import ChannelRef
from bot.store import keys
from bot.store.copies import Copies
from bot.store.outbox.outbox import Outbox
from bot.store.scripts import Scripts, script
from bot.store.subscriptions import Subscriptions
from bot.store.tokens import Tokens
from bot.store.watches import Watches

PAGE = 1000
"""Number of keys or members that one request scans."""
AUTHORED = ("subs", "mutes", "watches", "shared_notes", "copies")
"""Kinds of keys whose records name their author."""


class DataDeletion:
    """Deletes for good. Every method raises RedisError, and can be repeated."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._scripts = Scripts(redis)
        self._subscriptions, self._watches, self._outbox = Subscriptions(redis), Watches(redis), Outbox(redis)

    async def channel(self, channel: ChannelRef) -> None:
        """Delete everything about a channel, or about a person in one workspace."""
        for subscription in await self._subscriptions.of(channel):
            await self._subscriptions.remove(channel, subscription.number)
        for paper_id in await self._watches.of(channel):
            await self._watches.remove(channel, paper_id)
        await Tokens(self._redis).forget(channel)
        copies = Copies(self._redis)
        for copy in await copies.of(channel):
            await copies.remove(channel, copy)
            await self._delete_named(str(copy.to))
        await self._outbox.forget(channel)
        await self._delete_named(str(channel))
        edits = keys.edits(channel.platform)
        waiting = [edit async for edit, _ in self._redis.zscan_iter(edits, count=PAGE)]
        if ours := [edit for edit in waiting if edit.startswith(f"{channel} ")]:
            await self._redis.zrem(edits, *ours)
        await self._redis.srem(keys.channels_left(channel.platform, channel.workspace), channel.channel)
        # A matcher that misses the stream loads all subscriptions again.
        await self._redis.delete(keys.changes(keys.shard_of(channel)))

    async def person(self, platform: str, user: str) -> None:
        """Delete everything about a person in all workspaces of a platform.

        Subscriptions and mutes that they made in channels stay, without their name.
        """
        for channel in await self._channels(f"{platform}:"):
            if user in (channel.channel, channel.person):
                await self.channel(channel)
        async for key in self._redis.scan_iter(f"pb:*:votes:{platform}:*", count=PAGE):
            fields = [field async for field, _ in self._redis.hscan_iter(key, count=PAGE)]
            if theirs := [field for field in fields if field.partition(" ")[0] == user]:
                await self._redis.hdel(key, *theirs)
        for kind in AUTHORED:
            async for key in self._redis.scan_iter(f"pb:*:{kind}:{platform}:*", count=PAGE):
                await self._scripts.run(script("changes", "disown"), [key], [user])
        for shard in range(keys.SHARDS):
            await self._redis.delete(keys.changes(shard))

    async def workspace(self, platform: str, workspace: str) -> None:
        """Delete everything about a workspace: its channels, what its people saved, its token."""
        name = keys.workspace(platform, workspace)
        for channel in await self._channels(f"{name}:"):
            await self.channel(channel)
        await self._delete_named(name)
        for shard in range(keys.SHARDS):
            await self._redis.zrem(keys.due(shard, platform), name)
            await self._redis.zrem(keys.paused(shard), f"workspace {name}")

    async def _channels(self, prefix: str) -> list[ChannelRef]:
        """Return the channels and people whose text form begins with `prefix`, taken from the names of keys."""
        found: set[ChannelRef] = set()
        async for key in self._redis.scan_iter(f"pb:*:{prefix}*", count=PAGE):
            _, _, rest = str(key).partition(f":{prefix}")
            words = f"{prefix}{rest}".split(":")
            if len(words) > 2:  # else it belongs to the whole workspace
                found.add(ChannelRef.parse(":".join(words[:3])))
        return sorted(found)

    async def _delete_named(self, name: str) -> None:
        """Delete every key with this name as a complete part."""
        async for key in self._redis.scan_iter(f"pb:*{name}*", count=PAGE):
            _, _, rest = str(key).partition(name)
            if not rest or rest[0] in ":/}":
                await self._redis.delete(key)
