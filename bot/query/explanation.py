"""Why a query doesn't match a paper, in words."""

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
    Upstream,
)
from bot.query.paper_view import PaperView
from bot.query.query import predicate_of


def mismatches(node: Node, reading: PaperView) -> list[str]:
    """Each part of `node` that doesn't match, and why; empty if all of it matches."""
    if predicate_of(node)(reading):
        return []
    match node:
        case And(nodes):
            return [said for part in nodes for said in mismatches(part, reading)]
        case Or(nodes):
            return [", and ".join(_first(part, reading) for part in nodes)]
        case Not(inner):
            return [f"it contains {inner}, which is excluded"]
        case _:
            return [_missing(node, reading)]


def _first(part: Node, reading: PaperView) -> str:
    return next(iter(mismatches(part, reading)))


def _missing(term: Node, reading: PaperView) -> str:  # noqa: PLR0911  one return for each kind of term
    match term:
        case Phrase(field=field):
            where = {"title": "in the title", "abs": "in the abstract"}.get(field, "in the title or abstract")
            return f"{term} isn't {where}"
        case Person():
            return f"no author matches {term}"
        case Organization():
            named = reading.organization
            return f"its organization is {named}, not {term.name}" if named else "it names no organization"
        case Category(name):
            shown = [category for category in reading.categories if not category.endswith("*")]
            return f"it is in {', '.join(shown)}, not in {name}" if shown else f"it isn't in {name}"
        case Upstream(name):
            return f"it came from {', '.join(reading.sources) or 'an unknown source'}, not from {name}"
        case Identifier():
            return f"it isn't {term}"
        case Signal():
            return _standing(term, reading)
        case _:
            raise AssertionError(term)


def _standing(signal: Signal, reading: PaperView) -> str:
    match signal.name:
        case "min":
            known = reading.upvotes is not None
            return (
                f"it has ▲ {reading.upvotes} so far, not {signal.value}"
                if known
                else "its upvotes aren't known"
            )
        case "top":
            known = reading.rank is not None
            return f"it ranks {reading.rank}, not in the top {signal.value}" if known else "it isn't trending"
        case "code":
            return "it has code" if reading.has_code else "it has no known code"
