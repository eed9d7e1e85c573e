"""Replies to commands that failed."""

import unicodedata

from bot.cards import Block, Button, Card
from bot.cards.build import actions, code, paragraph
from bot.cards.paper import NOTICE
from bot.cards.sanitize import plain
from bot.domain.errors import UserError
from bot.text import shorten

AROUND = 30
"""Characters shown on either side of a mistake."""
SLASH = "/paper "


def error_card(error: UserError, typed: str = "", offer: Button | None = None) -> Card:
    """Build a card with a friendly line, `typed` with carets under the mistake, the hint, and a button for it."""
    message = plain(str(error))
    mistake = (paragraph(code(pointed(typed, error.at))),) if error.at is not None and typed else ()
    hint = plain(error.hint)
    advice: tuple[Block, ...] = (
        (paragraph("Try ", code(hint)), *(actions(offer) if offer else ())) if hint else ()
    )
    blocks = (paragraph(message), *mistake, *advice)
    return Card("error", shorten(message, NOTICE), blocks=blocks)


def sorry_card(database_problem: str = "") -> Card:
    """Build a card for an error of ours, with the reason if Paperboy's own database has stopped."""
    message = "Something went wrong on our side. Please try again in a minute."
    if database_problem:
        message = (
            f"Paperboy's database has stopped: {database_problem}. It restarts automatically once that is fixed; "
            "please let the person who runs Paperboy know."
        )
    return Card("error", message, blocks=(paragraph(message),))


def pointed(typed: str, at: tuple[int, int]) -> str:
    """Return the typed line with carets under the mistake; only the part around it if the line is long."""
    start, end = (min(max(place, 0), len(typed)) for place in at)
    first = max(0, start - AROUND) if start > 2 * AROUND else 0
    last = min(len(typed), max(start, end) + AROUND)
    before = ("…" if first else "") + typed[first:start]
    line = before + typed[start:last] + ("…" if last < len(typed) else "")
    return point_at(line, (len(before), len(before) + end - start))


def point_at(text: str, at: tuple[int, int]) -> str:
    """Return two lines for a monospaced font: the text, and carets under the mistake."""
    line = " ".join(text.splitlines()) if "\n" in text else text
    start, end = at
    return f"{line}\n{' ' * _width(line[:start])}{'^' * max(1, _width(line[start:end]))}"


def _width(text: str) -> int:
    """Return the number of columns of `text`: two for wide East Asian characters, none for accents."""
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return len(text) + wide - sum(bool(unicodedata.combining(char)) for char in text)
