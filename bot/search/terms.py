"""Builds the engine's queries from the subscription language and plain words. The engine parses no user's text.

The engine's queries find every match and, for terms with hyphens or exact case, a few false ones. `exactly` says
whether the results must be checked with the language.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from tantivy import FieldType, Occur, Schema, Searcher, SearchResult
from tantivy import Query as IndexQuery

from bot.query import (
    And,
    Category,
    Identifier,
    Node,
    Not,
    Or,
    Organization,
    Person,
    Phrase,
    Signal,
    SourceName,
)
from bot.query.nodes import LAST_RANK, MOST_UPVOTES
from bot.query.variants import variants_of
from bot.search.fields import key, stemmer
from bot.search.query_parser import Word
from bot.text.names import keys_of_name

TEXT = ("title", "abstract")
TIE = 0.3
"""Share of the other fields' scores that is added to the best field's."""


class Terms:
    """Builds the engine's queries for one snapshot of an index."""

    def __init__(self, schema: Schema, searcher: Searcher) -> None:
        self._schema = schema
        self._searcher = searcher
        self._stemmer = stemmer()

    def node(self, node: Node) -> IndexQuery:  # noqa: PLR0911  one return for each kind of node
        """Return the query for `node`."""
        match node:
            case And(nodes):
                return both(self._sides(nodes))
            case Or(nodes):
                return either(map(self.node, nodes))
            case Not():
                return both([(Occur.Must, IndexQuery.all_query()), *self._sides((node,))])
            case Phrase():
                fields = {"title": TEXT[:1], "abs": TEXT[1:]}.get(node.field, TEXT)
                return either(self._phrase(field, node) for field in fields)
            case Person():
                return self._name(node) if node.is_whole else self._phrase("authors", node)
            case Organization() | Category() | SourceName() | Identifier():
                return self.term(*_fact(node))
            case Signal():
                return self._signal(node)

    def exactly(self, node: Node) -> bool:
        """Whether the query for `node` finds exactly the papers that match, without false ones."""
        match node:
            case And(nodes) | Or(nodes):
                return all(map(self.exactly, nodes))
            case Not(inner):
                return self.exactly(inner)
            case Person(
                is_whole=True
            ):  # exact if no author has the initial and family name, as for most phrases
                keys = keys_of_name(" ".join(node.words))
                return not any(self._searcher.doc_freq("names", name) for name in keys)
            case Phrase():
                longer = [path for path in variants_of(node) if len(path) > 1]
                return not (node.exact or any(self._is_joined(word) for path in longer for word in path))
            case _:
                return True

    def term(self, field: str, word: str, boost: float = 1.0) -> IndexQuery:
        """Papers with this word in this field."""
        return boosted(IndexQuery.term_query(self._schema, field, word), boost)

    def stem(self, word: str, boost: float = 1.0) -> IndexQuery:
        """Papers with a word of the same stem, in title or abstract."""
        return self.term("stems", self._stemmer.analyze(word)[0], boost)

    def parts(self, field: str, parts: Sequence[str], joined: str) -> IndexQuery:
        """Papers with all of a word's parts, or with the joined form."""
        terms = [self.term(field, part) for part in parts]
        if len(terms) == 1:
            return terms[0]
        whole = both((Occur.Must, term) for term in terms)
        return either([whole, self.term(field, joined)]) if joined else whole

    def fuzzy(self, field: str, word: str, letters: int, boost: float) -> IndexQuery:
        """Papers with a word that differs in at most this many letters."""
        return boosted(IndexQuery.fuzzy_term_query(self._schema, field, word, letters), boost)

    def prefix(self, field: str, stem: str) -> IndexQuery:
        """Papers with a word that begins with `stem`."""
        return IndexQuery.fuzzy_term_query(self._schema, field, stem, 0, prefix=True)

    def near(self, field: str, words: Sequence[str], slop: int, boost: float) -> IndexQuery:
        """Papers with these words close together, in this order."""
        return boosted(IndexQuery.phrase_query(self._schema, field, list(words), slop), boost)

    def name(self, first: str, second: str, boost: float) -> IndexQuery:
        """Papers of an author with these two parts of a name, in either order."""
        pair = [self.term("names", key((first, second))), self.term("names", key((second, first)))]
        return IndexQuery.boost_query(either(pair), boost)

    def since(self, day: int) -> IndexQuery:
        """Papers published on this day or later."""
        return self._range("day", day, 1_000_000)

    def _range(self, field: str, least: int, most: int) -> IndexQuery:
        return IndexQuery.const_score_query(
            IndexQuery.range_query(self._schema, field, FieldType.Integer, least, most), 0.0
        )

    def _phrase(self, field: str, term: Phrase | Person) -> IndexQuery:
        if term.prefix:
            return self.prefix(field, term.words[0])
        folded = Phrase(term.words) if isinstance(term, Phrase) and term.exact else term
        return either(self._path(field, path) for path in variants_of(folded))

    def _name(self, person: Person) -> IndexQuery:
        """Papers of authors who may be `person`: same family name, and same initial of the given name."""
        return either(self.term("names", name) for name in keys_of_name(" ".join(person.words)))

    def _path(self, field: str, path: Sequence[str]) -> IndexQuery:
        """Papers with these words next to each other.

        The index stores joined forms separately. If one of the words is a joined form in some paper, papers with all
        the words in any place are found too, and must be checked with the language.
        """
        if len(path) == 1:
            return self.term(field, path[0])
        phrase = IndexQuery.phrase_query(self._schema, field, list(path))
        joined = [self.term("joins", word) for word in path if self._is_joined(word)]
        if field == "authors" or not joined:
            return phrase
        apart = [*(self.term(field, word) for word in path), either(joined)]
        return either([phrase, boosted(both((Occur.Must, part) for part in apart), 0.1)])

    def _is_joined(self, word: str) -> bool:
        return self._searcher.doc_freq("joins", word) > 0

    def _sides(self, nodes: Iterable[Node]) -> Iterator[tuple[Occur, IndexQuery]]:
        for node in nodes:
            if not isinstance(node, Not):
                yield Occur.Must, self.node(node)
            elif self.exactly(node.node):  # otherwise false matches would be excluded
                yield Occur.MustNot, self.node(node.node)

    def _signal(self, signal: Signal) -> IndexQuery:
        match signal.name:
            case "min":
                return self._range("upvotes", signal.value, MOST_UPVOTES * 1000)
            case "top":
                return self._range("rank", 1, min(signal.value, LAST_RANK))
            case "code":
                return self._range("code", signal.value, signal.value)


