"""Other ways to find which queries a paper matches, for the benchmark of our own."""

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
    """A loop over all subscriptions with `in`, as most bots have it: no phrases across hyphens, `rag` in storage."""

    def __init__(self, queries: Sequence[str]) -> None:
        self._needles = [
            tuple(word for word in query.replace('"', " ").lower().split() if word != "or")
            for query in queries
        ]

    def match(self, paper: Paper) -> list[int]:
        """Places of the queries that match, roughly."""
        text = f"{paper.title} {paper.abstract}".lower()
        return [n for n, needles in enumerate(self._needles) if all(needle in text for needle in needles)]


class Evaluator:
    """Every distinct query asked one by one: what the language means, and what a matcher must find."""

    def __init__(self, queries: Sequence[str]) -> None:
        self._tests = [predicate_of(parse(query).root) for query in queries]

    def match(self, paper: Paper) -> list[int]:
        """Places of the queries that match."""
        reading = PaperView.of(paper)
        return [n for n, holds in enumerate(self._tests) if holds(reading)]


class Percolated:
    """mokaccino, a percolator in Rust, given our keys, of which it can tell whether one is there.

    It gets only the queries that can be said in keys alone: `places` are those. With `sifted` it gets, too, only those
    keys of a paper that some query asks for: help that it could not have without another index.
    """

    def __init__(self, queries: Sequence[str]) -> None:
        self._percolator = Percolator()
        self._asked: set[str] = set()
        self.places: list[int] = []
        for place, query in enumerate(queries):
            with suppress(_Unsayable):
                self._percolator.add_query_id(self._said(parse(query).root), place)
                self.places.append(place)
        self._percolator = self._percolator.optimized()

    def match(self, paper: Paper, *, sifted: bool = False) -> list[int]:
        """Places of the queries that match, of those in `places`."""
        document = Document()
        keys = keys_of(paper)
        for key in keys & self._asked if sifted else keys:
            document.add_value("k", key)
        return self._percolator.percolate_list(document)

    def _said(self, node: Node) -> Mokaccino:
        match node:
            case Not(inner):
                return Mokaccino.from_not(self._said(inner))
            case And(nodes):
                return Mokaccino.from_and([self._said(part) for part in nodes])
            case Or(nodes):
                return Mokaccino.from_or([self._said(part) for part in nodes])
            case _:
                key = key_of(node)
                if key is None:
                    raise _Unsayable
                self._asked.add(key)
                return Mokaccino.from_kv("k", key)


class _Unsayable(Exception):
    """No key says whether this query holds."""
