"""Compares names of people: decides whether two spellings can be the same person's.

>>> agree(readings(spelled("Lovelace, Ada")), readings(spelled("A. B. Lovelace")))
True
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from bot.text.words import spell

PARTICLES = frozenset({
    "al", "bin", "da", "dal", "de", "del", "della", "den", "der", "di", "dos", "du", "el", "ibn", "la", "le", "ten", "ter",
    "van", "vande", "vom", "von", "zu", "zum", "zur",
})  # fmt: skip
"""Words before a family name, which can be part of it."""
_OPTIONAL = PARTICLES - {"al", "bin", "ibn", "la", "le"}
"""Particles that some people leave out. The others are also given names."""
_SUFFIXES = frozenset({"jr", "sr", "ii", "iii", "iv"})
LONGEST_FAMILY = 3
"""Maximum number of words of a family name: `van der Maaten`, `Ben-David`."""


_EAST_ASIAN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff々 ]+")
_UMLAUT = re.compile("([aou])e(?=[b-df-hj-np-tv-z][a-z])")
"""In family names: Schoelkopf is Schölkopf, but Boer, which ends in a single consonant, stays."""
_UMLAUT_IN_GIVEN = re.compile(
    "(o)e(?=[b-df-hj-np-tv-z][a-z])|(?<=\\bj)(u)e(?=r)|(?<=\\bg)(u)e(?=nt)|(?<=\\br)(u)e(?=d)"
)
"""In given names: Søren, Jürgen, Günther, Rüdiger; but not Daehun, Yueming and Michael."""
_VOWELS = frozenset("aeiouy")
_NO_INITIALS = frozenset({"jr", "md", "mst", "ng", "sr", "st"})
"""Names without a vowel that aren't initials; `Md` is short for Mohammed."""


class Reading(NamedTuple):
    """A name, with one guess where the family name begins."""

    given: tuple[str, ...]
    """The words of the given names, split at hyphens."""
    goes_on: tuple[bool, ...]
    """For each of these words, whether a hyphen joins it to the next."""
    family: str
    """The words of the family name, joined."""


def given_first(name: str) -> str:
    """Return `Lovelace, Ada` as `Ada Lovelace`, Chinese and Japanese names without spaces, and others unchanged."""
    if _EAST_ASIAN.fullmatch(name):
        return "".join(name.split())
    family, comma, given = name.partition(",")
    if not comma or "," in given or not given.strip() or given.strip(" .").casefold() in _SUFFIXES:
        return name
    return f"{given.strip()} {family.strip()}"


def spelled(name: str) -> str:
    """Return a name in its simplest spelling, given names first, for comparisons."""
    return " ".join(spell(given_first(name)))


def is_whole(name: str) -> bool:
    """Whether a spelled name has given and family names, and isn't a family name alone, such as `van den oord`."""
    first, space, _ = name.partition(" ")
    return bool(space) and first not in PARTICLES


@lru_cache(maxsize=16_384)
def readings(name: str) -> tuple[Reading, ...]:
    """Return the readings of a spelled name: with a family name of one word, of two, and of three.

    The first half of a hyphenated family name can stand alone: Müller for Müller-Lüdenscheidt.
    """
    return tuple(_readings(name))


def agree(some: Sequence[Reading], others: Sequence[Reading]) -> bool:
    """Whether two names can be one person's: the same family name, and given names that don't contradict each other.

    An initial matches a name that begins with it, and middle names can be missing.
    """
    return any(_agrees(one, other) for one in some for other in others)


def keys_of_name(name: str) -> set[str]:
    """Return the keys of a spelled name, such as `lovelace~a`. Names that can be the same have a key in common."""
    return {f"{reading.family}~{reading.given[0][0]}" for reading in readings(name)}


def _readings(name: str) -> Iterator[Reading]:
    words = name.split()
    while len(words) > 2 and words[-1] in _SUFFIXES:
        words.pop()
    hyphenated = [[part for part in word.split("-") if part] for word in words]
    hyphenated = [_initials(word) for word in hyphenated[:-1]] + hyphenated[-1:]
    parts = [(part, n < len(word)) for word in hyphenated for n, part in enumerate(word, 1)]
    for length in range(1, min(LONGEST_FAMILY, len(parts) - 1) + 1):
        family = "".join(part for part, _ in parts[len(parts) - length :])
        yield _reading(parts[: len(parts) - length], family)
    halves = hyphenated[-1] if len(words) > 1 else []
    if 1 < len(halves) < len(parts):
        yield _reading(parts[: len(parts) - len(halves)], halves[0])


def _initials(word: list[str]) -> list[str]:
    """`JB` as `J` and `B`: a short name without a vowel is initials."""
    glued = len(word) == 1 and 1 < len(word[0]) < 4 and word[0].isalpha() and not _VOWELS & set(word[0])
    return list(word[0]) if glued and word[0] not in _NO_INITIALS else word


def _reading(given: Sequence[tuple[str, bool]], family: str) -> Reading:
    used = [word for n, word in enumerate(given) if n == 0 or word[0] not in _OPTIONAL]
    names = tuple(_UMLAUT_IN_GIVEN.sub(r"\1\2\3\4", part) for part, _ in used)
    return Reading(names, tuple(joined for _, joined in used), _UMLAUT.sub(r"\1", family))


def _agrees(one: Reading, other: Reading) -> bool:
    if one.family != other.family:
        return False
    if "".join(one.given) == "".join(other.given):
        return True
    short, long = sorted((one, other), key=lambda reading: len(reading.given))
    if not all(_stands_for(a, b) for a, b in zip(short.given, long.given, strict=False)):
        return False
    return len(short.given) == len(long.given) or _can_leave_out(short.given, long)


def _can_leave_out(given: Sequence[str], long: Reading) -> bool:
    """Whether `long` can be shortened to these given names: Ming Li isn't Ming-Feng Li, nor Carl Liu C. Karen Liu."""
    if len(given[-1]) == 1:
        return True
    goes_by_middle_name = len(long.given[0]) == 1 and len(long.given[1]) > 1
    return not (long.goes_on[len(given) - 1] or goes_by_middle_name)


def _stands_for(one: str, other: str) -> bool:
    if len(one) > 1 and len(other) > 1:
        return one == other
    return one[0] == other[0]
