"""Reads author lines: the names in what arXiv, preprint servers and publishers write in their author fields.

    >>> read_authors("K. Poe (1 and 2), A. Roe$^2$ et al. ((1) Here, (2) There)")
    ('K. Poe', 'A. Roe')
    >>> read_authors("Curie, Marie; Bohr, Niels")
    ('Marie Curie', 'Niels Bohr')

Affiliations, footnote marks, degrees, addresses and "et al." are left out; a collaboration is an author, once.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from bot.text import clean

MAX_LINE = 200_000
"""Characters of an author line; the 3,000 authors of the largest collaborations take 60,000."""
MAX_NAME = 300
"""Characters of a name; longer ones are left out."""

_SEPARATOR = re.compile(r"[(){}\[\]]|[;；]|[,，、|]|:(?= )| (?:and|&|·|•|/) ")
_CLOSING = {"(": ")", "{": "}", "[": "]"}
_SUFFIX = re.compile(r"(?:jr|sr|i{2,3}|iv)\.?", re.IGNORECASE)
_DEGREE = re.compile(
    r"ph\.? ?d\.?|d\.? ?phil\.?|[mbd]\.? ?sc\.?|m\.? ?p\.? ?h\.?|m\.? ?b\.? ?b\.? ?s\.?|facs|frcp|mrcp|mbchb|pharm\.? ?d\.?|dds|dvm|md|rn",
    re.IGNORECASE,
)
_PERHAPS_DEGREE = re.compile(r"m\.? ?[ads]\.?|d\.? ?o\.?|r\. ?n\.?", re.IGNORECASE)
"""Degrees that may be initials: they count behind a full name only."""
_PLACE = re.compile(
    r"\b(?:universit\w{0,6}|department|dept|faculty|hospital|institute of|school of|college of)\b",
    re.IGNORECASE,
)
_GROUP = r"collaboration|consortium|working group|study group|investigators|initiative|network|team"
_GROUP_WORD = re.compile(rf" (?P<kind>{_GROUP})(?P<many>s?)(?![\w-])", re.IGNORECASE)
_ON_BEHALF = re.compile(r"(?:^|[ ,(])(?:for|on behalf of) (?:the )?", re.IGNORECASE)
_MAX_GROUP = 120
"""Characters between "on behalf of" and "collaboration"."""
_IS_GROUP = re.compile(rf"\b(?:{_GROUP})s?$", re.IGNORECASE)
_NOTE = re.compile(
    r"\\(?:thanks|footnote|footnotemark|inst|affil|textsuperscript|orcidlink|orcid|email|altaffilmark) ?(?:\[[^][{}]*\] ?)?\{[^{}]*\}"
    r"|\$ ?\{?\}? ?\^ ?(?:\{[^{}$]*\}|\\?\w+|.) ?\$|\^\{[^{}]*\}|<[^<>@]{0,100}@[^<>@]{0,100}>|https?://[^\s()\[\],;]+|\b[0-9]{4}-[0-9]{4}-[0-9]{4}-[0-9]{3}[0-9Xx]\b"
)
"""Footnotes, addresses and ORCID iDs within a name."""
_ADDRESS = re.compile(r"[^\s@()<>,;]{1,100}@[^\s@()<>,;]{1,100}")
_MARKS = "¹²³⁴⁵⁶⁷⁸⁹⁰⁺⁻⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱ*∗⋆★✉†‡§¶#∥‖^~ ,;:/|"
_NUMBER = re.compile(r"(?<=[^\W\dA-Z_])[0-9]{1,2}$| [0-9]{1,2}$")
_OTHERS = re.compile(
    r"(?:^|[ ,])(?:et\.? al(?:ii|ia)?\b\.?|(?:and )?(?:[0-9]{1,4} |many )?(?:others|(?-i:more)|co-?authors)|…|\.\.\.)$",
    re.IGNORECASE,
)
"""`more` in small letters only: Thomas More is a person."""
_LABEL = re.compile(r"(?:authors?(?:\(s\))?|creators?|by) ?: ?", re.IGNORECASE)
_LEAD = re.compile(r"(?:by |and |& |with |dr\.? |prof\.? )", re.IGNORECASE)
_NOBODY = frozenset({"anonymous", "unknown", "n/a", "na", "none", "no author", "author", "admin", "et al"})
_PARTICLES = frozenset(
    [
        "al",
        "bin",
        "da",
        "dal",
        "de",
        "degli",
        "dei",
        "del",
        "della",
        "den",
        "der",
        "di",
        "do",
        "dos",
        "du",
        "el",
        "ibn",
        "la",
        "las",
        "le",
        "los",
        "san",
        "santa",
        "st",
        "ten",
        "ter",
        "van",
        "vom",
        "von",
        "y",
        "zu",
        "zum",
        "zur",
    ]
)
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_INITIALS = re.compile(r"(?:[A-Z]\.?[ -]?){1,4}")
_SURNAMES = re.compile(r"[^\W\d_][^\d,.]*+")
_SMALL_LETTER = re.compile(r"[^\W\dA-Z_]")
_CAPITALS = re.compile(r"[A-Z]\.?(?:-?[A-Z]\.?){0,2}")


def read_authors(lines: str | Iterable[str], *, last_first: bool | None = None) -> tuple[str, ...]:
    """The names in author lines, as one says them, each once.

    `last_first` says whether each name is written "Last, First"; None guesses. Several lines are an author each,
    unless a line lists more. Never raises.
    """
    fields = [one for line in ([lines] if isinstance(lines, str) else lines) for one in _on_lines(line)]
    names: dict[str, str] = {}
    for line in fields:
        found = list(_read_line(" ".join(line[:MAX_LINE].split()), last_first, single=len(fields) > 1))
        for name in found:
            names.setdefault(name.casefold().removeprefix("the "), name)
    written = " ".join(" ".join(fields).split())  # "POE, Karl" is turned already, and POE are no initials
    if last_first is None and all(name in written for name in names.values()):
        return tuple(_initials_first(list(names.values())))
    return tuple(names.values())


def _on_lines(field: str) -> Sequence[str]:
    """A field's lines where each is one name; else all of it, for lines are also broken anywhere."""
    lines = [line for line in map(str.strip, field[:MAX_LINE].splitlines()) if line]
    names = [line for line in lines if not _PLACE.search(line)]
    return names if len(lines) > 1 and names and all(map(_is_one_name, names)) else (field,)


