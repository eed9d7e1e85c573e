"""The records of papers: each stored once, whichever sources list it, and announced once to the fan-out."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self, TypeVar

from redis.asyncio import Redis

from bot.domain.errors import PaperboyError
from bot.domain.models import Paper
from bot.ports import Batch
from bot.store import keys, records
from bot.store.lease import LostLease
from bot.store.listings import Listing, listings_of, script_arguments, unlisted, updated_record
from bot.store.scripts import Scripts, script
from bot.store.unreadable import forget_unreadable, load_each

KEEP = timedelta(days=400)
"""Time for which a paper's record is stored after it was last written."""
YOUNG = timedelta(days=14)
"""Time after a paper was first seen during which it is matched again if it changes."""
CHUNK = 50
"""Maximum number of papers written by one script: about 200 kB, and 2 ms of the server's time."""
MAX_WAITING_POLLS = 20_000
"""Maximum number of polls that wait to be matched: weeks of them, in case no process is matching."""
PAGE = 500
"""Maximum number of records read by one command."""
ATTEMPTS = 20
"""Maximum number of attempts to read and write papers that other processes change in between."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Ingested:
    """Counts of new papers, of known papers that changed, and of new papers that were announced."""

    new: int
    changed: int
    announced: int = 0

    @classmethod
    def of(cls, answers: Sequence[str]) -> Self:
        """Count the script's answers."""
        announced = answers.count("announced")
        return cls(announced + answers.count("new"), answers.count("changed"), announced)

    def __add__(self, other: Self) -> Self:
        return replace(
            self,
            new=self.new + other.new,
            changed=self.changed + other.changed,
            announced=self.announced + other.announced,
        )


