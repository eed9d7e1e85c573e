"""The papers of the last days, in memory, so that a query can be tried on them while a person waits."""

import asyncio
import gc
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice

from bot.domain.models import SAMPLE_SOURCE, Paper
from bot.query import PaperView, Query
from bot.store.notifications import Notifications
from bot.store.papers import Papers
from bot.store.worker_loop import run_worker

DAYS_BACK = timedelta(days=14)
"""Time that a look-back covers."""
BATCH = 100
"""Papers fetched from Redis together: unpacking them takes some 15 ms."""
PAUSE = 5
"""Papers read before other tasks run: a few milliseconds."""
TRIED = 500
"""Papers that a query is tried on before other tasks run: less than a millisecond."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A paper as far as a query needs it: its record stays in Redis."""

    seen: float
    """When it was first seen, in ms."""
    published: date
    reading: PaperView
    text: int
    """A hash of the fields that its words come from."""


class RecentPapers:
    """A view on Redis of what was seen in the last `days_back`.

    To read a paper costs about a millisecond, so each is read once; what changes of it afterwards (upvotes, rank, code)
    costs next to nothing. While `run` reads them for the first time, answers count those that are read so far.
    """

    def __init__(
        self, papers: Papers, now: Callable[[], datetime], *, days_back: timedelta = DAYS_BACK
    ) -> None:
        self._papers = papers
        self._now = now
        self._days_back = days_back
        self._entries: dict[str, Entry] = {}
        self._position: int | None = None
        self._followed = False
        self._unread = 0
        self._lock = asyncio.Lock()

    async def run(self, notifications: Notifications) -> None:
        """Follow what is written until cancelled, so that an answer need not wait for it."""
        self._followed = True
        with notifications.waiting_for("records") as written:

            async def work() -> None:
                written.clear()
                await self.up_to_date()
                await written.wait()

            await run_worker("recent_papers", work)

    async def up_to_date(self) -> None:
        """Read what was written since the last time; at the first time, all of the last days."""
        async with self._lock:
            begin = self._now() - self._days_back
            since = begin.timestamp() * 1000
            if self._position is None:
                position = await self._papers.last_change()  # before the rest: what is met twice does no harm
                ids = (await self._papers.seen_since(begin))[::-1]  # the newest first: they matter most
                self._unread = len(ids)
                await self._read(ids, since)
                self._position, self._unread = position, 0
                gc.freeze()  # they stay for days: else a collection of garbage holds up some page for a tenth of a second
            while changed := await self._papers.changed(self._position, BATCH):
                await self._read([paper_id for paper_id, _ in changed], since)
                self._position = changed[-1][1]
            self._forget(since)

    async def matching(self, query: Query) -> list[str]:
        """Ids of the papers that match `query` as they are now, in no order; of those read so far at a start."""
        if self._position is not None or not self._followed:
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
    def unread(self) -> int:
        """Papers of the last days that are still to be read after a start."""
        return self._unread

    @property
    def days(self) -> int:
        """On how many days they were published."""
        return len({entry.published for entry in self._entries.values()})

    @property
    def organizations(self) -> list[str]:
        """The organizations of their papers, those with the most papers first."""
        named = Counter(entry.reading.organization for entry in self._entries.values())
        return sorted(filter(None, named), key=lambda name: (-named[name], name))

    def has_category(self, name: str) -> bool:
        """Whether one of them is in this category."""
        return any(name.lower() in entry.reading.categories for entry in self._entries.values())

    @property
    def is_sample(self) -> bool:
        """Whether they are the bundled sample of the tour."""
        return any(SAMPLE_SOURCE in entry.reading.sources for entry in self._entries.values())

    async def _read(self, ids: Sequence[str], since: float) -> None:
        for start in range(0, len(ids), BATCH):
            chunk = ids[start : start + BATCH]
            seen = await self._papers.first_seen(chunk)
            young = [paper_id for paper_id in chunk if seen.get(paper_id, 0.0) >= since]
            papers = await self._papers.get(young)
            self._unread = max(0, self._unread - len(chunk))
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
    return Entry(seen, published, PaperView.of(paper), text)
