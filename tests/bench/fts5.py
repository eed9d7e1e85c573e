"""SQLite's FTS5 as one would use it for the same: to compare with."""

import re
import sqlite3
from collections.abc import Iterable
from pathlib import Path

from bot.domain.models import Paper

_WORD = re.compile(r"[^\W_]+")
_SELECT = "SELECT id FROM papers WHERE papers MATCH ? ORDER BY bm25(papers, 0, 2.5, 1, 2) LIMIT 50"
ENOUGH = 5


class Fts5:
    """Titles, abstracts and authors, stemmed; all words first, then any of them."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path)
        self._db.execute(
            "CREATE VIRTUAL TABLE papers USING fts5(id UNINDEXED, title, abstract, authors, tokenize='porter unicode61')"
        )

    def add(self, papers: Iterable[Paper]) -> None:
        rows = ((paper.id, paper.title, paper.abstract, ", ".join(paper.authors)) for paper in papers)
        with self._db:
            self._db.executemany("INSERT INTO papers VALUES (?, ?, ?, ?)", rows)

    def find(self, text: str) -> list[str]:
        words = [f'"{word}"' for word in _WORD.findall(text)]
        found = self._ask(" ".join(words))
        return found if len(found) >= ENOUGH else [*found, *self._ask(" OR ".join(words))]

    def close(self) -> None:
        self._db.close()

    def _ask(self, query: str) -> list[str]:
        return [row[0] for row in self._db.execute(_SELECT, (query,))]
