"""Whether a query holds for a paper, the plain way: this is what the language means.

The matcher's index and the back-test give the same answers faster, and their tests compare them with this.
"""

from collections.abc import Callable
from functools import lru_cache

from bot.query.nodes import And, Category, Identifier, Node, Not, Or, Person, Phrase, Signal, Upstream
from bot.query.paper_view import Line, PaperView
from bot.query.variants import Path, variants_of

Test = Callable[[PaperView], bool]


@lru_cache(maxsize=1024)
def predicate_of(node: Node) -> Test:  # noqa: PLR0911  one return for each kind of node
    """The question that `node` asks of a paper's reading."""
    match node:
        case And(nodes):
            parts = [predicate_of(part) for part in nodes]
            return lambda reading: all(test(reading) for test in parts)
        case Or(nodes):
            parts = [predicate_of(part) for part in nodes]
            return lambda reading: any(test(reading) for test in parts)
        case Not(inner):
            ruled_out = predicate_of(inner)
            return lambda reading: not ruled_out(reading)
        case Phrase():
            return _phrase(node)
        case Person():
            named = _in_line(node.words, variants_of(node), prefix=node.prefix)
            return lambda reading: named(reading.authors)
        case Category(name):
            category = name.lower()
            return lambda reading: category in reading.categories
        case Upstream(name):
            return lambda reading: name in reading.sources
        case Identifier(paper_id):
            return lambda reading: reading.id == paper_id
        case Signal():
            return _signal(node)


def _phrase(term: Phrase) -> Test:
    found = _in_line(term.words, variants_of(term), prefix=term.prefix)
    match term.field, term.exact:
        case "title", False:
            return lambda reading: found(reading.title)
        case "title", True:
            return lambda reading: found(reading.title_forms)
        case "abs", False:
            return lambda reading: found(reading.abstract)
        case "abs", True:
            return lambda reading: found(reading.abstract_forms)
        case _, True:
            return lambda reading: found(reading.title_forms) or found(reading.abstract_forms)
        case _:
            return lambda reading: found(reading.title) or found(reading.abstract)


def _in_line(words: tuple[str, ...], paths: tuple[Path, ...], *, prefix: bool) -> Callable[[Line], bool]:
    if prefix:
        return lambda line: line.has_prefix(words[0])
    if len(paths) == 1:
        [path] = paths
        return lambda line: line.has(path)
    return lambda line: any(line.has(path) for path in paths)


def _signal(signal: Signal) -> Test:
    value = signal.value
    match signal.name:
        case "min":
            return lambda reading: reading.upvotes is not None and reading.upvotes >= value
        case "top":
            return lambda reading: reading.rank is not None and reading.rank <= value
        case "code":
            return lambda reading: reading.has_code == bool(value)
