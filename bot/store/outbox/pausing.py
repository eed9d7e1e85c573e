"""Pauses of the channels and workspaces in which nothing can be posted for now."""

import asyncio
from uuid import uuid4

from redis.asyncio import Redis

from bot.domain.deliveries import Scope
from bot.domain.models import ChannelRef
from bot.store import keys
from bot.store.outbox.reader import OutboxReader
from bot.store.outbox.shard_scripts import ShardScripts

PAUSED = "paused"
"""Reason of a pause if none was given."""


class PausingOutbox(OutboxReader):
    """Pauses and resumes posting."""

    def __init__(self, redis: Redis) -> None:
        super().__init__(redis)
        self._shards = ShardScripts(redis)

    async def pause(self, channel: ChannelRef, why: str) -> bool:
        """Post nothing in this channel except an occasional probe. Its deliveries stay in the outbox.

        A probe is due after an hour, then after longer times, up to a day; a confirmed one ends the pause.
        Returns whether people should be notified: True for one caller, once for each problem (see `mark_notified`).
        """
        return await self.pause_in_shard(keys.shard_of(channel), "channel", str(channel), why or PAUSED)

    async def resume(self, channel: ChannelRef) -> None:
        """Post in this channel again, if only to see whether it works."""
        await self.pause_in_shard(keys.shard_of(channel), "channel", str(channel), "")

    async def pause_workspace(self, platform: str, workspace: str, why: str) -> bool:
        """Pause a whole workspace. Returns as `pause`."""
        name = keys.workspace(platform, workspace)
        notify = await asyncio.gather(
            *(self.pause_in_shard(shard, "workspace", name, why or PAUSED) for shard in range(keys.SHARDS))
        )
        return notify[_notifying_shard(platform, workspace)]

    async def resume_workspace(self, platform: str, workspace: str) -> None:
        """Post in the workspace again. Channels that are paused for their own reasons stay paused."""
        name = keys.workspace(platform, workspace)
        await self._shards.run_in_all("pause", ["workspace", name, "", ""])

    async def resume_if_paused(self, channel: ChannelRef) -> None:
        """Resume the channel and its workspace if they are paused, because someone in the channel has reached us."""
        if await self._redis.hexists(keys.channel(channel), "paused"):
            await self.resume(channel)
        if await self._redis.hexists(keys.workspace_health(channel), "paused"):
            await self.resume_workspace(channel.platform, channel.workspace)

    async def mark_notified(self, channel: ChannelRef, scope: Scope, why: str) -> None:
        """Record that people were notified of a pause; they aren't notified again until a post goes through."""
        if scope == "channel":
            await self._shards.run("notified", keys.shard_of(channel), [scope, str(channel), why or PAUSED])
        else:
            name = keys.workspace(channel.platform, channel.workspace)
            await self._shards.run_in_all("notified", [scope, name, why or PAUSED])

    async def pause_in_shard(self, shard: int, scope: str, name: str, why: str) -> bool:
        """Pause or (with `why` empty) resume a channel, or one shard's part of a workspace. Returns as `pause`."""
        return bool(int(await self._shards.run("pause", shard, [scope, name, why, uuid4().hex])))


def _notifying_shard(platform: str, workspace: str) -> int:
    """Return the shard that decides which caller notifies people of a workspace's problem."""
    return keys.shard_of(ChannelRef(platform, workspace, ""))
