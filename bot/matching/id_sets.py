"""Sorted collections of numbers that take eight bytes a number: most hold one, and a few hold a million.

One number is the number itself; more are a sorted array. Both change in microseconds: a place is found by
halving, and moving a million numbers aside is one `memmove`.
"""

from array import array
from bisect import bisect_left
from collections.abc import MutableSequence, Sequence

IdSet = int | MutableSequence[int]


def with_id(bucket: IdSet | None, number: int) -> IdSet:
    """The bucket with `number` in it, once."""
    if bucket is None or bucket == number:
        return number
    if isinstance(bucket, int):
        return array("Q", sorted((bucket, number)))
    place = bisect_left(bucket, number)
    if place == len(bucket) or bucket[place] != number:
        bucket.insert(place, number)
    return bucket


def without_id(bucket: IdSet, number: int) -> IdSet | None:
    """The bucket without `number`; None where nothing is left."""
    if isinstance(bucket, int):
        return None if bucket == number else bucket
    place = bisect_left(bucket, number)
    if place < len(bucket) and bucket[place] == number:
        del bucket[place]
    return bucket if len(bucket) > 1 else bucket[0]


def ids_in(bucket: IdSet) -> Sequence[int]:
    """What is in it, in rising order."""
    return (bucket,) if isinstance(bucket, int) else bucket


def first_from(bucket: IdSet | None, least: int) -> int | None:
    """The smallest number in it that is `least` or more."""
    if bucket is None or isinstance(bucket, int):
        return None if bucket is None or bucket < least else bucket
    place = bisect_left(bucket, least)
    return bucket[place] if place < len(bucket) else None
