"""Sentences of abstracts, and text cut short where it doesn't hurt: between clauses, else between words."""

import re
import unicodedata
from collections.abc import Iterator

from bot.text.abbreviations import (
    ALWAYS_BEFORE,
    EXCLAIMED_NAMES,
    NEVER_LAST,
    OPENERS,
    SOMETIMES_LAST,
    WORDS_TOO,
)

ELLIPSIS = "…"

_STOP = re.compile(r"[.!?…。！？][.!?…。！？]*+[\"'”’)\]]*+")
"""Begins with a set, not with a repetition: `re` then skips other characters in a fast loop."""
_GLUED = re.compile(r"[A-Z][a-z]+ [a-z]")
"""The next sentence, where the blank before it is missing."""
_NAME = re.compile(r"[\"'“‘(\[]?[a-z]{1,12}[A-Z0-9]")
"""`wav2vec`, `iPhone`: names that begin small, even a sentence."""
_BEFORE_WORDS = "\"'“‘(["
_LAST_WORD = re.compile(r"[^\s(\[{\"“”'‘/–—-]{1,16}\Z")
_NUMBER = re.compile(r"\s(?:\d|[IVXLC]{1,6}\.[A-Z0-9]|[IVXLC]{2,6}\b)")
_NEXT_WORD = re.compile(r"\s?[\"'“‘(\[]?([^\s,;:.!?]{1,20})")
_NUMBERING = re.compile(r"[(\[]?(?:\d{1,2}|[ivxIVX]{1,4}|[a-h])[.)\]]*")
_CLAUSE = re.compile(r"[;:,](?= )| [–—-]{1,3}(?= )")
_ABBREVIATIONS = WORDS_TOO | NEVER_LAST | SOMETIMES_LAST
LONGEST_ABBREVIATION = 16
LONGEST_NUMBERING = 6
_JOINING = frozenset("\u200d\ufe0e\ufe0f")


def sentences(text: str) -> Iterator[str]:
    """The sentences of a line of plain text; numbering that stands alone is left out."""
    return (text[begin:end] for begin, end in spans(text))


def spans(text: str) -> Iterator[tuple[int, int]]:
    """Where each sentence begins and ends."""
    begin = 0
    for stop in _STOP.finditer(text):
        start, end = stop.span()
        if not _is_end(text, start, end):
            continue
        if end - begin > LONGEST_NUMBERING or not _NUMBERING.fullmatch(text, begin, end):
            yield begin, end
        begin = end
        while text[begin : begin + 1] == " ":
            begin += 1
    if begin < len(text):
        yield begin, len(text)


def first_sentence(text: str, limit: int) -> str:
    """The first sentence of a line of plain text, in at most `limit` characters."""
    return shorten(next(sentences(text), ""), limit)


def shorten(text: str, limit: int) -> str:
    """`text` in at most `limit` characters, cut between words and with an ellipsis where it was longer.

    Only a word that alone is longer than `limit`, or a script without spaces, is cut inside.
    """
    if len(text) <= limit:
        return text
    room = limit - len(ELLIPSIS)
    if room < 1:
        return ELLIPSIS[: max(limit, 0)]
    space = text.rfind(" ", 0, room + 1)
    shown = text[:space].rstrip(" ,;:–—-([{") if space > 0 else ""
    if shown and (len(shown) > room // 2 or text[space + 1 : space + 200].split(" ", 1)[0].isascii()):
        return shown + ELLIPSIS
    return text[: _between_characters(text, room)] + ELLIPSIS


def shorten_at_clause(text: str, limit: int) -> str:
    """The same, but cut at the end of a clause where that keeps more than half of what fits."""
    if len(text) <= limit:
        return text
    ends = [end.start() for end in _CLAUSE.finditer(text, 0, max(0, limit - len(ELLIPSIS) + 1))]
    if ends and ends[-1] > limit // 2:
        return text[: ends[-1]].rstrip(" ,;:–—-([{") + ELLIPSIS
    return shorten(text, limit)


def _is_end(text: str, stop: int, end: int) -> bool:
    """Whether a sentence ends with the stop that begins at `stop` and, with brackets and quotes, ends at `end`."""
    mark, after = text[stop], text[end : end + 1]
    if mark in "。！？":
        return True
    if not after.isspace():
        return (
            mark == "."
            and end == stop + 1
            and text[stop - 1 : stop].islower()
            and bool(_GLUED.match(text, end))
        )
    following = text[end + 1 : end + 2]
    if following in _BEFORE_WORDS:
        following = text[end + 2 : end + 3]
    if following.islower() and not _NAME.match(text, end + 1):
        return False
    if mark == "!":
        return not text.endswith(EXCLAIMED_NAMES, 0, stop + 1)
    return mark != "." or end > stop + 1 or not _is_abbreviation(text, stop)


def _is_abbreviation(text: str, stop: int) -> bool:
    """Whether the full stop at `stop` only ends a word."""
    before = text[max(0, stop - LONGEST_ABBREVIATION) : stop]
    word = before.rpartition(" ")[2]
    if not word.isalpha():
        found = _LAST_WORD.search(before)
        if found is None:
            return False
        word = found[0]
    said = word.lower()
    if said not in _ABBREVIATIONS and len(said) > 1:
        return False
    if said in WORDS_TOO:
        return _NUMBER.match(text, stop + 1) is not None
    if said in NEVER_LAST:
        return "." in said or said in ALWAYS_BEFORE or not _opens(text, stop)
    if said in SOMETIMES_LAST or (len(said) == 1 and word.isupper()):
        return not _opens(text, stop)
    return False


def _opens(text: str, stop: int) -> bool:
    """Whether the word behind the stop is one that sentences begin with."""
    following = _NEXT_WORD.match(text, stop + 1)
    return following is not None and following[1] in OPENERS


def _between_characters(text: str, at: int) -> int:
    """The nearest place not after `at` that doesn't part a letter from its accents or an emoji's pieces."""
    while at > 1 and (unicodedata.combining(text[at]) or text[at] in _JOINING or text[at - 1] in _JOINING):
        at -= 1
    return at
