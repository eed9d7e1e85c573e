"""The papers of the last days as they read, kept for trying queries on them in the time of an answer."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice

from bot.domain.models import SAMPLE_SOURCE, Paper
from bot.query import Query, Reading
from bot.store.notifications import Notifications
from bot.store.papers import Papers
from bot.store.worker_loop import run_worker

KEPT = timedelta(days=14)
AT_ONCE = 100
"""Papers fetched from Redis together: unpacking them takes some 15 ms."""
PAUSE = 5
"""Papers read before others on the event loop have their turn: a few milliseconds."""
TRIED = 500
"""Papers that a query is tried on before others have theirs: less than that."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A paper as far as a query needs it: its record stays in Redis."""

    seen: float
    """When it was first seen, in ms."""
    published: date
    reading: Reading
    text: int
    """A hash of what its words were read from."""


class RecentPapers:
    """A view on Redis of what was seen in the last `kept`. To read a paper costs about a millisecond, so each is
    read once; what changes of it afterwards (upvotes, rank, code) costs next to nothing."""

    def __init__(self, papers: Papers, now: Callable[[], datetime], *, kept: timedelta = KEPT) -> None:
        self._papers = papers
        self._now = now
        self._kept = kept
        self._entries: dict[str, Entry] = {}
        self._position: int | None = None
        self._lock = asyncio.Lock()

    async def run(self, notifications: Notifications) -> None:
        """Follow what is written until cancelled, so that an answer need not wait for it."""
        with notifications.waiting_for("records") as written:

            async def work() -> None:
                written.clear()
                await self.up_to_date()
                await written.wait()

            await run_worker("recent_papers", work)

    async def up_to_date(self) -> None:
        """Read what was written since the last time; at the first time, all of the last days."""
        async with self._lock:
            begin = self._now() - self._kept
            since = begin.timestamp() * 1000
            if self._position is None:
                position = await self._papers.last_change()  # before the rest: what is met twice does no harm
                await self._read(await self._papers.seen_since(begin), since)
                self._position = position
            while changed := await self._papers.changed(self._position, AT_ONCE):
                await self._read([paper_id for paper_id, _ in changed], since)
                self._position = changed[-1][1]
            self._forget(since)

    async def matching(self, query: Query) -> list[str]:
        """Ids of the papers that `query` holds for as they stand now, in no order."""
        await self.up_to_date()
        found: list[str] = []
        entries = iter(list(self._entries.items()))
        while some := list(islice(entries, TRIED)):
            found += [paper_id for paper_id, entry in some if query.holds_for(entry.reading)]
            await asyncio.sleep(0)
        return found

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def days(self) -> int:
        """On how many days they were published."""
        return len({entry.published for entry in self._entries.values()})

    @property
    def is_sample(self) -> bool:
        """Whether they are the bundled sample, taken in for a tour."""
        return any(SAMPLE_SOURCE in entry.reading.sources for entry in self._entries.values())

    async def _read(self, ids: Sequence[str], since: float) -> None:
        for start in range(0, len(ids), AT_ONCE):
            chunk = ids[start : start + AT_ONCE]
            seen = await self._papers.first_seen(chunk)
            young = [paper_id for paper_id in chunk if seen.get(paper_id, 0.0) >= since]
            papers = await self._papers.get(young)
            for n, (paper_id, paper) in enumerate(papers.items(), 1):
                self._entries[paper_id] = _entry(paper, seen[paper_id], self._entries.get(paper_id))
                if n % PAUSE == 0:
                    await asyncio.sleep(0)

    def _forget(self, since: float) -> None:
        for paper_id in [paper_id for paper_id, entry in self._entries.items() if entry.seen < since]:
            del self._entries[paper_id]


def _entry(paper: Paper, seen: float, known: Entry | None) -> Entry:
    text = hash((paper.title, paper.abstract, paper.authors))
    published = paper.published.astimezone(UTC).date()
    if known is not None and known.text == text:
        return Entry(seen, published, known.reading.with_facts_of(paper), text)
    return Entry(seen, published, Reading.of(paper), text)
