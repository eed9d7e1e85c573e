"""A query in disjunctive normal form, over keys."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

from bot.matching.keys import LONGEST_RUN, key_of, triggers_of
from bot.query.nodes import And, Node, Not, Or, Person, Phrase
from bot.query.variants import variants_of

MAX_CONJUNCTIONS = 64
"""Maximum number of conjunctions of a query. With more, it becomes a single derived key, evaluated as a whole if one of
its triggers is present."""


@dataclass(frozen=True, slots=True)
class Conjunction:
    """Matches a paper that has all keys of `needs` (at least one) and none of `bars`."""

    needs: frozenset[str]
    bars: frozenset[str]


@dataclass(frozen=True, slots=True)
class NormalForm:
    """The conjunctions, and their derived keys with the nodes that these stand for."""

    conjunctions: tuple[Conjunction, ...]
    derived: dict[str, Node]


def normal_form(root: Node) -> NormalForm:
    """Return the normal form of `root`, which must be anchored."""
    derived: dict[str, Node] = {}
    if _count(root, wanted=True) > MAX_CONJUNCTIONS:
        key = derived_key(root)
        return NormalForm((Conjunction(frozenset([key]), frozenset()),), {key: root})
    found = dict.fromkeys(_conjunctions(root, derived, wanted=True))
    possible = tuple(each for each in found if not each.needs & each.bars)
    return NormalForm(possible, derived)


def derived_key(node: Node) -> str:
    """Return the key that stands for `node`. Papers only get it by evaluation."""
    return f"~{node}"


def triggers(node: Node, *, wanted: bool = True) -> set[str]:
    """Return keys of which a paper has at least one if `node` matches (if it doesn't match, with `wanted` false)."""
    match node:
        case Not(inner):
            return triggers(inner, wanted=not wanted)
        case And(nodes) | Or(nodes):
            found = [triggers(part, wanted=wanted) for part in nodes]
            if isinstance(node, And) == wanted:  # all must match: the one with the fewest keys is enough
                return min((keys for keys in found if keys), key=len, default=set())
            return set().union(*found) if all(found) else set()
        case _:
            return triggers_of(node) if wanted else set()


def is_sure(node: Node) -> bool:
    """Whether each trigger alone proves that `node` matches."""
    match node:
        case Phrase(field="abs") | Phrase(exact=True) | Person(is_whole=True):
            return False
        case Phrase() | Person():
            return max(map(len, variants_of(node))) <= LONGEST_RUN
        case _:
            return False


def _conjunctions(node: Node, derived: dict[str, Node], *, wanted: bool) -> list[Conjunction]:
    match node:
        case Not(inner):
            return _conjunctions(inner, derived, wanted=not wanted)
        case And(nodes) | Or(nodes):
            alternatives = [_conjunctions(part, derived, wanted=wanted) for part in nodes]
            if isinstance(node, And) == wanted:
                return [_both(choice) for choice in product(*alternatives)]
            return [part for parts in alternatives for part in parts]
        case _:
            key = key_of(node)
            if key is None:
                key = derived_key(node)
                derived[key] = node
            keys = frozenset([key])
            return [Conjunction(keys, frozenset()) if wanted else Conjunction(frozenset(), keys)]


def _both(parts: Iterable[Conjunction]) -> Conjunction:
    parts = list(parts)
    return Conjunction(
        frozenset().union(*(p.needs for p in parts)), frozenset().union(*(p.bars for p in parts))
    )


def _count(node: Node, *, wanted: bool) -> int:
    match node:
        case Not(inner):
            return _count(inner, wanted=not wanted)
        case And(nodes) | Or(nodes):
            count = 1 if isinstance(node, And) == wanted else 0
            for part in nodes:
                of_part = _count(part, wanted=wanted)
                count = count * of_part if isinstance(node, And) == wanted else count + of_part
            return count
        case _:
            return 1
