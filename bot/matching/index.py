"""Where each part of each query is filed, and how a paper's keys find it."""

from collections.abc import Callable, Mapping, Sized
from itertools import permutations, product
from typing import TypeVar

from bot.matching.id_sets import IdSet, ids_in, with_id, without_id
from bot.matching.normal_form import Conjunction, NormalForm, is_sure, triggers
from bot.query import Node

Long = tuple[int, frozenset[str], frozenset[str]]
"""A part of many keys: the query's id, what it needs, what it bars."""

Value = TypeVar("Value")


class QueryIndex:
    """Ids of queries, filed so that a paper meets few of those that it does not match.

    A part with one needed key, as most are, is in `_alone` under that key. If it bars keys, `_unless` says under
    which the id is taken out again: 60,000 times `model -x` cost one subtraction for each x that is there. A part
    with two is in `_pairs`, under one and then the other; all else is in `_long` in the same way. The first key
    is the one with the fewest parts so far, so that nothing gathers under "model".
    """

    def __init__(self) -> None:
        self._alone: dict[str, IdSet] = {}
        self._unless: dict[str, dict[str, IdSet]] = {}
        self._pairs: dict[str, dict[str, IdSet]] = {}
        self._long: dict[str, dict[str, list[Long]]] = {}
        self._derived: dict[str, tuple[str, ...]] = {}
        """Trigger -> the derived keys that may hold where it is."""
        self._asked: dict[str, Node] = {}
        """The derived keys of which a trigger does not say enough -> what to ask the paper."""
        self._uses: dict[str, int] = {}
        """Derived key -> how many queries have it."""

    def matching(self, keys: set[str], holds: Callable[[Node], bool]) -> set[int]:
        """The ids of the queries that hold for a paper with these keys; `holds` is asked what keys don't say."""
        keys = keys | self._derived_from(keys, holds)
        found: set[int] = set()
        for key in self._alone.keys() & keys:
            found.update(self._spared(key, keys) if key in self._unless else ids_in(self._alone[key]))
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

    def _derived_from(self, keys: set[str], holds: Callable[[Node], bool]) -> set[str]:
        possible = {key for trigger in self._derived.keys() & keys for key in self._derived[trigger]}
        return {key for key in possible if key not in self._asked or holds(self._asked[key])}

    def _spared(self, key: str, keys: set[str]) -> set[int]:
        """The ids under `key` that no other of the paper's keys rules out."""
        spared = set(ids_in(self._alone[key]))
        barred = self._unless[key]
        for bar in barred.keys() & keys:
            spared.difference_update(ids_in(barred[bar]))
        return spared

    def add(self, number: int, query: NormalForm) -> None:
        """File a query under its id."""
        for key, node in query.derived.items():
            self._add_derived(key, node)
        for part in query.parts:
            if _is_simple(part, query):
                [need] = part.needs
                self._alone[need] = with_id(self._alone.get(need), number)
                for bar in part.bars:
                    _file(self._unless, need, bar, number)
            elif _is_pair(part):
                _file(self._pairs, *_fewest_first(part, self._pairs), number)
            else:
                first, second = _fewest_first(part, self._long)
                self._long.setdefault(first, {}).setdefault(second, []).append(
                    (number, part.needs, part.bars)
                )

    def remove(self, number: int, query: NormalForm) -> None:
        """Take out what `add` filed."""
        for key, node in query.derived.items():
            self._remove_derived(key, node)
        for part in query.parts:
            if _is_simple(part, query):
                [need] = part.needs
                _put(self._alone, need, without_id(self._alone[need], number))
                for bar in part.bars:
                    _unfile(self._unless, need, bar, number)
            elif _is_pair(part):
                for first, second in permutations(part.needs):
                    _unfile(self._pairs, first, second, number)
            else:
                for first, second in product(part.needs, repeat=2):
                    self._remove_long(first, second, number)

    def _remove_long(self, first: str, second: str, number: int) -> None:
        parts = self._long.get(first, {}).get(second, [])
        parts[:] = [part for part in parts if part[0] != number]
        if not parts:
            self._long.get(first, {}).pop(second, None)
            _put(self._long, first, self._long.get(first) or None)

    def _add_derived(self, key: str, node: Node) -> None:
        self._uses[key] = self._uses.get(key, 0) + 1
        if self._uses[key] > 1:
            return
        if not is_sure(node):
            self._asked[key] = node
        for trigger in triggers(node):
            self._derived[trigger] = (*self._derived.get(trigger, ()), key)

    def _remove_derived(self, key: str, node: Node) -> None:
        self._uses[key] -= 1
        if self._uses[key]:
            return
        del self._uses[key]
        self._asked.pop(key, None)
        for trigger in triggers(node):
            _put(
                self._derived,
                trigger,
                tuple(other for other in self._derived[trigger] if other != key) or None,
            )


def _is_simple(part: Conjunction, query: NormalForm) -> bool:
    """One needed key. With bars too, unless another part could want under the same key what this one bars."""
    return len(part.needs) == 1 and (not part.bars or len(query.parts) == 1)


def _is_pair(part: Conjunction) -> bool:
    return len(part.needs) == 2 and not part.bars


def _fewest_first(part: Conjunction, table: Mapping[str, Sized]) -> tuple[str, str]:
    """Two of the needed keys (twice the same, if it is alone), the one that is less in use before the other."""
    first, *others = sorted(part.needs, key=lambda key: (len(table.get(key, ())), -len(key), key))
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
    """Set, or with None delete."""
    if value is None:
        table.pop(key, None)
    else:
        table[key] = value
