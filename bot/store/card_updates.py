"""The queue of posted cards to edit. A crash may lose an edit, but never edits a card too often."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from redis.asyncio import Redis

from bot.domain.life import MAX_EVENTS
from bot.domain.models import ChannelRef
from bot.policy.signals import is_news
from bot.store import keys
from bot.store.scripts import Scripts, script
from bot.store.unreadable import load_each

MAX_EDITS = 2
"""Maximum number of edits of one card, apart from those that show what happened to the paper."""
REMEMBERED = timedelta(days=60)
"""Time for which the edits of a card are counted: longer than a paper's changes are matched."""
MAX_WAITING = 10_000
"""Maximum number of edits that wait on one platform; further ones are dropped."""


@dataclass(frozen=True, slots=True)
class CardUpdate:
    """A channel's card of a paper, and the reason to edit it."""

    channel: ChannelRef
    paper: str
    why: str


class CardUpdateQueue:
    """The cards of each platform that wait to be edited."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._scripts = Scripts(redis)

    async def put(self, platform: str, edits: Iterable[CardUpdate]) -> None:
        """Queue these edits. Queueing one again changes nothing."""
        key = keys.edits(platform)
        waiting: dict[Any, Any] = {f"{edit.channel} {edit.why} {edit.paper}": 0 for edit in edits}
        if waiting and await self._redis.zcard(key) < MAX_WAITING:
            await self._redis.zadd(key, waiting, nx=True)
            await self._redis.publish(keys.WAKE, f"edits {platform}")

    async def take(self, platform: str, most: int) -> list[CardUpdate]:
        """Take up to `most` edits off the queue."""
        found: Any = await self._redis.zpopmin(keys.edits(platform), most)
        loaded = await load_each(self._redis, "card_update", found, lambda name, _score: _edit(name))
        return [edit for _, edit in loaded]

    async def allow(self, edit: CardUpdate) -> bool:
        """Whether the card may be edited for this reason: each reason counts once, up to `MAX_EDITS` reasons."""
        args: list[str | int] = [
            edit.why,
            MAX_EDITS + (MAX_EVENTS if is_news(edit.why) else 0),
            round(REMEMBERED.total_seconds() * 1000),
        ]
        return bool(await self._scripts.run(script("edited"), [keys.edited(edit.channel, edit.paper)], args))


def _edit(text: str) -> CardUpdate:
    channel, why, paper = text.split(" ", 2)
    return CardUpdate(ChannelRef.parse(channel), paper, why)
