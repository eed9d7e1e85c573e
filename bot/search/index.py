"""The index in its folder. It can be deleted at any time, because all its content comes from Redis."""

import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from threading import Lock

import structlog
import tantivy

from bot.domain.models import Paper
from bot.search import fields

HEAP = 50_000_000
"""Bytes that the engine buffers before it writes a segment."""

log = structlog.get_logger(__name__)


class Index:
    """An index of papers in a folder, or in memory. Several processes can open a folder; the first to write owns it.

    A commit with its position is atomic: if the process is killed meanwhile, the previous commit stays.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder / f"v{fields.VERSION}" if folder else None
        self._schema = fields.schema()
        self._writer: tantivy.IndexWriter | None = None
        self._writing = Lock()
        """A task can be cancelled while its thread still writes: `close` waits for that."""
        self._index = self._open()
        self._index.register_tokenizer(fields.STEMMED, fields.stemmer())

    @property
    def folder(self) -> Path | None:
        """The folder of the index; None if it is in memory."""
        return self._folder

    @property
    def schema(self) -> tantivy.Schema:
        """The index's fields."""
        return self._schema

    @property
    def position(self) -> int:
        """The position of the last change in its last commit; 0 in an empty index."""
        searcher = self.searcher()
        query = tantivy.Query.term_query(self._schema, "id", "")
        hits = searcher.search(query, 1).hits
        return int(searcher.doc(hits[0][1])["position"][0]) if hits else 0

    @property
    def papers(self) -> int:
        """Number of papers in the index."""
        return max(0, self.searcher().num_docs - 1)

    def searcher(self) -> tantivy.Searcher:
        """Return the current state, including commits of other processes."""
        if self._writer is None:
            self._index.reload()
        return self._index.searcher()

    def become_writer(self) -> bool:
        """Become the writer if no other process is. -> False if another process is, until it ends."""
        if self._writer is None:
            try:
                self._writer = self._index.writer(HEAP, 1)
            except ValueError as error:
                if "LockBusy" not in str(error):
                    raise
                return False
            self._index.reload()  # to see the former writer's last commit
        return True

    def write(self, papers: Iterable[Paper], removed: Iterable[str], position: int) -> None:
        """Add or replace these papers, remove those with the ids `removed`, and commit."""
        with self._writing:
            writer = self._the_writer()
            for paper_id in removed:
                writer.delete_documents_by_term("id", paper_id)
            for paper in papers:
                writer.delete_documents_by_term("id", paper.id)
                writer.add_document(fields.document(paper))
            writer.delete_documents_by_term("id", "")
            writer.add_document(fields.mark(position))
            writer.commit()
        self._index.reload()

    def clear(self) -> None:
        """Remove everything. Only the writer can do this."""
        with self._writing:
            writer = self._the_writer()
            writer.delete_all_documents()
            writer.commit()
        self._index.reload()

    def ids(self) -> list[str]:
        """Return the ids of all papers in the index."""
        found = self.searcher().terms_with_prefix("id", "")
        return [paper_id for paper_id, _ in found if paper_id]

    def close(self) -> None:
        """Let another process write."""
        with self._writing:
            if self._writer is not None:
                with suppress(ValueError):  # a merge failed: all papers are committed, so nothing is lost
                    self._writer.wait_merging_threads()
                self._writer = None

    def _the_writer(self) -> tantivy.IndexWriter:
        if self._writer is None:
            raise RuntimeError("only the writer writes")
        return self._writer

    def _open(self) -> tantivy.Index:
        if self._folder is None:
            return tantivy.Index(self._schema)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            return tantivy.Index(self._schema, path=str(self._folder))
        except OSError as error:
            log.warning("search_index_in_memory", folder=str(self._folder), reason=str(error))
            self._folder = None
            return tantivy.Index(self._schema)
        except ValueError as error:
            log.warning("search_index_damaged", reason=str(error)[:200])
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder.mkdir(parents=True, exist_ok=True)
            return tantivy.Index(self._schema, path=str(self._folder))
