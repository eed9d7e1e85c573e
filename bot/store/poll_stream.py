"""What waits to be matched: a stream of polls, whose readers share the work, each poll going to one of them."""

import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import uuid4

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from bot.domain.polls import PaperChange, Poll
from bot.store import keys, records
from bot.store.papers import Papers
from bot.store.scripts import Scripts, script

GROUP = "fanout"
STALE = 60.0
"""Seconds after which a reader that has not finished a poll is taken for dead, and another takes it over."""
AGAIN = timedelta(hours=48)
AGAIN_APART = timedelta(seconds=30)


class PollReader:
    """One reader of the stream."""

    def __init__(self, redis: Redis, papers: Papers, *, stale: float = STALE) -> None:
        self._redis = redis
        self._papers = papers
        self._scripts = Scripts(redis)
        self._stale = round(stale * 1000)
        self._me = uuid4().hex

    async def read(self) -> Poll | None:
        """A poll for this reader, without waiting for any. Those of readers that died come first."""
        try:
            entries = await self._abandoned() or await self._unread()
        except ResponseError as error:
            if "NOGROUP" not in str(error):
                raise
            await self._create_group()
            entries = await self._unread()
        return await self._with_papers(*entries[0]) if entries else None

    async def matched(self, poll: Poll) -> None:
        """It is done with."""
        await self._scripts.run(script("matched"), [keys.PAPERS], [GROUP, poll.entry])

    async def again(self) -> bool:
        """Announce what was seen in the last `AGAIN` once more. False: it was, less than `AGAIN_APART` ago, and it
        is not known whether before or after what the caller asks it for."""
        args = [_ms(AGAIN), _ms(AGAIN_APART)]
        return bool(await self._scripts.run(script("again"), [keys.SEEN, keys.PAPERS, keys.AGAIN], args))

    async def leave(self) -> None:
        """Stop reading; what is not done with is taken over by another reader."""
        await self._scripts.run(script("leave"), [keys.PAPERS], [GROUP, self._me])

    async def _unread(self) -> list[Any]:
        answer: Any = await self._redis.xreadgroup(GROUP, self._me, {keys.PAPERS: ">"}, count=1)
        return next(iter(dict(answer).values())) if answer else []

    async def _abandoned(self) -> list[Any]:
        answer: Any = await self._redis.xautoclaim(keys.PAPERS, GROUP, self._me, self._stale, count=1)
        return list(answer[1])

    async def _create_group(self) -> None:
        try:
            await self._redis.xgroup_create(keys.PAPERS, GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):  # another reader was quicker
                raise

    async def _with_papers(self, entry: str, fields: dict[str, str] | None) -> Poll:
        """The poll with its papers as they were then; without those whose record was not kept any longer."""
        listed: list[tuple[str, str]] = json.loads(fields["news"]) if fields else []
        seen = await self._first_seen(listed) if fields and "again" in fields else {}
        found = await self._papers.get({paper_id for paper_id, _ in listed})
        rewound = (
            (paper_id, records.rewind(found[paper_id], change))
            for paper_id, change in listed
            if paper_id in found
        )
        return Poll(
            entry,
            tuple(PaperChange(after, before, seen.get(paper_id)) for paper_id, (after, before) in rewound),
        )

    async def _first_seen(self, listed: Iterable[tuple[str, str]]) -> dict[str, int]:
        ids = [paper_id for paper_id, _ in listed]
        scores: Any = await self._redis.zmscore(keys.SEEN, ids) if ids else []
        return {
            paper_id: int(score) for paper_id, score in zip(ids, scores, strict=True) if score is not None
        }


def _ms(time: timedelta) -> int:
    return round(time.total_seconds() * 1000)
