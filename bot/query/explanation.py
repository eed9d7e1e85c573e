"""Why a query does not hold for a paper, in words. Pure."""

from bot.query.evaluator import test_of
from bot.query.nodes import And, Category, Identifier, Node, Not, Or, Person, Phrase, Signal, Upstream
from bot.query.reading import Reading


def shortfalls(node: Node, reading: Reading) -> list[str]:
    """Each part of `node` that does not hold, and how; nothing where all of it does."""
    if test_of(node)(reading):
        return []
    match node:
        case And(nodes):
            return [said for part in nodes for said in shortfalls(part, reading)]
        case Or(nodes):
            return [", and ".join(_first(part, reading) for part in nodes)]
        case Not(inner):
            return [f"{inner} is there, and ruled out"]
        case _:
            return [_missing(node, reading)]


def _first(part: Node, reading: Reading) -> str:
    return next(iter(shortfalls(part, reading)))


def _missing(term: Node, reading: Reading) -> str:
    match term:
        case Phrase(field=field):
            where = {"title": "in the title", "abs": "in the abstract"}.get(field, "there")
            return f"{term} is not {where}"
        case Person():
            return f"no {term}"
        case Category():
            shown = [name for name in reading.categories if not name.endswith("*")]
            return f"{term}: it is in {', '.join(shown) or 'no category'}"
        case Upstream():
            return f"{term}: it was listed by {', '.join(reading.sources) or 'nobody'}"
        case Identifier():
            return f"{term} is another paper"
        case Signal():
            return f"{term}: {_standing(term, reading)}"
        case _:
            raise AssertionError(term)


def _standing(signal: Signal, reading: Reading) -> str:
    match signal.name:
        case "min":
            return (
                "its upvotes are not known"
                if reading.upvotes is None
                else f"it has ▲ {reading.upvotes} so far"
            )
        case "top":
            return "it does not trend" if reading.rank is None else f"it is number {reading.rank}"
        case "code":
            return "it has code" if reading.has_code else "no code is known"
