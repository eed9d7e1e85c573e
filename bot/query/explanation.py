"""Explains in words why a query doesn't match a paper."""

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
)
from bot.query.paper_view import PaperView
from bot.query.query import predicate_of


def mismatches(node: Node, view: PaperView) -> list[str]:
    """Return a reason for each part of `node` that doesn't match; empty if all of it matches."""
    if predicate_of(node)(view):
        return []
    match node:
        case And(nodes):
            return [reason for part in nodes for reason in mismatches(part, view)]
        case Or(nodes):
            return [", and ".join(_first(part, view) for part in nodes)]
        case Not(inner):
            return [f"it contains {inner}, which is excluded"]
        case _:
            return [_missing(node, view)]


def _first(part: Node, view: PaperView) -> str:
    return next(iter(mismatches(part, view)))


def _missing(term: Node, view: PaperView) -> str:  # noqa: PLR0911  one return for each kind of term
    match term:
        case Phrase(field=field):
            where = {"title": "in the title", "abs": "in the abstract"}.get(field, "in the title or abstract")
            return f"{term} isn't {where}"
        case Person():
            return f"no author matches {term}"
        case Organization():
            named = view.organization
            return f"its organization is {named}, not {term.name}" if named else "it names no organization"
        case Category(name):
            shown = [category for category in view.categories if not category.endswith("*")]
            return f"it is in {', '.join(shown)}, not in {name}" if shown else f"it isn't in {name}"
        case SourceName(name):
            return f"it came from {', '.join(view.sources) or 'an unknown source'}, not from {name}"
        case Identifier():
            return f"it isn't {term}"
        case Signal():
            return _signal_mismatch(term, view)
        case _:
            raise AssertionError(term)


def _signal_mismatch(signal: Signal, view: PaperView) -> str:
    match signal.name:
        case "min":
            known = view.upvotes is not None
            return (
                f"it has ▲ {view.upvotes} so far, not {signal.value}" if known else "its upvotes aren't known"
            )
        case "top":
            known = view.rank is not None
            return f"it ranks {view.rank}, not in the top {signal.value}" if known else "it isn't trending"
        case "code":
            return "it has code" if view.has_code else "it has no known code"
