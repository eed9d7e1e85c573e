"""Reads names from the author fields of arXiv, preprint servers and publishers.

    >>> read_authors("K. Poe (1 and 2), A. Roe$^2$ et al. ((1) Here, (2) There)")
    ('K. Poe', 'A. Roe')
    >>> read_authors("Curie, Marie; Bohr, Niels")
    ('Marie Curie', 'Niels Bohr')

Affiliations, footnote marks, degrees, addresses and "et al." are left out; a collaboration is an author, once.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from bot.sources.name_order import first_name_first, initials_first, is_surname
from bot.text import clean

MAX_LINE = 200_000
"""Maximum characters read from an author line; the 3,000 authors of the largest collaborations take 60,000."""
MAX_NAME = 300
"""Maximum length of a name in characters; longer ones are left out."""

_SEPARATOR = re.compile(r"[(){}\[\]]|[;；]|[,，、|]|:(?= )| (?:and|&|·|•|/) ")
_CLOSING = {"(": ")", "{": "}", "[": "]"}
_SUFFIX = re.compile(r"(?:jr|sr|i{2,3}|iv)\.?", re.IGNORECASE)
_DEGREE = re.compile(
    r"ph\.? ?d\.?|d\.? ?phil\.?|[mbd]\.? ?sc\.?|m\.? ?p\.? ?h\.?|m\.? ?b\.? ?b\.? ?s\.?|facs|frcp|mrcp|mbchb|pharm\.? ?d\.?|dds|dvm|md|rn",
    re.IGNORECASE,
)
_PERHAPS_DEGREE = re.compile(r"m\.? ?[ads]\.?|d\.? ?o\.?|r\. ?n\.?", re.IGNORECASE)
"""Degrees that could be initials: they are degrees only after a full name."""
_PLACE = re.compile(
    r"\b(?:universit\w{0,6}|department|dept|faculty|hospital|institute of|school of|college of)\b",
    re.IGNORECASE,
)
_GROUP = r"collaboration|consortium|working group|study group|investigators|initiative|network|team"
_GROUP_WORD = re.compile(rf" (?P<kind>{_GROUP})(?P<many>s?)(?![\w-])", re.IGNORECASE)
_ON_BEHALF = re.compile(r"(?:^|[ ,(])(?:for|on behalf of) (?:the )?", re.IGNORECASE)
_MAX_GROUP = 120
"""Maximum number of characters between "on behalf of" and "collaboration"."""
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
"""`more` only in lower case: Thomas More is a person."""
_LABEL = re.compile(r"(?:authors?(?:\(s\))?|creators?|by) ?: ?", re.IGNORECASE)
_LEAD = re.compile(r"(?:by |and |& |with |dr\.? |prof\.? )", re.IGNORECASE)
_PLACEHOLDERS = frozenset(
    {"anonymous", "unknown", "n/a", "na", "none", "no author", "author", "admin", "et al"}
)


def read_authors(lines: str | Iterable[str], *, last_first: bool | None = None) -> tuple[str, ...]:
    """Return the names in author lines, first name first, without duplicates.

    `last_first` says whether names have the form "Last, First"; None guesses. Each of several lines is one author,
    unless it lists more. Never raises.
    """
    fields = [name for line in ([lines] if isinstance(lines, str) else lines) for name in _name_lines(line)]
    names: dict[str, str] = {}
    for line in fields:
        found = list(_read_line(" ".join(line[:MAX_LINE].split()), last_first, single=len(fields) > 1))
        for name in found:
            names.setdefault(name.casefold().removeprefix("the "), name)
    joined = " ".join(" ".join(fields).split())  # "POE, Karl" was reordered above: POE aren't initials
    if last_first is None and all(name in joined for name in names.values()):
        return tuple(initials_first(list(names.values())))
    return tuple(names.values())


def _name_lines(field: str) -> Sequence[str]:
    """Split a field into lines if each is one name; else return it whole, since lines can be broken anywhere."""
    lines = [line for line in map(str.strip, field[:MAX_LINE].splitlines()) if line]
    names = [line for line in lines if not _PLACE.search(line)]
    return names if len(lines) > 1 and names and all(map(_is_one_name, names)) else (field,)


def _is_one_name(line: str) -> bool:
    last, comma, first = map(str.strip, line.partition(","))
    if comma:
        return bool(first) and "," not in first and is_surname(last)
    return " " in line and not _SEPARATOR.search(line)


def _read_line(line: str, last_first: bool | None, *, single: bool) -> Iterator[str]:
    # RSS asks for a mail address, with its owner's name in brackets.
    if (address := _ADDRESS.match(line)) and line[address.end() :].strip().startswith("("):
        line = line[address.end() :].strip().strip("()")
    line, groups = _without_groups(
        _NOTE.sub("", _LABEL.sub("", line, count=1) if _LABEL.match(line) else line)
    )
    chunks = _split(line)
    several = len(chunks) > 1
    for chunk in chunks:
        parts = _tidied(chunk)
        if not any(map(_IS_GROUP.search, parts)):
            parts = first_name_first(parts, last_first, single=several or single)
        yield from filter(None, map(_name, parts))
    yield from groups


def _split(line: str) -> list[list[str]]:
    """Split the line at semicolons, and each piece at commas, "and", and the colon after a collaboration.

    Nothing is split within brackets. Unmatched brackets count as text.
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
    """Return the end of each pair of brackets, by its start."""
    stack: list[int] = []
    ends: dict[int, int] = {}
    for found in re.finditer(r"[(){}\[\]]", line):
        if found[0] in _CLOSING:
            stack.append(found.start())
        elif stack and _CLOSING[line[stack[-1]]] == found[0]:
            ends[stack.pop()] = found.end()
    return ends


def _tidied(chunk: Sequence[str]) -> list[str]:
    """Return the parts that belong to names, without brackets after them."""
    parts: list[str] = []
    for raw in chunk:
        part = _without_brackets(raw).strip(_MARKS)
        if _SUFFIX.fullmatch(part) and parts:
            parts[-1] += f", {part}"
        elif part and not _is_not_a_name(part, parts):
            parts.append(part)
    return parts


def _is_not_a_name(part: str, before: Sequence[str]) -> bool:
    """Whether a part after a name is a degree, a place or "and others"."""
    if _DEGREE.fullmatch(part):
        return True
    if not before:
        return False
    follows_full_name = " " in before[-1]
    return bool(
        (follows_full_name and _PERHAPS_DEGREE.fullmatch(part))
        or _OTHERS.fullmatch(part)
        or _PLACE.search(part)
    )


def _without_brackets(part: str) -> str:
    matching = _matching(part)
    openers = {end: at for at, end in matching.items()}
    while (part := part.rstrip(_MARKS)).endswith((")", "]")) and len(part) in openers:
        part = part[: openers[len(part)]]
    opened = max(part.rfind("("), part.rfind("["))
    if opened > 0 and opened not in matching:  # truncated
        part = part[:opened]
    return part.strip()


def _without_groups(line: str) -> tuple[str, list[str]]:
    """Split "for the CDF and D0 Collaborations" off the line, as `CDF Collaboration` and `D0 Collaboration`."""
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


def _name(raw: str) -> str:
    """Return one name in plain text; empty if it isn't a name."""
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
    is_name = any(map(str.isalpha, text)) and text.casefold().rstrip(".") not in _PLACEHOLDERS
    return text if is_name else ""
