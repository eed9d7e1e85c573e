"""The papers of the last days, in memory, so that a query can be tried on them quickly."""

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
"""Number of papers fetched from Redis at once: unpacking them takes some 15 ms."""
PAUSE = 5
"""Number of papers read before other tasks can run: a few milliseconds."""
TRIED = 500
"""Number of papers that a query is tried on before other tasks can run: less than a millisecond."""


@dataclass(frozen=True, slots=True)
class Entry:
    """The parts of a paper that queries need. Its record stays in Redis."""

    seen: float
    """Time when it was first seen, in ms."""
    published: date
    reading: PaperView
    text: int
    """Hash of the fields that contain its words."""


class RecentPapers:
    """The papers seen in the last `days_back`, read from Redis.

    It takes about a millisecond to read a paper, so each is read once; later changes (upvotes, rank, code) cost next to
    nothing. While `run` reads the papers for the first time, answers use those read so far.
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
        """Read changed papers until cancelled, so that answers don't wait for them."""
        self._followed = True
        with notifications.waiting_for("records") as records_written:

            async def work() -> None:
                records_written.clear()
                await self.up_to_date()
                await records_written.wait()

            await run_worker("recent_papers", work)

    async def up_to_date(self) -> None:
        """Read the papers changed since the last call; in the first call, all of the last days."""
        async with self._lock:
            begin = self._now() - self._days_back
            since = begin.timestamp() * 1000
            if self._position is None:
                # Get the position first: a paper that changes meanwhile is then read twice, which does no harm.
                position = await self._papers.last_change()
                ids = (await self._papers.seen_since(begin))[::-1]  # the newest first: they matter most
                self._unread = len(ids)
                await self._read(ids, since)
                self._position, self._unread = position, 0
                # The views live for days. Without this, a garbage collection now and then delays a page by 0.1 s.
                gc.freeze()
            while changed := await self._papers.changed(self._position, BATCH):
                await self._read([paper_id for paper_id, _ in changed], since)
                self._position = changed[-1][1]
            self._forget(since)

    async def matching(self, query: Query) -> list[str]:
        """Return the ids of the papers that match `query`, unordered. After a start, only papers read so far count."""
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
        """Number of papers still to be read after a start."""
        return self._unread

    @property
    def days(self) -> int:
        """Number of days on which the papers were published."""
        return len({entry.published for entry in self._entries.values()})

    @property
    def organizations(self) -> list[str]:
        """The organizations of the papers, those with the most papers first."""
        named = Counter(entry.reading.organization for entry in self._entries.values())
        return sorted(filter(None, named), key=lambda name: (-named[name], name))

    def has_category(self, name: str) -> bool:
        """Whether a paper is in this category."""
        return any(name.lower() in entry.reading.categories for entry in self._entries.values())

    @property
    def is_sample(self) -> bool:
        """Whether the papers are the bundled sample of the tour."""
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
