"""Votes of people on the papers that were posted in their channel."""

import json
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from bot.domain.models import ChannelRef, User
from bot.store import keys
from bot.store.unreadable import load_each

KEEP = 400 * 86_400
"""Seconds for which a channel's votes are stored after the last one."""


@dataclass(frozen=True, slots=True)
class Vote:
    """One person's vote on one paper."""

    user: str
    paper: str
    liked: bool
    numbers: tuple[int, ...]
    """The subscriptions that the paper matched then."""


class Votes:
    """One vote for each person and paper of a channel; the latest counts."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def put(
        self, channel: ChannelRef, user: User, paper: str, *, liked: bool, numbers: tuple[int, ...]
    ) -> None:
        """Store a vote; it replaces the same person's vote on the same paper."""
        key = keys.votes(channel)
        await self._redis.hset(key, f"{user.id} {paper}", json.dumps([liked, numbers]))
        await self._redis.expire(key, KEEP)

    async def of(self, channel: ChannelRef) -> list[Vote]:
        """All votes of a channel, without those that can't be read."""
        found: Any = await self._redis.hgetall(keys.votes(channel))
        return [vote for _, vote in await load_each(self._redis, "vote", sorted(found.items()), _vote)]


def _vote(name: str, record: str) -> Vote:
    user, _, paper = name.partition(" ")
    liked, numbers, *_ = json.loads(record)
    return Vote(user, paper, bool(liked), tuple(map(int, numbers)))