def _is_one_name(line: str) -> bool:
    last, comma, first = map(str.strip, line.partition(","))
    if comma:
        return bool(first) and "," not in first and _is_surname(last)
    return " " in line and not _SEPARATOR.search(line)


def _read_line(line: str, last_first: bool | None, *, single: bool) -> Iterator[str]:
    # A mail address and, in brackets, whose it is: what RSS asks for.
    if (address := _ADDRESS.match(line)) and line[address.end() :].strip().startswith("("):
        line = line[address.end() :].strip().strip("()")
    line, groups = _without_groups(
        _NOTE.sub("", _LABEL.sub("", line, count=1) if _LABEL.match(line) else line)
    )
    chunks = _split(line)
    several = len(chunks) > 1
    for chunk in chunks:
        for raw in _persons(_tidied(chunk), last_first, single=several or single):
            if name := _name(raw):
                yield name
    yield from groups


def _split(line: str) -> list[list[str]]:
    """The line cut at semicolons, and each piece at commas, "and", and the colon after a collaboration.

    Nothing is cut within brackets. Brackets that don't match are taken as text.
    """
    chunks: list[list[str]] = [[]]
    start = end = 0
    closed_by = _matching(line)
    for found in _SEPARATOR.finditer(line):
        if found.start() < end:
            continue
        if found[0] in "(){}[]":
            end = closed_by.get(found.start(), end)
            continue
        chunks[-1].append(line[start : found.start()])
        start = end = found.end()
        if found[0] in ";；":
            chunks.append([])
    chunks[-1].append(line[start:])
    return [chunk for chunk in chunks if any(part.strip() for part in chunk)]


def _matching(line: str) -> dict[int, int]:
    """Where each bracket that has a partner ends."""
    stack: list[int] = []
    ends: dict[int, int] = {}
    for found in re.finditer(r"[(){}\[\]]", line):
        if found[0] in _CLOSING:
            stack.append(found.start())
        elif stack and _CLOSING[line[stack[-1]]] == found[0]:
            ends[stack.pop()] = found.end()
    return ends


def _tidied(chunk: Sequence[str]) -> list[str]:
    """The parts that belong to names, without what stands in brackets behind them."""
    parts: list[str] = []
    for raw in chunk:
        part = _without_brackets(raw).strip(_MARKS)
        if _SUFFIX.fullmatch(part) and parts:
            parts[-1] += f", {part}"
        elif part and not _is_no_name(part, parts):
            parts.append(part)
    return parts


def _is_no_name(part: str, before: Sequence[str]) -> bool:
    """Whether a part behind a name is a degree, a place or "and others"."""
    if _DEGREE.fullmatch(part):
        return True
    if not before:
        return False
    is_behind_name = " " in before[-1]
    return bool(
        (is_behind_name and _PERHAPS_DEGREE.fullmatch(part)) or _OTHERS.fullmatch(part) or _PLACE.search(part)
    )


