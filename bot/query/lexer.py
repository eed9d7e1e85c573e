"""Splits a query into operators, brackets, and words with their field and signs."""

import re
from dataclasses import dataclass
from typing import Literal

from bot.domain.errors import UserError

Kind = Literal["(", ")", "or", "and", "not", "word", "end"]

_NARROW = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)} | str.maketrans(
    "、،﹣「」『』〝〟", ",,-" + '"' * 6
)
"""Full-width characters of Chinese and Japanese keyboards -> the usual ones. Each is one character: positions stay."""
_QUOTES = '"“”„‟«»'
_MINUSES = "-−–—"
_PUNCTUATION: dict[str, Kind] = {"(": "(", ")": ")", ",": "or"}
_OPERATORS: dict[str, Kind] = {"OR": "or", "AND": "and", "NOT": "not"}
_SPACE = re.compile(r"\s*")
_WORD = re.compile(
    rf"(?:(?P<field>[A-Za-z]+):(?!//))?(?P<exact>=)?"
    rf"(?:[{_QUOTES}](?P<phrase>[^{_QUOTES}]*)(?P<closed>[{_QUOTES}])?|(?P<bare>[^\s(),{_QUOTES}]*))"
)
_BRACKETED = re.compile(rf"(?:[^\s(),{_QUOTES}]++|\([^\s(),{_QUOTES}]*+\))*+")
"""An identifier with brackets, as in some DOIs: `10.1016/S0140-6736(20)30183-5`."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A token of a query."""

    kind: Kind
    at: tuple[int, int]
    """Start and end in the typed text."""
    field: str = ""
    exact: bool = False
    quoted: bool = False
    text: str = ""


def narrow(typed: str) -> str:
    """Replace full-width operators and brackets by the usual ones. Positions stay the same."""
    return typed if typed.isascii() else typed.translate(_NARROW)


def capitalized(typed: str) -> str | None:
    """Return `typed` with lower-case `or`, `and` and `not` between words as operators; None if there are none.

    They can be operators or plain words, so users are asked.
    """
    found = pieces(typed)
    text = narrow(typed)
    for before, piece, behind in reversed(list(zip(found, found[1:], found[2:], strict=False))):
        name = piece.text.upper()
        is_bare = piece.kind == "word" and not (piece.field or piece.exact or piece.quoted)
        adjoins = before.kind in ("word", ")") or (name == "NOT" and before.kind in ("and", "or"))
        if is_bare and name in _OPERATORS and adjoins and behind.kind in ("word", "(", "not"):
            text = text[: piece.at[0]] + name + text[piece.at[1] :]
    return text if text != narrow(typed) else None


def pieces(typed: str) -> list[Piece]:
    """Split `typed` into pieces; the last one is always the end. Raises UserError if a closing quote is missing."""
    typed = narrow(typed)
    found: list[Piece] = []
    place = _end_of_space(typed, 0)
    while place < len(typed):
        found.append(_piece(typed, place))
        place = _end_of_space(typed, found[-1].at[1])
    return [*found, Piece("end", (len(typed), len(typed)))]


def _piece(typed: str, place: int) -> Piece:
    char = typed[place]
    if char in _PUNCTUATION:
        return Piece(_PUNCTUATION[char], (place, place + 1), text=char)
    if char in _MINUSES and (place == 0 or typed[place - 1].isspace() or typed[place - 1] in _PUNCTUATION):
        return Piece("not", (place, place + 1), text=char)
    return _word(typed, place)


def _word(typed: str, place: int) -> Piece:
    word = _WORD.match(typed, place)
    if word is None or word.end() == place:  # unreachable: every character starts a piece
        raise UserError(f"I can't read “{typed[place]}”.", at=(place, place + 1))
    if word["phrase"] is not None and word["closed"] is None:
        start = word.start("phrase") - 1
        phrase = word["phrase"].strip()
        hint = f'{typed[:start]}"{phrase}"' if phrase else typed[:start].strip()
        raise UserError("Missing closing quote.", hint=hint, at=(start, len(typed)))
    if word[0] in _OPERATORS:
        return Piece(_OPERATORS[word[0]], word.span(), text=word[0])
    text, end = word["phrase"], word.end()
    if text is None:
        text = word["bare"]
        if (
            text
            and (word["field"] or "").lower() == "id"
            and (whole := _BRACKETED.match(typed, word.start("bare")))
        ):
            text, end = whole[0], whole.end()
    return Piece(
        "word",
        (place, end),
        field=word["field"] or "",
        exact=word["exact"] is not None,
        quoted=word["phrase"] is not None,
        text=text,
    )


def _end_of_space(typed: str, place: int) -> int:
    space = _SPACE.match(typed, place)
    return space.end() if space else place
