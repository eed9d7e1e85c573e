"""Text cut short where it doesn't hurt: between sentences, else between words."""

import re
import unicodedata

ELLIPSIS = "…"

_END = re.compile(r"[.!?][\"'”’)\]]*(?=\s+[^\sa-z])|[。！？]")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\[])(?:e\.g|i\.e|et al|etc|cf|vs|approx|resp|w\.r\.t|a\.k\.a|aka|al|"
    r"Fig|Figs|Eq|Eqs|Sec|Secs|Tab|Ref|Refs|No|Nos|Vol|Ch|App|Thm|Prop|"
    r"Dr|Prof|Mr|Mrs|Ms|St|Jr|Sr|Inc|Ltd|Co|Corp|[A-Z]|U\.S|U\.K|E\.U|Ph\.D)\.$"
)
_LONGEST_ABBREVIATION = 10
_JOINING = frozenset("\u200d\ufe0e\ufe0f")


def first_sentence(text: str, limit: int) -> str:
    """The first sentence of a line of plain text, in at most `limit` characters."""
    for end in _END.finditer(text):
        before = text[max(0, end.start() + 1 - _LONGEST_ABBREVIATION) : end.start() + 1]
        if text[end.start()] != "." or not _ABBREVIATION.search(before):
            return shorten(text[: end.end()], limit)
    return shorten(text, limit)


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
    kept = text[:space].rstrip(" ,;:–—-([{") if space > 0 else ""
    if kept and (len(kept) > room // 2 or text[space + 1 :].split(" ", 1)[0].isascii()):
        return kept + ELLIPSIS
    return text[: _between_characters(text, room)] + ELLIPSIS


def _between_characters(text: str, at: int) -> int:
    """The nearest place not after `at` that doesn't part a letter from its accents or an emoji's pieces."""
    while at > 1 and (unicodedata.combining(text[at]) or text[at] in _JOINING or text[at - 1] in _JOINING):
        at -= 1
    return at
