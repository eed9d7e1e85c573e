"""Runs the outbox's scripts, which are in `lua/`: each works on one shard. All of them begin with `outbox.lua`."""

import asyncio
from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis

from bot.store import keys
from bot.store.scripts import Scripts, script

_PARTS = {
    "enqueue": ("add", "windows", "enqueue"),
    "replan": ("add", "windows", "take", "enqueue"),
    "begin": ("windows", "begin"),
    "record_outcome": ("add", "record_outcome"),
    "done": ("add", "done"),
}
"""Scripts that consist of several files; all others are one file each."""


class ShardScripts:
    """The scripts of the outbox, by name."""

    def __init__(self, redis: Redis) -> None:
        self._scripts = Scripts(redis)

    async def run(self, name: str, shard: int, args: Sequence[str | int]) -> Any:
        """Run a script in one shard and return its answer."""
        files = ("outbox", *_PARTS.get(name, (name,)))
        joined = script(*(f"outbox/{file}" for file in files))
        return await self._scripts.run(joined, [keys.shard(shard)], args)

    async def run_in_all(self, name: str, args: Sequence[str | int]) -> None:
        """Run a script in every shard."""
        await asyncio.gather(*(self.run(name, shard, args) for shard in range(keys.SHARDS)))
