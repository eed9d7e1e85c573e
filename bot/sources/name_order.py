"""Puts first names first: `Roe, Ada` -> `Ada Roe`, `Roe A` -> `A. Roe`."""

import re

_PARTICLES = frozenset({
    "al", "bin", "da", "dal", "de", "degli", "dei", "del", "della", "den", "der", "di", "do", "dos",
    "du", "el", "ibn", "la", "las", "le", "los", "san", "santa", "st", "ten", "ter", "van", "vom",
    "von", "y", "zu", "zum", "zur",
})  # fmt: skip
"""Words before a surname that are part of it."""
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_INITIALS = re.compile(r"(?:[A-Z]\.?[ -]?){1,4}")
_SURNAMES = re.compile(r"[^\W\d_][^\d,.]*+")
_SMALL_LETTER = re.compile(r"[^\W\dA-Z_]")
_CAPITALS = re.compile(r"[A-Z]\.?(?:-?[A-Z]\.?){0,2}")


def first_name_first(parts: list[str], last_first: bool | None, *, single: bool) -> list[str]:
    """Return the names in the comma-separated parts of a line, or with `single` the name of one person.

    `last_first` says whether names have the form "Last, First"; None guesses.
    """
    if last_first is False or len(parts) < 2:
        return parts
    pairs = [(parts[at], parts[at + 1]) for at in range(0, len(parts) - 1, 2)]
    if len(parts) == 2:
        return [_inverted(*parts)] if last_first or _looks_inverted(*parts) else parts
    if single or last_first:
        if all(" " in part for part in parts):
            return parts
        is_name_first = " " in parts[0] and not last_first
        return parts[:1] if is_name_first else [_inverted(*parts[:2])]
    if len(parts) % 2 == 0 and all(is_surname(last) and _is_given(first) for last, first in pairs):
        return [_inverted(*pair) for pair in pairs]
    return parts


def _looks_inverted(last: str, first: str) -> bool:
    """Whether "last, first" is one person: one of them isn't a full name. Names in Han or Hangul have no blanks."""
    return (is_surname(last) or _is_given(first)) and not _UNSPACED.search(last)


def is_surname(part: str) -> bool:
    """Whether these words can be a surname: one word, after particles such as `van der`."""
    *before, _ = part.partition(", ")[0].split() or [""]
    return all(word.lower() in _PARTICLES for word in before) and not part.endswith(".")


def _is_given(part: str) -> bool:
    name = part.partition(", ")[0]
    return " " not in name or bool(_INITIALS.fullmatch(name))


def _inverted(last: str, first: str) -> str:
    last, _, suffix = last.partition(", ")
    first, _, other = first.partition(", ")
    return f"{first} {last}" + (f", {suffix or other}" if suffix or other else "")


def initials_first(names: list[str]) -> list[str]:
    """Turn "Roe AB", PubMed's form, and "Roe A.B." into `A. B. Roe`, if all names have such a form."""
    found = [_surname_and_initials(name) for name in names]
    if len(names) < 2 or not all(found):
        return names
    return [f"{_dotted(initials)} {last}" for last, initials in filter(None, found)]


def _dotted(initials: str) -> str:
    """Turn "A-MB" into `A.-M. B.`."""
    return re.sub(r"([A-Z])\.?(-?)", r"\1.\2 ", initials).replace("- ", "-").strip()


def _surname_and_initials(name: str) -> tuple[str, str] | None:
    """Split "Roe AB" into `("Roe", "AB")`. The word before the initials needs a lower-case letter, unlike "ATLAS"."""
    last, _, initials = name.rpartition(" ")
    if not _CAPITALS.fullmatch(initials) or not _SURNAMES.fullmatch(last):
        return None
    before, _, word = last.rpartition(" ")
    return (last, initials) if _SMALL_LETTER.search(word if before else word[1:]) else None
