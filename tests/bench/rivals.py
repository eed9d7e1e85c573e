"""Other ways to find the queries that a paper matches, to compare with our matcher."""

from collections.abc import Sequence
from contextlib import suppress

from mokaccino import Document, Percolator
from mokaccino import Query as Mokaccino

from bot.domain.models import Paper
from bot.matching.keys import key_of, keys_of
from bot.query import And, Node, Not, Or, parse
from bot.query.paper_view import PaperView
from bot.query.query import predicate_of


class Substrings:
    """A loop over all subscriptions with `in`, as in most bots: no phrases across hyphens; `rag` matches storage."""

    def __init__(self, queries: Sequence[str]) -> None:
        self._needles = [
            tuple(word for word in query.replace('"', " ").lower().split() if word != "or")
            for query in queries
        ]

    def match(self, paper: Paper) -> list[int]:
        """Return the indices of the queries that match, roughly."""
        text = f"{paper.title} {paper.abstract}".lower()
        return [n for n, needles in enumerate(self._needles) if all(needle in text for needle in needles)]


class Evaluator:
    """Evaluates every distinct query: it defines what a matcher must find."""

    def __init__(self, queries: Sequence[str]) -> None:
        self._tests = [predicate_of(parse(query).root) for query in queries]

    def match(self, paper: Paper) -> list[int]:
        """Return the indices of the queries that match."""
        reading = PaperView.of(paper)
        return [n for n, holds in enumerate(self._tests) if holds(reading)]


class Percolated:
    """mokaccino, a percolator in Rust, on our keys: it can only test whether a key is present.

    It gets only the queries that can be expressed by keys alone: those at `places`. With `sifted` it gets only the
    keys of a paper that occur in some query: help that it couldn't have without another index.
    """

    def __init__(self, queries: Sequence[str]) -> None:
        self._percolator = Percolator()
        self._queried_keys: set[str] = set()
        self.places: list[int] = []
        for place, query in enumerate(queries):
            with suppress(_NotByKeys):
                self._percolator.add_query_id(self._by_keys(parse(query).root), place)
                self.places.append(place)
        self._percolator = self._percolator.optimized()

    def match(self, paper: Paper, *, sifted: bool = False) -> list[int]:
        """Return the indices of the queries in `places` that match."""
        document = Document()
        keys = keys_of(paper)
        for key in keys & self._queried_keys if sifted else keys:
            document.add_value("k", key)
        return self._percolator.percolate_list(document)

    def _by_keys(self, node: Node) -> Mokaccino:
        match node:
            case Not(inner):
                return Mokaccino.from_not(self._by_keys(inner))
            case And(nodes):
                return Mokaccino.from_and([self._by_keys(part) for part in nodes])
            case Or(nodes):
                return Mokaccino.from_or([self._by_keys(part) for part in nodes])
            case _:
                key = key_of(node)
                if key is None:
                    raise _NotByKeys
                self._queried_keys.add(key)
                return Mokaccino.from_kv("k", key)


class _NotByKeys(Exception):
    """The query can't be expressed by keys alone."""
