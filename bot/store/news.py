"""The papers that wait to be matched: a stream whose readers share the work, each paper going to one of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from bot.models import Paper
from bot.store import keys, records
from bot.store.papers import Papers
from bot.store.scripts import Scripts, script

GROUP = "fanout"
STALE = 60.0
"""Seconds after which a reader that has not finished a paper is taken for dead, and another takes it over."""
AGAIN = timedelta(hours=48)
AGAIN_APART = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class New:
    """A paper that is new, or that changed."""

    entry: str
    """Its id in the stream."""
    paper: Paper
    before: Paper | None
    """What it was; None for a paper that is new."""
    at: int
    """When it was announced, in ms of the server's clock."""
    first_seen: int | None
    """In ms; None but where it is announced again, because posts of it may have been forgotten."""


class News:
    """One reader of the stream."""

    def __init__(self, redis: Redis, papers: Papers, *, stale: float = STALE) -> None:
        self._redis = redis
        self._papers = papers
        self._scripts = Scripts(redis)
        self._stale = round(stale * 1000)
        self._me = uuid4().hex

    async def read(self, most: int) -> list[New]:
        """Papers for this reader, without waiting for any. Those of readers that died come first."""
        try:
            entries = await self._abandoned(most) or await self._unread(most)
        except ResponseError as error:
            if "NOGROUP" not in str(error):
                raise
            await self._create_group()
            entries = await self._unread(most)
        return await self._with_papers(entries)

    async def matched(self, news: Iterable[New]) -> None:
        """These are done with."""
        await self._scripts.run(script("matched"), [keys.PAPERS], [GROUP, *(one.entry for one in news)])

    async def again(self) -> bool:
        """Announce what was seen in the last `AGAIN` once more. False: it was, less than `AGAIN_APART` ago, and it
        is not known whether before or after what the caller asks it for."""
        args = [_ms(AGAIN), _ms(AGAIN_APART)]
        return bool(await self._scripts.run(script("again"), [keys.SEEN, keys.PAPERS, keys.AGAIN], args))

    async def leave(self) -> None:
        """Stop reading; what is not done with is taken over by another reader."""
        await self._scripts.run(script("leave"), [keys.PAPERS], [GROUP, self._me])

    async def _unread(self, most: int) -> list[Any]:
        answer: Any = await self._redis.xreadgroup(GROUP, self._me, {keys.PAPERS: ">"}, count=most)
        return next(iter(dict(answer).values())) if answer else []

    async def _abandoned(self, most: int) -> list[Any]:
        answer: Any = await self._redis.xautoclaim(keys.PAPERS, GROUP, self._me, self._stale, count=most)
        return list(answer[1])

    async def _create_group(self) -> None:
        try:
            await self._redis.xgroup_create(keys.PAPERS, GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):  # another reader was quicker
                raise

    async def _with_papers(self, entries: list[Any]) -> list[New]:
        found = await self._papers.get({fields["id"] for _, fields in entries if fields})
        news = []
        gone = []
        for entry, fields in entries:
            paper = found.get(fields["id"]) if fields else None
            if paper is None:
                gone.append(entry)  # its record has been kept for as long as records are
                continue
            after, before = records.rewind(paper, fields["change"])
            at = int(entry.partition("-")[0])
            seen = await self._redis.zscore(keys.SEEN, paper.id) if "again" in fields else None
            news.append(New(entry, after, before, at, None if seen is None else int(seen)))
        if gone:
            await self._scripts.run(script("matched"), [keys.PAPERS], [GROUP, *gone])
        return news


def _ms(time: timedelta) -> int:
    return round(time.total_seconds() * 1000)
