"""The time for a text, however hostile, grows no faster than its length."""

import time
from collections.abc import Callable

import pytest

from bot.cards.sanitize import link, plain, visible
from bot.domain.errors import UserError
from bot.query import parse
from bot.text import (
    clean,
    clean_html,
    core_sentence,
    first_sentence,
    shorten,
    shorten_at_clause,
    spell,
    tokens,
)
from bot.text.boilerplate import split_notices

HOSTILE = (
    "<", "<a ", "<a b='", '<a b="x" ', "<!--", "<script>", "</i><i>", "&#", "&amp", "$", "$a", "$$", "$5 ", "\\", "\\(", "\\x",
    "{", "}", "{a,", "{}", "\\frac", "\\sqrt[", "\\textbf{", "\\begin{a}", "\\verb+", "\\cite[", "\\cite{", "\\left.", "\\'",
    "\\c ", "^{", "_{^{", "a_", "~", " ", "a ", "\u00a0", "\u0301", "a\u0301", "-", "a-", "--- ", "'", "a'", "``", "1.", "1,1",
    "(", "[", "(a", "https://", "://a", "www.", "@", "#", "*", "a*", "=", ":", "a:", ".", ". A", "e.g. ", "A. ", "?", "！", "中",
    "ｆ", "ﬃ", "\ud83d\ude00\u200d", "\U0001f468\u200d", '"', "“", "-(", "OR ", "Publication date: ", "Source: ", "©", "doi:", "Background: ",
)  # fmt: skip
SHORT, LONG = 1_000, 8_000
"""Lengths of the texts whose times are compared, in characters."""
QUICK = 0.01
"""Processor seconds that are always accepted for `LONG`."""
LINEAR = 3
"""Factor above linear growth that is accepted: clocks are coarse, and memory takes time, too."""


def _parsed(text: str) -> object:
    try:
        return parse(text)
    except UserError as error:
        return error


FUNCTIONS: list[Callable[[str], object]] = [
    split_notices,
    clean,
    clean_html,
    tokens,
    spell,
    plain,
    visible,
    link,
    lambda text: first_sentence(text, 300),
    lambda text: shorten(text, 300),
    lambda text: shorten_at_clause(text, 300),
    lambda text: core_sentence(text, 300, text),
    _parsed,
]


def grows(read: Callable[[str], object], piece: str) -> str | None:
    """Return the times for a short and a long text if they grow faster than linearly, or None."""
    long = _seconds(read, piece, LONG)
    if long < QUICK:
        return None
    short = min(_seconds(read, piece, SHORT) for _ in range(3))
    long = min(long, _seconds(read, piece, LONG))
    if long < max(QUICK, LINEAR * short * LONG / SHORT):
        return None
    return f"{piece!r}: {short:.4f} s for {SHORT} characters, {long:.3f} s for {LONG}"


def _seconds(read: Callable[[str], object], piece: str, length: int) -> float:
    text = (piece * (length // len(piece) + 1))[:length]
    began = time.process_time()
    read(text)
    return time.process_time() - began


@pytest.mark.parametrize("number", range(len(FUNCTIONS)))
def test_functions_process_hostile_text_in_linear_time(number: int) -> None:
    assert [slow for piece in HOSTILE if (slow := grows(FUNCTIONS[number], piece))] == []
