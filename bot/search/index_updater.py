"""Keeps the index up to date: reads from Redis which papers changed and has them written."""

import asyncio
from dataclasses import dataclass

import structlog

from bot.search.index import Index
from bot.search.index_writer import IndexBusy, IndexWriter, writing
from bot.store.papers import Papers

FIRST_BATCH, BATCH = 200, 1000
"""Number of papers per commit. The first is small, so that searches find something soon after an empty start."""
CLOSE_ENOUGH = 0.01
"""An index that lacks at most this share of all papers counts as complete: it is only a poll behind."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class IndexProgress:
    """Progress of building an index."""

    done: int
    """Number of indexed papers."""
    total: int
    """Number of papers to index."""


class IndexUpdater:
    """Writes changed papers to an index. Several processes can share a folder: one writes at a time."""

    def __init__(self, papers: Papers, index: Index) -> None:
        self._papers = papers
        self._index = index
        self._one_at_a_time = asyncio.Lock()
        self._complete = False

    async def catch_up(self) -> bool:
        """Index every change up to now. -> False if another process is writing the index.

        Raises RedisError and IndexWriterFailed; the next call resumes.
        """
        async with self._one_at_a_time:
            last = await self._papers.last_change()
            if await asyncio.to_thread(lambda: self._index.position) == last:
                self._complete = True
                return True
            try:
                async with writing(self._index) as writer:
                    await self._write_changes(writer)
            except IndexBusy:
                return False
            self._complete = True
            return True

    async def _write_changes(self, writer: IndexWriter) -> None:
        position = await asyncio.to_thread(lambda: self._index.position)
        if position > await self._papers.last_change():
            log.warning("search_index_rebuilt", reason="Redis has lost papers that the index holds")
            await writer.clear()
            position = 0
        size = BATCH if position else FIRST_BATCH
        while changes := await self._papers.changed(position, size):
            position = changes[-1][1]
            ids = [paper_id for paper_id, _ in changes]
            stored = await self._papers.records(ids)
            await writer.write(list(stored.values()), [i for i in ids if i not in stored], position)
            if len(changes) == BATCH:
                papers = await asyncio.to_thread(lambda: self._index.papers)
                log.info("indexing_progress", papers=papers, of=await self._papers.count())
            size = BATCH

    async def remove_expired(self) -> None:
        """Remove the papers whose records have expired in Redis."""
        async with self._one_at_a_time:
            ids = await asyncio.to_thread(self._index.ids)
            removed = [
                paper_id
                for start in range(0, len(ids), BATCH)
                for paper_id in await self._papers.expired(ids[start : start + BATCH])
            ]
            if not removed:
                return
            try:
                async with writing(self._index) as writer:
                    await writer.write((), removed, await asyncio.to_thread(lambda: self._index.position))
            except IndexBusy:
                return

    async def progress(self) -> IndexProgress | None:
        """Return the progress of building the index; None once it has been complete."""
        if not self._complete:
            total, done = await self._papers.count(), await asyncio.to_thread(lambda: self._index.papers)
            if total - done > total * CLOSE_ENOUGH:
                return IndexProgress(done, total)
            self._complete = True
        return None
