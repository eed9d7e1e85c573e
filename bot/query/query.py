"""A parsed query, and its evaluation on one paper, which defines the meaning of the language.

The matching index and the search return the same results faster; their tests compare them with this.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

from bot.domain.models import Paper
from bot.query.nodes import (
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
    terms_of,
)
from bot.query.paper_view import GAP, Line, PaperView
from bot.query.variants import Variant, variants_of
from bot.text.names import agree, readings


@dataclass(frozen=True, slots=True)
class Query:
    """A subscription's query. `str` of it is its canonical text, which parses to an equal query."""

    root: Node
    typed: str = field(default="", compare=False, repr=False)
    """The text as typed, for `spelled`."""

    def __str__(self) -> str:
        return str(self.root)

    def matches(self, paper: Paper) -> bool:
        """Whether `paper` matches."""
        return self.holds_for(PaperView.of(paper))

    def holds_for(self, view: PaperView) -> bool:
        """Whether the paper with this view matches. Several queries can share a view."""
        return predicate_of(self.root)(view)

    @property
    def has_signals(self) -> bool:
        """Whether upvotes, rank or code matter. If so, the query is evaluated again while a paper is young."""
        return any(isinstance(term, Signal) for term, _ in terms_of(self.root))


Predicate = Callable[[PaperView], bool]


@lru_cache(maxsize=1024)
def predicate_of(node: Node) -> Predicate:  # noqa: PLR0911  one return for each kind of node
    """Return the predicate that is true for papers that match `node`."""
    match node:
        case And(nodes):
            parts = [predicate_of(part) for part in nodes]
            return lambda paper: all(test(paper) for test in parts)
        case Or(nodes):
            parts = [predicate_of(part) for part in nodes]
            return lambda paper: any(test(paper) for test in parts)
        case Not(inner):
            excluded = predicate_of(inner)
            return lambda paper: not excluded(paper)
        case Phrase():
            return _phrase(node)
        case Person():
            return _person(node)
        case Organization() | Category() | SourceName() | Identifier():
            return _fact(node)
        case Signal():
            return _signal(node)


def _phrase(term: Phrase) -> Predicate:
    found = _in_line(term.words, variants_of(term), prefix=term.prefix)
    match term.field, term.exact:
        case "title", False:
            return lambda paper: found(paper.title)
        case "title", True:
            return lambda paper: found(paper.title_forms)
        case "abs", False:
            return lambda paper: found(paper.abstract)
        case "abs", True:
            return lambda paper: found(paper.abstract_forms)
        case _, True:
            return lambda paper: found(paper.title_forms) or found(paper.abstract_forms)
        case _:
            return lambda paper: found(paper.title) or found(paper.abstract)


def _person(term: Person) -> Predicate:
    if term.is_whole:
        wanted = readings(" ".join(term.words))
        return lambda paper: any(agree(wanted, readings(name)) for name in paper.names.split(GAP))
    named = _in_line(term.words, variants_of(term), prefix=term.prefix)
    return lambda paper: named(paper.authors)


def _in_line(
    words: tuple[str, ...], variants: tuple[Variant, ...], *, prefix: bool
) -> Callable[[Line], bool]:
    if prefix:
        return lambda line: line.has_prefix(words[0])
    if len(variants) == 1:
        [variant] = variants
        return lambda line: line.has(variant)
    return lambda line: any(line.has(variant) for variant in variants)


def _fact(term: Organization | Category | SourceName | Identifier) -> Predicate:
    match term:
        case Organization(key=key):
            return lambda paper: paper.organization.replace(" ", "") == key
        case Category(name):
            category = name.lower()
            return lambda paper: category in paper.categories
        case SourceName(name):
            return lambda paper: name in paper.sources
        case Identifier(paper_id):
            return lambda paper: paper.id == paper_id


def _signal(signal: Signal) -> Predicate:
    value = signal.value
    match signal.name:
        case "min":
            return lambda paper: paper.upvotes is not None and paper.upvotes >= value
        case "top":
            return lambda paper: paper.rank is not None and paper.rank <= value
        case "code":
            return lambda paper: paper.has_code == bool(value)
