"""Posted cards that are to be brought up to date. A kill may cost an edit; nothing is edited once too often."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from redis.asyncio import Redis

from bot.domain.models import ChannelRef
from bot.policy.signals import WITHDRAWN
from bot.store import keys
from bot.store.scripts import Scripts, script

MOST = 2
"""Edits of one card."""
KEEP = timedelta(days=60)
"""Longer than a paper is followed."""
LONGEST = 10_000
"""Edits that wait on a platform; the latest are left out then."""


@dataclass(frozen=True, slots=True)
class CardUpdate:
    """A channel's card of a paper, and what has happened to the paper."""

    channel: ChannelRef
    paper: str
    why: str


class CardUpdateQueue:
    """What waits to be edited, for each platform."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._scripts = Scripts(redis)

    async def put(self, platform: str, edits: Iterable[CardUpdate]) -> None:
        """Let these be edited soon. The same again changes nothing."""
        key = keys.edits(platform)
        waiting: dict[Any, Any] = {f"{edit.channel} {edit.why} {edit.paper}": 0 for edit in edits}
        if waiting and await self._redis.zcard(key) < LONGEST:
            await self._redis.zadd(key, waiting, nx=True)
            await self._redis.publish(keys.WAKE, f"edits {platform}")

    async def take(self, platform: str, most: int) -> list[CardUpdate]:
        """Take some of those that wait."""
        found: Any = await self._redis.zpopmin(keys.edits(platform), most)
        return [_edit(*str(name).split(" ", 2)) for name, _ in found]

    async def allow(self, edit: CardUpdate) -> bool:
        """Whether the card may be edited for this: each once, and MOST in all, but for a withdrawal."""
        args: list[str | int] = [edit.why, MOST + (edit.why == WITHDRAWN), round(KEEP.total_seconds() * 1000)]
        return bool(await self._scripts.run(script("edited"), [keys.edited(edit.channel, edit.paper)], args))


def _edit(channel: str, why: str, paper: str) -> CardUpdate:
    return CardUpdate(ChannelRef.parse(channel), paper, why)
