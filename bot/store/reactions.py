"""What people thought of papers: their votes in a channel, and the papers that they saved."""

import json
import time
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from bot.domain.models import ChannelRef, User
from bot.store import keys
from bot.store.unreadable import load_each

VOTES_KEPT = 400 * 86_400
"""Seconds for which a channel's votes are stored after the last one."""


SAVER = "/saved"
"""What follows a person's id where they liked a paper by saving it."""


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
        await self._redis.expire(key, VOTES_KEPT)

    async def save(self, channel: ChannelRef, user: User, paper: str) -> None:
        """Count a saved paper as liked, besides the person's vote, if they found it in a channel with subscriptions."""
        if await self._redis.sismember(keys.channels(keys.shard_of(channel)), str(channel)):
            saver = User(f"{user.id}{SAVER}", user.name)
            await self.put(channel, saver, paper, liked=True, numbers=())

    async def unsave(self, channel: ChannelRef, user: User, paper: str) -> None:
        """Count it no longer."""
        await self._redis.hdel(keys.votes(channel), f"{user.id}{SAVER} {paper}")

    async def of(self, channel: ChannelRef) -> list[Vote]:
        """All votes of a channel, without those that can't be read."""
        found: Any = await self._redis.hgetall(keys.votes(channel))
        return [vote for _, vote in await load_each(self._redis, "vote", sorted(found.items()), _vote)]


def _vote(name: str, record: str) -> Vote:
    user, _, paper = name.partition(" ")
    liked, numbers, *_ = json.loads(record)
    return Vote(user, paper, bool(liked), tuple(map(int, numbers)))


MAX_SAVED = 500
"""Papers that a person can save; the oldest are dropped."""


class Saved:
    """A list for each person of a workspace, the latest paper first."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def add(self, user: User, channel: ChannelRef, paper_id: str) -> bool:
        """Save a paper. False if it was saved already."""
        key = keys.saved(channel, user.id)
        added = await self._redis.zadd(key, {paper_id: time.time()}, nx=True)
        await self._redis.zremrangebyrank(key, 0, -MAX_SAVED - 1)
        return bool(added)

    async def remove(self, user: User, channel: ChannelRef, paper_id: str) -> bool:
        """Remove a paper. False if it was not saved."""
        return bool(await self._redis.zrem(keys.saved(channel, user.id), paper_id))

    async def of(self, user: User, channel: ChannelRef) -> list[str]:
        """The ids of the papers."""
        found: list[Any] = await self._redis.zrevrange(keys.saved(channel, user.id), 0, -1)
        return found
