"""Other search engines, used as an engineer would use them for the same job, to compare with our search."""

import re
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

import bm25s
import tantivy
from snowballstemmer import stemmer

from bot.domain.models import Paper

MOST = 50
"""Number of papers that a search returns."""
ENOUGH = 5
"""Number of papers with all words below which SQLite also searches for papers with any of the words."""
_WORD = re.compile(r"[^\W_]+")


class Rival(Protocol):
    """An engine that stores and finds papers."""

    def add(self, papers: Sequence[Paper]) -> None: ...

    def find(self, text: str) -> list[str]:
        """Return ids, best first."""


class Fts5:
    """SQLite's FTS5 with Porter's stems on titles, abstracts and authors: papers with all words first, then any."""

    def __init__(self, path: Path | str = ":memory:") -> None:
        self._db = sqlite3.connect(path)
        self._db.execute(
            "CREATE VIRTUAL TABLE papers USING fts5(id UNINDEXED, title, abstract, authors, tokenize='porter unicode61')"
        )

    def add(self, papers: Iterable[Paper]) -> None:
        rows = ((paper.id, paper.title, paper.abstract, ", ".join(paper.authors)) for paper in papers)
        with self._db:
            self._db.executemany("INSERT INTO papers VALUES (?, ?, ?, ?)", rows)

    def find(self, text: str) -> list[str]:
        words = _quoted(text)
        found = self._ask(" ".join(words), "0, 2.5, 1, 2")
        return found if len(found) >= ENOUGH else [*found, *self.find_any(text, "0, 2.5, 1, 2")]

    def find_any(self, text: str, weights: str = "0, 1, 1, 1") -> list[str]:
        """Find papers with any of the words, by BM25 with `weights` of the columns."""
        return self._ask(" OR ".join(_quoted(text)), weights)

    def close(self) -> None:
        self._db.close()

    def _ask(self, query: str, weights: str) -> list[str]:
        select = f"SELECT id FROM papers WHERE papers MATCH ? ORDER BY bm25(papers, {weights}) LIMIT {MOST}"  # noqa: S608  # our own weights
        return [row[0] for row in self._db.execute(select, (query,))]


class Fts5Any(Fts5):
    """FTS5 for questions: any of the words, with equal weights."""

    def find(self, text: str) -> list[str]:
        return self.find_any(text)


class TantivyDefault:
    """tantivy as in its README: its own query parser over two fields with its English stemmer."""

    def __init__(self) -> None:
        builder = tantivy.SchemaBuilder()
        builder.add_text_field("id", stored=True, tokenizer_name="raw")
        builder.add_text_field("title", tokenizer_name="en_stem")
        builder.add_text_field("abstract", tokenizer_name="en_stem")
        self._index = tantivy.Index(builder.build())

    def add(self, papers: Iterable[Paper]) -> None:
        writer = self._index.writer(50_000_000, 1)
        for paper in papers:
            writer.add_document(tantivy.Document(id=paper.id, title=paper.title, abstract=paper.abstract))
        writer.commit()
        writer.wait_merging_threads()
        self._index.reload()

    def find(self, text: str) -> list[str]:
        query = self._index.parse_query(" ".join(_WORD.findall(text.lower())), ["title", "abstract"])
        searcher = self._index.searcher()
        return [str(searcher.doc(at)["id"][0]) for _, at in searcher.search(query, MOST, count=False).hits]


class Bm25s:
    """bm25s over title and abstract as one text, with its English stop words and Snowball's stems."""

    def __init__(self) -> None:
        self._stem = stemmer("english").stemWords
        self._engine = bm25s.BM25()
        self._ids: list[str] = []

    def add(self, papers: Iterable[Paper]) -> None:
        some = list(papers)
        self._ids = [paper.id for paper in some]
        self._engine.index(
            self._cut([f"{paper.title} {paper.abstract}" for paper in some]), show_progress=False
        )

    def find(self, text: str) -> list[str]:
        places, scores = self._engine.retrieve(
            self._cut([text]), k=min(MOST, len(self._ids)), show_progress=False
        )
        return [self._ids[place] for place, score in zip(places[0], scores[0], strict=True) if score > 0]

    def _cut(self, texts: list[str]) -> object:
        return bm25s.tokenize(texts, stopwords="en", stemmer=self._stem, show_progress=False)


def _quoted(text: str) -> list[str]:
    return [f'"{word}"' for word in _WORD.findall(text)]
