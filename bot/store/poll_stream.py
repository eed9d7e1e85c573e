"""The stream of polls that wait to be matched. Its readers share the work: each poll goes to one of them."""

import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import uuid4

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from bot.domain.models import Paper
from bot.domain.polls import PaperChange, Poll
from bot.store import keys, records
from bot.store.papers import MAX_WAITING_POLLS, Papers
from bot.store.scripts import Scripts, script
from bot.store.unreadable import (
    UNREADABLE,
    forget_unreadable,
    load_each,
    set_aside,
    unreadable_records,
)

GROUP = "fanout"
"""The consumer group."""
STALE = 60.0
"""Seconds after which a reader that has not finished a poll counts as dead, and another one takes the poll over."""
IDLE = 3600.0
"""Seconds without a request after which a reader that holds no poll is removed from the group."""
REPLAYED = timedelta(hours=48)
"""Papers first seen within this time are announced again after a restart of Redis that may have lost posts."""
REPLAY_GAP = timedelta(seconds=30)
"""Minimum time between two replays."""

_KIND = "poll"

Entry = dict[str, str]


class PollReader:
    """One reader of the stream."""

    def __init__(self, redis: Redis, papers: Papers, *, stale: float = STALE) -> None:
        self._redis = redis
        self._papers = papers
        self._scripts = Scripts(redis)
        self._stale = round(stale * 1000)
        self._consumer = uuid4().hex
        self._joined = False

    async def read(self) -> Poll | None:
        """Return this reader's next poll, without waiting; None if there is none. Polls of dead readers come first.

        A poll that can't be read is set aside, and the next one is read.
        """
        if not self._joined:
            await self._join()
        while entries := await self._next():
            entry, fields = entries[0]
            try:
                return await self._poll(entry, fields or {"news": "[]"})  # None: an entry that was trimmed
            except UNREADABLE as error:
                await set_aside(self._redis, _KIND, entry, fields, error)
                await self._acknowledge(entry)
        return None

    async def matched(self, poll: Poll) -> None:
        """Acknowledge a poll whose deliveries are all stored."""
        await self._acknowledge(poll.entry)

    async def replay_recent(self) -> bool:
        """Announce the papers of the last `REPLAYED` again, and return whether that was done.

        False means that another process did so less than `REPLAY_GAP` ago: call again later, since that replay may
        have come too early for the caller.
        """
        args = [_ms(REPLAYED), _ms(REPLAY_GAP)]
        return bool(
            await self._scripts.run(script("replay_recent"), [keys.SEEN, keys.PAPERS, keys.REPLAYED], args)
        )

    async def leave(self) -> None:
        """Leave the group, unless this reader still holds a poll, which another reader has to take over first."""
        if self._joined:
            await self._scripts.run(script("leave"), [keys.PAPERS], [GROUP, self._consumer])

    async def free_all(self) -> None:
        """Let all polls that readers hold be taken over at once. Call it only if all readers are known to be dead."""
        await self._create_group()
        held: Any = await self._redis.xpending_range(keys.PAPERS, GROUP, "-", "+", count=MAX_WAITING_POLLS)
        if ids := [one["message_id"] for one in held]:
            idle = 2 * self._stale
            await self._redis.xclaim(keys.PAPERS, GROUP, self._consumer, 0, ids, idle=idle, justid=True)

    async def _join(self) -> None:
        await self._create_group()
        await self._scripts.run(script("remove_idle_consumers"), [keys.PAPERS], [GROUP, round(IDLE * 1000)])
        await self._put_back()
        self._joined = True

    async def _create_group(self) -> None:
        try:
            await self._redis.xgroup_create(keys.PAPERS, GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):  # it exists
                raise

    async def _put_back(self) -> None:
        """Put back the polls that were set aside and that this version can read."""
        async for record in unreadable_records(self._redis):
            if record.kind != _KIND:
                continue
            try:
                fields = json.loads(record.text)
                await self._poll(record.name, fields)
            except UNREADABLE:
                continue
            await self._redis.xadd(keys.PAPERS, fields)
            await forget_unreadable(self._redis, _KIND, record.name)

    async def _next(self) -> list[tuple[str, Entry | None]]:
        try:
            return await self._abandoned() or await self._unread()
        except ResponseError as error:
            if "NOGROUP" not in str(error):
                raise
            await self._create_group()  # the server lost its data while we ran
            return await self._unread()

    async def _unread(self) -> list[tuple[str, Entry | None]]:
        answer: Any = await self._redis.xreadgroup(GROUP, self._consumer, {keys.PAPERS: ">"}, count=1)
        return next(iter(dict(answer).values())) if answer else []

    async def _abandoned(self) -> list[tuple[str, Entry | None]]:
        answer: Any = await self._redis.xautoclaim(keys.PAPERS, GROUP, self._consumer, self._stale, count=1)
        return list(answer[1])

    async def _acknowledge(self, entry: str) -> None:
        await self._scripts.run(script("matched"), [keys.PAPERS], [GROUP, entry])

    async def _poll(self, entry: str, fields: Entry) -> Poll:
        """Return the poll with its papers as they were then, without those whose record expired or can't be read."""
        listed: list[tuple[str, str]] = [
            (str(paper_id), str(change)) for paper_id, change in json.loads(fields["news"])
        ]
        seen = await self._first_seen(paper_id for paper_id, _ in listed) if "again" in fields else {}
        found = await self._papers.get({paper_id for paper_id, _ in listed})

        def rewind(paper_id: str, change: str) -> tuple[Paper, Paper | None]:
            return records.rewind(found[paper_id], change)

        known = [(paper_id, change) for paper_id, change in listed if paper_id in found]
        changes = await load_each(self._redis, "paper_change", known, rewind)
        return Poll(
            entry,
            tuple(PaperChange(after, before, seen.get(paper_id)) for paper_id, (after, before) in changes),
        )

    async def _first_seen(self, ids: Iterable[str]) -> dict[str, int]:
        return {paper_id: int(at) for paper_id, at in (await self._papers.first_seen(list(ids))).items()}


def _ms(time: timedelta) -> int:
    return round(time.total_seconds() * 1000)