def _fact(term: Organization | Category | SourceName | Identifier) -> tuple[str, str]:
    """The field that holds the fact, and the word that it has there."""
    match term:
        case Organization(key=name):
            return "links", f"org:{name}"
        case Category(name):
            return "cat", name.lower()
        case SourceName(name):
            return "source", name
        case Identifier(paper_id):
            return "ids", paper_id


def both(parts: Iterable[tuple[Occur, IndexQuery]], *, least: int | None = None) -> IndexQuery:
    """Return a boolean query; at least `least` of its optional parts must match."""
    return IndexQuery.boolean_query(list(parts), minimum_number_should_match=least)


def either(parts: Iterable[IndexQuery], tie: float = TIE) -> IndexQuery:
    """Return a query for any of these. The best one's score counts, plus a share (`tie`) of the others'."""
    found = list(parts)
    return found[0] if len(found) == 1 else IndexQuery.disjunction_max_query(found, tie)


def boosted(query: IndexQuery, boost: float) -> IndexQuery:
    """Return `query` with its score multiplied by `boost`."""
    return query if boost == 1.0 else IndexQuery.boost_query(query, boost)


def names_in(words: Sequence[Word]) -> list[tuple[str, str]]:
    """Return the pairs of adjacent words that may be two parts of a name."""
    flat = [part for word in words for part in word.name_parts if not word.stop or len(part) == 1]
    return [pair for pair in pairwise(flat) if max(map(len, pair)) > 1]


def count_of(result: SearchResult) -> int:
    """Return the number of documents that the engine found."""
    count: int = result.count  # type: ignore[attr-defined]  # missing in tantivy's stubs
    return count
