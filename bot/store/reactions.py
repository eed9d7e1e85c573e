"""People's votes on papers in a channel, and their reading lists."""

import json
import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from redis.asyncio import Redis

from bot.domain.models import ChannelRef, User
from bot.store import keys
from bot.store.scripts import Scripts, script
from bot.store.unreadable import load_each

VOTES_KEPT = 400 * 86_400
"""Seconds for which a channel's votes are stored after the last one."""


_GLOB = re.compile(r"([\\\[\]*?^-])")
"""Characters that have a special meaning in a Redis pattern."""
SAVER = "/saved"
"""Suffix of a person's id in a vote that stands for a paper that they saved."""


@dataclass(frozen=True, slots=True)
class Vote:
    """One person's vote on one paper."""

    user: str
    paper: str
    liked: bool
    numbers: tuple[int, ...]
    """Numbers of the subscriptions that the paper matched at that time."""


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
        """Count a saved paper as liked, in addition to the person's vote, if the channel has or had subscriptions."""
        if await self._redis.sismember(keys.channels(keys.shard_of(channel)), str(channel)):
            saver = User(f"{user.id}{SAVER}", user.name)
            await self.put(channel, saver, paper, liked=True, numbers=())

    async def unsave(self, channel: ChannelRef, user: User, paper: str) -> None:
        """Stop counting a saved paper as liked."""
        await self._redis.hdel(keys.votes(channel), f"{user.id}{SAVER} {paper}")

    async def likes(self, channel: ChannelRef, paper: str) -> int:
        """Return how many people in a channel pressed 👍 on a paper."""
        pattern = "* " + _GLOB.sub(r"\\\1", paper)
        found = [one async for one in self._redis.hscan_iter(keys.votes(channel), match=pattern, count=1000)]
        votes = [vote for _, vote in await load_each(self._redis, "vote", sorted(set(found)), _vote)]
        return len({vote.user for vote in votes if vote.liked and not vote.user.endswith(SAVER)})

    async def of(self, channel: ChannelRef) -> list[Vote]:
        """Return the votes of a channel, without those that can't be read."""
        found: Any = await self._redis.hgetall(keys.votes(channel))
        return [vote for _, vote in await load_each(self._redis, "vote", sorted(found.items()), _vote)]


def _vote(name: str, record: str) -> Vote:
    user, _, paper = name.partition(" ")
    liked, numbers, *_ = json.loads(record)
    return Vote(user, paper, bool(liked), tuple(map(int, numbers)))


MAX_SAVED = 500
"""Maximum number of papers on a list; the oldest are dropped."""


@dataclass(frozen=True, slots=True)
class PaperList:
    """A reading list: a person's own in one workspace, or a channel's shared list."""

    owner: ChannelRef
    """The channel, or the person in the form of a channel of their workspace."""
    shared: bool = False

    @classmethod
    def of_person(cls, user: User, channel: ChannelRef) -> Self:
        """Return the person's own list in the channel's workspace."""
        return cls(ChannelRef(channel.platform, channel.workspace, user.id))

    @property
    def keys(self) -> tuple[str, str]:
        """The Redis keys of its papers and of its annotations."""
        if self.shared:
            return keys.shared(self.owner), keys.shared_notes(self.owner)
        return keys.saved_by(self.owner), keys.saved_notes(self.owner)


@dataclass(frozen=True, slots=True)
class Annotation:
    """A note and tags for a paper on a list."""

    note: str = ""
    tags: tuple[str, ...] = ()
    by: str = ""
    """The `signature` of the person who put it on a shared list; "" on a person's own."""


class ReadingLists:
    """Reading lists, the latest paper first."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._scripts = Scripts(redis)

    async def add(self, to: PaperList, paper_id: str, annotation: Annotation | None = None) -> bool:
        """Put a paper on a list, or change its annotation. Returns False if it was on the list already."""
        record = "" if annotation is None else dump_annotation(annotation)
        args: list[str | float] = [paper_id, time.time(), record, MAX_SAVED]
        return bool(int(await self._scripts.run(script("save"), to.keys, args)))

    async def remove(self, of: PaperList, paper_id: str) -> bool:
        """Take a paper off a list; False if it wasn't on it. Its note stays for a while, in case it is put back."""
        return bool(await self._redis.zrem(of.keys[0], paper_id))

    async def of(self, paper_list: PaperList) -> list[str]:
        """Return the ids of a list's papers."""
        found: list[Any] = await self._redis.zrevrange(paper_list.keys[0], 0, -1)
        return found

    async def added(self, paper_list: PaperList) -> dict[str, datetime]:
        """Return when each of a list's papers was put on it, the latest first."""
        found: list[Any] = await self._redis.zrevrange(paper_list.keys[0], 0, -1, withscores=True)
        return {paper_id: datetime.fromtimestamp(float(score), UTC) for paper_id, score in found}

    async def annotations(self, paper_list: PaperList) -> dict[str, Annotation]:
        """Return the annotations of a list's papers, and of some that were removed from it."""
        found: Any = await self._redis.hgetall(paper_list.keys[1])
        loaded = await load_each(
            self._redis, "note", sorted(found.items()), lambda _, text: load_annotation(text)
        )
        return dict(loaded)


def dump_annotation(annotation: Annotation) -> str:
    """Return an annotation as JSON; "-" if it is empty."""
    if annotation == Annotation():
        return "-"
    values = {"note": annotation.note, "tags": annotation.tags, "by": annotation.by}
    return json.dumps(values, ensure_ascii=False)


def load_annotation(text: str) -> Annotation:
    """The inverse of `dump_annotation`. Raises ValueError, KeyError or TypeError for anything else."""
    values = json.loads(text)
    return Annotation(str(values["note"]), tuple(map(str, values["tags"])), str(values["by"]))
