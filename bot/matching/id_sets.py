"""Sets of integers that take eight bytes each: most sets have one element, and a few have a million.

A set of one element is the integer itself; a larger one is a sorted array. Both change in microseconds: the position is
found by bisection, and moving a million integers is one `memmove`.
"""

from array import array
from bisect import bisect_left
from collections.abc import MutableSequence, Sequence

IdSet = int | MutableSequence[int]


def with_id(ids: IdSet | None, number: int) -> IdSet:
    """Return `ids` with `number`. An array is changed in place."""
    if ids is None or ids == number:
        return number
    if isinstance(ids, int):
        return array("Q", sorted((ids, number)))
    place = bisect_left(ids, number)
    if place == len(ids) or ids[place] != number:
        ids.insert(place, number)
    return ids


def without_id(ids: IdSet, number: int) -> IdSet | None:
    """Return `ids` without `number`, or None if that leaves it empty. An array is changed in place."""
    if isinstance(ids, int):
        return None if ids == number else ids
    place = bisect_left(ids, number)
    if place < len(ids) and ids[place] == number:
        del ids[place]
    return ids if len(ids) > 1 else ids[0]


def ids_in(ids: IdSet) -> Sequence[int]:
    """Return the elements in ascending order."""
    return (ids,) if isinstance(ids, int) else ids


def first_from(ids: IdSet | None, least: int) -> int | None:
    """Return the smallest element that is at least `least`, or None."""
    if ids is None or isinstance(ids, int):
        return None if ids is None or ids < least else ids
    place = bisect_left(ids, least)
    return ids[place] if place < len(ids) else None