class Papers:
    """The records of all papers, in Redis."""

    def __init__(self, redis: Redis, *, keep: timedelta = KEEP) -> None:
        self._redis = redis
        self._scripts = Scripts(redis)
        self._keep = keep

    async def ingest(self, source: str, batch: Batch, fence: int, *, hold: bool = False) -> Ingested:
        """Store what a source listed, announce new and changed papers, and move the source's cursor.

        With `hold` the announcement is left to `announce`, or to the source's next poll.

        Can be repeated after a failure at any point: a stored paper is not announced again, and the cursor moves
        last, together with the announcement of the whole poll. Raises LostLease if another poller has taken over
        since `fence` was issued.
        """
        ranks = await self._ranks(batch.trending)
        chunks = list(_chunks(listings_of(batch, ranks or {}), CHUNK)) or [[]]
        answers: list[str] = []
        for chunk in chunks:
            plan = self._plan(source, batch, last=chunk is chunks[-1], hold=hold)
            answers += await self._write(chunk, ranks, plan, fence)
        return Ingested.of(answers)

    async def announce(self, sources: Sequence[str], fence: int) -> None:
        """Announce as one poll the papers that the polls of these sources have held back. Raises LostLease."""
        held = [keys.unannounced(source) for source in sources]
        answer = await self._scripts.run(
            script("announce"), [keys.FENCE, keys.PAPERS, *held], [fence, MAX_WAITING_POLLS]
        )
        if answer == "lost":
            raise LostLease("another poller has taken over")

    async def remember(self, papers: Sequence[Paper]) -> Ingested:
        """Store papers without marking them as seen: a source that lists one of them later still announces it.

        Papers that were seen already are left as they are.
        """
        answers: list[str] = []
        for chunk in _chunks(unlisted(papers), CHUNK):
            answers += await self._write(chunk, None, self._limits(), "")
        return Ingested.of(answers)

    async def changed(self, position: int, most: int) -> list[tuple[str, int]]:
        """Return ids and positions of at most `most` papers that were written after `position`, in that order.

        Each paper appears once, at its last change. Position 0 starts with the first paper.
        """
        found: Any = await self._redis.zrangebyscore(
            keys.CHANGED, f"({position}", "+inf", start=0, num=most, withscores=True
        )
        return [(str(paper_id), int(at)) for paper_id, at in found]

    async def last_change(self) -> int:
        """Return the position of the latest change, 0 if there is none."""
        found: Any = await self._redis.zrange(keys.CHANGED, -1, -1, withscores=True)
        return int(found[0][1]) if found else 0

    async def expired(self, ids: Sequence[str]) -> list[str]:
        """Return those of these papers whose record has expired."""
        pipeline = self._redis.pipeline(transaction=False)
        for paper_id in ids:
            _ = pipeline.exists(keys.paper(paper_id))
        answers = await pipeline.execute() if ids else []
        return [paper_id for paper_id, exists in zip(ids, answers, strict=True) if not exists]

    async def get(self, ids: Iterable[str]) -> dict[str, Paper]:
        """Return the papers with these ids, without those that are unknown or can't be read."""
        found: dict[str, Paper] = {}
        for chunk in _chunks(list(ids), PAGE):
            texts: list[Any] = await self._redis.mget([keys.paper(paper_id) for paper_id in chunk])
            found.update(await self._load(zip(chunk, texts, strict=True)))
        return found

    async def _load(self, texts: Iterable[tuple[str, str | None]]) -> dict[str, Paper]:
        stored = [(paper_id, text) for paper_id, text in texts if text]
        return dict(await load_each(self._redis, "paper", stored, lambda _id, text: records.load(text)))

    async def records(self, ids: Sequence[str]) -> dict[str, str]:
        """Return the records of these papers as they are stored, for `bot.store.records.load`."""
        texts: list[Any] = await self._redis.mget([keys.paper(paper_id) for paper_id in ids]) if ids else []
        return {paper_id: text for paper_id, text in zip(ids, texts, strict=True) if text}

    async def count(self) -> int:
        """Return how many papers have a record; a few of these may have just expired."""
        return int(await self._redis.zcard(keys.CHANGED))

    async def since(self, moment: datetime) -> list[Paper]:
        """Return the papers first seen at `moment` or later, the earliest first.

        An older paper from a source's first poll counts as seen on the day that it was published.
        """
        ids = await self.seen_since(moment)
        found = await self.get(ids)
        return [found[paper_id] for paper_id in ids if paper_id in found]

    async def seen_since(self, moment: datetime) -> list[str]:
        """Return the ids of the papers that `since` returns."""
        ids: list[Any] = await self._redis.zrangebyscore(keys.SEEN, moment.timestamp() * 1000, "+inf")
        return ids

    async def first_seen(self, ids: Sequence[str]) -> dict[str, float]:
        """Return when each of these papers was first seen, in milliseconds since 1970, without those never seen."""
        scores: list[Any] = await self._redis.zmscore(keys.SEEN, list(ids)) if ids else []
        return {paper_id: float(at) for paper_id, at in zip(ids, scores, strict=True) if at is not None}

    async def between(self, first: datetime, last: datetime) -> list[Paper]:
        """Return the papers first seen at `first` or later and before `last`, the earliest first."""
        low, high = first.timestamp() * 1000, last.timestamp() * 1000
        ids: list[Any] = await self._redis.zrangebyscore(keys.SEEN, low, f"({high}")
        found = await self.get(ids)
        return [found[paper_id] for paper_id in ids if paper_id in found]

    async def trending(self) -> list[Paper]:
        """Return the trending papers that are known, in their source's order."""
        order = await self._order()
        found = await self.get(order)
        return [found[paper_id] for paper_id in order if paper_id in found]

    async def any(self) -> bool:
        """Whether any paper was ever seen."""
        return bool(await self._redis.exists(keys.SEEN))

    async def cursor(self, source: str) -> str | None:
        """Return the cursor of the source's last ingested batch; None before its first."""
        cursor: Any = await self._redis.hget(keys.CURSORS, source)
        return cursor if cursor is None else str(cursor)

    async def _order(self) -> list[str]:
        text: Any = await self._redis.get(keys.TRENDING)
        stored = [("order", text)] if text else []
        loaded = await load_each(self._redis, "trending", stored, lambda _name, order: _ids(order))
        return loaded[0][1] if loaded else []

    async def _ranks(self, trending: Sequence[str] | None) -> dict[str, int | None] | None:
        """Return the rank of each trending paper, and None for those that trended until now.

        Returns None if the source gave no order.
        """
        if trending is None:
            return None
        fallen: dict[str, int | None] = dict.fromkeys(await self._order())
        return fallen | {paper_id: place for place, paper_id in enumerate(trending, 1)}

    def _plan(self, source: str, batch: Batch, *, last: bool, hold: bool) -> dict[str, object]:
        plan = self._limits() | {"source": source}
        if last:
            plan |= {"cursor": batch.cursor, "hold": batch.more or hold}
            if batch.trending is not None:
                plan["trending"] = json.dumps(batch.trending)
        return plan

    def _limits(self) -> dict[str, object]:
        return {
            "keep": int(self._keep.total_seconds() * 1000),
            "young": int(YOUNG.total_seconds() * 1000),
            "longest": MAX_WAITING_POLLS,
        }

    async def _write(
        self,
        listings: Sequence[Listing],
        ranks: dict[str, int | None] | None,
        plan: dict[str, object],
        fence: int | str,
    ) -> list[str]:
        """Read, merge and write back; papers that another process changed in between are read and merged again."""
        answers: list[str] = []
        left = list(listings)
        for _ in range(ATTEMPTS):
            new_answers, left = await self._attempt(left, ranks, plan, fence)
            answers += new_answers
            if not left:
                return answers
        raise PaperboyError(
            f"{len(left)} papers kept changing while they were written; the next poll tries again"
        )

    async def _attempt(
        self,
        listings: Sequence[Listing],
        ranks: dict[str, int | None] | None,
        plan: dict[str, object],
        fence: int | str,
    ) -> tuple[list[str], list[Listing]]:
        """Return the script's answers for the papers that were written, and the listings to try again."""
        record_keys = [keys.paper(listing.id) for listing in listings]
        texts: list[Any] = await self._redis.mget(record_keys) if record_keys else []
        stored = await self._load(zip((listing.id for listing in listings), texts, strict=True))
        seconds, micros = await self._redis.time() if record_keys else (0, 0)
        now = datetime.fromtimestamp(seconds + micros // 1000 / 1000, UTC)
        args: list[str | int] = [fence, json.dumps(plan)]
        written: list[Listing] = []
        written_keys: list[str] = []
        for listing, key, text in zip(listings, record_keys, texts, strict=True):
            paper = updated_record(listing, stored.get(listing.id), ranks, now)
            if paper is None:  # an update for a paper that we don't know
                continue
            args += script_arguments(listing, text, stored.get(listing.id), paper)
            written.append(listing)
            written_keys.append(key)
        fixed = [
            keys.FENCE,
            keys.SEEN,
            keys.PAPERS,
            keys.CURSORS,
            keys.TRENDING,
            keys.CHANGED,
            keys.unannounced(str(plan.get("source", ""))),
        ]
        answers = await self._scripts.run(script("ingest"), [*fixed, *written_keys], args)
        if answers == ["lost"]:
            raise LostLease("another poller has taken over")
        for listing, text in zip(listings, texts, strict=True):
            # A record that couldn't be read was replaced by the source's description.
            if text and listing.id not in stored:
                await forget_unreadable(self._redis, "paper", listing.id)
        pairs = list(zip(written, answers, strict=True))
        return [a for _, a in pairs if a != "again"], [listing for listing, a in pairs if a == "again"]


def _ids(text: str) -> list[str]:
    ids = json.loads(text)
    if not isinstance(ids, list):
        raise TypeError(f"the order is {type(ids).__name__}")
    return [str(paper_id) for paper_id in ids]


def _chunks(items: Sequence[_T], size: int) -> Iterable[Sequence[_T]]:
    return (items[at : at + size] for at in range(0, len(items), size))