def _without_brackets(part: str) -> str:
    matching = _matching(part)
    openers = {end: at for at, end in matching.items()}
    while (part := part.rstrip(_MARKS)).endswith((")", "]")) and len(part) in openers:
        part = part[: openers[len(part)]]
    opened = max(part.rfind("("), part.rfind("["))
    if opened > 0 and opened not in matching:  # cut off
        part = part[:opened]
    return part.strip()


def _without_groups(line: str) -> tuple[str, list[str]]:
    """The line without "for the CDF and D0 Collaborations", and `CDF Collaboration` and `D0 Collaboration`."""
    parts: list[str] = []
    groups: list[str] = []
    done = 0
    for word in _GROUP_WORD.finditer(line):
        start = max(done, word.start() - _MAX_GROUP)
        behalf = max(_ON_BEHALF.finditer(line, start, word.start() + 1), key=re.Match.start, default=None)
        names = line[behalf.end() : word.start()] if behalf else ""
        if not behalf or re.search(r"[,;:()]", names):
            continue
        kind = word["kind"][:1].upper() + word["kind"][1:].lower()
        found = re.split(r" (?:and|&) (?:the )?", names) if word["many"] else [names]
        groups += [f"{plain} {kind}" for name in found if (plain := clean(name).strip(_MARKS))]
        parts.append(line[done : behalf.start() + line[behalf.start()].count("(")])
        done = word.end()
    return ", ".join((*parts, line[done:])), groups


def _persons(parts: list[str], last_first: bool | None, *, single: bool) -> list[str]:
    """Names of persons from the comma-separated parts of one line, or with `single` of one person."""
    if last_first is False or len(parts) < 2 or any(map(_IS_GROUP.search, parts)):
        return parts
    pairs = [(parts[at], parts[at + 1]) for at in range(0, len(parts) - 1, 2)]
    if len(parts) == 2:
        return [_inverted(*parts)] if last_first or _looks_inverted(*parts) else parts
    if single or last_first:
        is_name_first = " " in parts[0] and not last_first
        return (
            parts
            if all(" " in part for part in parts)
            else parts[:1]
            if is_name_first
            else [_inverted(*parts[:2])]
        )
    if len(parts) % 2 == 0 and all(_is_surname(last) and _is_given(first) for last, first in pairs):
        return [_inverted(*pair) for pair in pairs]
    return parts


def _looks_inverted(last: str, first: str) -> bool:
    """Whether "last, first" is one person: one of them is no full name. Names in Han or Hangul have no blanks."""
    return (_is_surname(last) or _is_given(first)) and not _UNSPACED.search(last)


def _is_surname(part: str) -> bool:
    *before, _ = part.partition(", ")[0].split() or [""]
    return all(word.lower() in _PARTICLES for word in before) and not part.endswith(".")


def _is_given(part: str) -> bool:
    written = part.partition(", ")[0]
    return " " not in written or bool(_INITIALS.fullmatch(written))


def _inverted(last: str, first: str) -> str:
    last, _, suffix = last.partition(", ")
    first, _, other = first.partition(", ")
    return f"{first} {last}" + (f", {suffix or other}" if suffix or other else "")


def _name(raw: str) -> str:
    """One name in plain text; empty for what is none."""
    if len(raw) > MAX_NAME:
        return ""
    text = _ADDRESS.sub("", clean(raw)).strip(_MARKS)
    while lead := _LEAD.match(text):
        text = text[lead.end() :]
    text = _OTHERS.sub("", text).strip(_MARKS)
    if " " in text:
        text = _NUMBER.sub("", text).strip(_MARKS)
    if _IS_GROUP.search(text):
        text = re.sub(r"^the ", "", text, flags=re.IGNORECASE)
    is_name = any(map(str.isalpha, text)) and text.casefold().rstrip(".") not in _NOBODY
    return text if is_name else ""


def _initials_first(names: list[str]) -> list[str]:
    """`A. B. Roe` for "Roe AB", as PubMed writes, and for "Roe A.B.", where all names are written so."""
    found = [_surname_and_initials(name) for name in names]
    if len(names) < 2 or not all(found):
        return names
    return [f"{_dotted(initials)} {last}" for last, initials in filter(None, found)]


def _dotted(initials: str) -> str:
    """`A.-M. B.` for "A-MB"."""
    return re.sub(r"([A-Z])\.?(-?)", r"\1.\2 ", initials).replace("- ", "-").strip()


def _surname_and_initials(name: str) -> tuple[str, str] | None:
    """`("Roe", "AB")` for "Roe AB". The word before the initials has a small letter, unlike "ATLAS"."""
    last, _, initials = name.rpartition(" ")
    if not _CAPITALS.fullmatch(initials) or not _SURNAMES.fullmatch(last):
        return None
    before, _, word = last.rpartition(" ")
    return (last, initials) if _SMALL_LETTER.search(word if before else word[1:]) else None
