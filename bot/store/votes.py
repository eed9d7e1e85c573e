"""What people said of the papers that were posted in their channel."""

import json
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from bot.domain.models import ChannelRef, User
from bot.store import keys

KEEP = 400 * 86_400
"""Seconds after the last vote in a channel."""


@dataclass(frozen=True, slots=True)
class Vote:
    """One person's word on one paper."""

    user: str
    paper: str
    liked: bool
    numbers: tuple[int, ...]
    """Of the subscriptions that it matched then."""


class Votes:
    """A vote for each person and paper of a channel; the latest counts."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def put(
        self, channel: ChannelRef, user: User, paper: str, *, liked: bool, numbers: tuple[int, ...]
    ) -> None:
        """Count it, in the place of what the same person said of the same paper."""
        key = keys.votes(channel)
        await self._redis.hset(key, f"{user.id} {paper}", json.dumps([liked, numbers]))
        await self._redis.expire(key, KEEP)

    async def drop(self, channel: ChannelRef, user: User, paper: str) -> None:
        """Count it no longer."""
        await self._redis.hdel(keys.votes(channel), f"{user.id} {paper}")

    async def of(self, channel: ChannelRef) -> list[Vote]:
        """All of a channel's."""
        found: Any = await self._redis.hgetall(keys.votes(channel))
        return [_vote(name, *json.loads(said)) for name, said in sorted(found.items())]


def _vote(name: str, liked: bool, numbers: list[int]) -> Vote:  # as it is written
    user, _, paper = name.partition(" ")
    return Vote(user, paper, liked, tuple(numbers))
