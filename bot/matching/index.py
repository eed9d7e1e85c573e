"""The inverted index of queries: from a paper's keys to the queries that match it."""

from collections.abc import Callable, Mapping, Sized
from itertools import permutations, product
from typing import TypeVar

from bot.matching.id_sets import IdSet, ids_in, with_id, without_id
from bot.matching.normal_form import Conjunction, NormalForm, is_sure, triggers
from bot.query import Node

Long = tuple[int, frozenset[str], frozenset[str]]
"""A conjunction of several keys: the query's id, the needed keys, the barred keys."""

Value = TypeVar("Value")


class QueryIndex:
    """Ids of queries, filed so that a look-up visits few queries that don't match.

    A conjunction with one needed key, which most have, is in `_alone` under that key. If it bars keys, `_unless` maps
    each of them to the ids to subtract: 60,000 queries `model -x` cost one subtraction for each x of the paper. A
    conjunction with two needed keys is in `_pairs`, under one and then the other; all others are in `_long` in the same
    way. The first key is the one with the fewest entries so far, so that no table grows under "model".
    """

    def __init__(self) -> None:
        self._alone: dict[str, IdSet] = {}
        self._unless: dict[str, dict[str, IdSet]] = {}
        self._pairs: dict[str, dict[str, IdSet]] = {}
        self._long: dict[str, dict[str, list[Long]]] = {}
        self._derived: dict[str, tuple[str, ...]] = {}
        """Trigger -> the derived keys that can match if it is present."""
        self._evaluated: dict[str, Node] = {}
        """Derived key -> the node to evaluate, for keys that a trigger doesn't prove."""
        self._uses: dict[str, int] = {}
        """Derived key -> number of queries that use it."""

    def matching(self, keys: set[str], matches: Callable[[Node], bool]) -> set[int]:
        """Return ids of the queries that match a paper with these keys; `matches` evaluates what keys can't decide."""
        keys = keys | self._derived_from(keys, matches)
        found: set[int] = set()
        for key in self._alone.keys() & keys:
            found.update(self._not_barred(key, keys) if key in self._unless else ids_in(self._alone[key]))
        for first in self._pairs.keys() & keys:
            seconds = self._pairs[first]
            for second in seconds.keys() & keys:
                found.update(ids_in(seconds[second]))
        for first in self._long.keys() & keys:
            for second in self._long[first].keys() & keys:
                for number, needs, bars in self._long[first][second]:
                    if needs <= keys and bars.isdisjoint(keys):
                        found.add(number)
        return found

    def _derived_from(self, keys: set[str], matches: Callable[[Node], bool]) -> set[str]:
        possible = {key for trigger in self._derived.keys() & keys for key in self._derived[trigger]}
        return {key for key in possible if key not in self._evaluated or matches(self._evaluated[key])}

    def _not_barred(self, key: str, keys: set[str]) -> set[int]:
        """The ids under `key` that none of the paper's other keys excludes."""
        found = set(ids_in(self._alone[key]))
        barred = self._unless[key]
        for bar in barred.keys() & keys:
            found.difference_update(ids_in(barred[bar]))
        return found

    def add(self, number: int, query: NormalForm) -> None:
        """Add a query under an id that isn't in use."""
        for key, node in query.derived.items():
            self._add_derived(key, node)
        for conjunction in query.conjunctions:
            needs, bars = conjunction.needs, conjunction.bars
            if _is_simple(conjunction, query):
                [need] = needs
                self._alone[need] = with_id(self._alone.get(need), number)
                for bar in bars:
                    _file(self._unless, need, bar, number)
            elif _is_pair(conjunction):
                _file(self._pairs, *_fewest_first(conjunction, self._pairs), number)
            else:
                first, second = _fewest_first(conjunction, self._long)
                self._long.setdefault(first, {}).setdefault(second, []).append((number, needs, bars))

    def remove(self, number: int, query: NormalForm) -> None:
        """Remove a query that was added under this id."""
        for key, node in query.derived.items():
            self._remove_derived(key, node)
        for conjunction in query.conjunctions:
            if _is_simple(conjunction, query):
                [need] = conjunction.needs
                _put(self._alone, need, without_id(self._alone[need], number))
                for bar in conjunction.bars:
                    _unfile(self._unless, need, bar, number)
            elif _is_pair(conjunction):
                for first, second in permutations(conjunction.needs):
                    _unfile(self._pairs, first, second, number)
            else:
                for first, second in product(conjunction.needs, repeat=2):
                    self._remove_long(first, second, number)

    def _remove_long(self, first: str, second: str, number: int) -> None:
        entries = self._long.get(first, {}).get(second, [])
        entries[:] = [entry for entry in entries if entry[0] != number]
        if not entries:
            self._long.get(first, {}).pop(second, None)
            _put(self._long, first, self._long.get(first) or None)

    def _add_derived(self, key: str, node: Node) -> None:
        self._uses[key] = self._uses.get(key, 0) + 1
        if self._uses[key] > 1:
            return
        if not is_sure(node):
            self._evaluated[key] = node
        for trigger in triggers(node):
            self._derived[trigger] = (*self._derived.get(trigger, ()), key)

    def _remove_derived(self, key: str, node: Node) -> None:
        self._uses[key] -= 1
        if self._uses[key]:
            return
        del self._uses[key]
        self._evaluated.pop(key, None)
        for trigger in triggers(node):
            _put(
                self._derived,
                trigger,
                tuple(other for other in self._derived[trigger] if other != key) or None,
            )


def _is_simple(conjunction: Conjunction, query: NormalForm) -> bool:
    """Whether it has one needed key; with bars, only if it is the query's only conjunction.

    `_unless` subtracts the query's id, which must not undo a match of another conjunction.
    """
    return len(conjunction.needs) == 1 and (not conjunction.bars or len(query.conjunctions) == 1)


def _is_pair(conjunction: Conjunction) -> bool:
    return len(conjunction.needs) == 2 and not conjunction.bars


def _fewest_first(conjunction: Conjunction, table: Mapping[str, Sized]) -> tuple[str, str]:
    """Two of the needed keys (the same one twice if there is only one), the less used one first."""
    first, *others = sorted(conjunction.needs, key=lambda key: (len(table.get(key, ())), -len(key), key))
    return first, others[0] if others else first


def _file(table: dict[str, dict[str, IdSet]], first: str, second: str, number: int) -> None:
    inner = table.setdefault(first, {})
    inner[second] = with_id(inner.get(second), number)


def _unfile(table: dict[str, dict[str, IdSet]], first: str, second: str, number: int) -> None:
    inner = table.get(first, {})
    if second in inner:
        _put(inner, second, without_id(inner[second], number))
        _put(table, first, inner or None)


def _put(table: dict[str, Value], key: str, value: Value | None) -> None:
    """Set the value, or delete the key if the value is None."""
    if value is None:
        table.pop(key, None)
    else:
        table[key] = value
