"""Splits abstracts into sentences, and shortens text between clauses or between words."""

import re
import unicodedata
from collections.abc import Iterator


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


NEVER_LAST = _set(
    "e.g i.e cf c.f vs viz ca approx resp w.r.t a.k.a aka incl excl esp "
    "fig figs eq eqs eqn eqns sec secs sect sects ref refs tab tabs def defs thm thms prop props lem lems cor cors conj "
    "alg algs app apps ch chap chaps no nos vol vols pp art ex exs rem assump supp suppl "
    "dr prof mr mrs ms st mt rev hon gen col lt capt sgt jr sr messrs "
    "jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thur thurs fri sat "
    "sp spp subsp ssp var cv str gen fam ser sect syn "
    "phys lett astron astrophys proc natl acad sci chem soc trans int conf biol med math stat comput eng res "
    "univ dept inst lab ltd bros avg est min max std dev temp conc wt lat lon long ave blvd rd "
    "s.t a.s a.e i.v i.p s.c r.m.s r.h.s l.h.s d.o.f s.d s.e w.l.o.g q.v op loc ibid"
)
"""Abbreviations that a number, name or letter follows in the same sentence. In lower case, without the last stop."""

ALWAYS_BEFORE = _set("vs cf dr prof mr mrs viz")
"""Abbreviations of NEVER_LAST that don't end a sentence even before one of OPENERS."""

WORDS_TOO = _set(
    "no nos art min max long lab app apps int mon sat gen ex rev mar dec fam prop props sec secs lat std conc temp est "
    "var ser st ch ref refs res tab tabs eng wt vol avg def defs trans med stat assump inst conj cat pp hon col soc sect v ver"
)
"""Abbreviations that are also words or ends of words. They are abbreviations only before a number."""

SOMETIMES_LAST = _set(
    "etc al i.i.d a.m p.m u.s u.k u.s.a e.u u.n ph.d m.d m.sc b.sc inc co corp d.c b.c a.d c.e"
)
"""Abbreviations that end a sentence if one of OPENERS follows."""

OPENERS = _set(
    "We The This These In Our Here However It Its To For A An Although While Despite As On By Using Moreover Furthermore "
    "Additionally Thus Therefore Hence Finally First Second Then They There That Those When Where With From At After "
    "Since Because Existing Current Recent Previous Such Both Many Most Some Given I Yet But And If One"
)
"""Words that often begin a sentence, and rarely a name."""

EXCLAIMED_NAMES = ("Yahoo!", "Jeopardy!", "Kahoot!", "Yum!", "Joomla!", "Wham!", "Oh!", "hello!")

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


ELLIPSIS = "…"

_OTHER_STOPS = "!?…。！？"
_STOP = re.compile(rf"[.{_OTHER_STOPS}][.{_OTHER_STOPS}]*+[\"'”’)\]]*+")
"""It begins with a set instead of a repetition, so that `re` skips other characters in a fast loop."""
_FULL_STOP = re.compile(r"\.\.*+[\"'”’)\]]*+")
"""The same for a text without other stops, like most texts: `re` finds a fixed character four times as fast."""
_GLUED = re.compile(r"[A-Z][a-z]+ [a-z]")
"""The start of a sentence without a blank before it."""
_NAME = re.compile(r"[\"'“‘(\[]?[a-z]{1,12}[A-Z0-9]")
"""`wav2vec`, `iPhone`: names with a small first letter, even at the start of a sentence."""
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
    """Yield the sentences of a line of plain text, without numbering that stands alone."""
    return (text[begin:end] for begin, end in spans(text))


def spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield the start and end of each sentence."""
    begin = 0
    stops = _STOP if any(stop in text for stop in _OTHER_STOPS) else _FULL_STOP
    for stop in stops.finditer(text):
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
    """Return the first sentence of a line of plain text, in at most `limit` characters."""
    return shorten(next(sentences(text), ""), limit)


def shorten(text: str, limit: int) -> str:
    """Shorten `text` to at most `limit` characters: cut between words, with an ellipsis.

    A word is cut only if it alone is longer than `limit`, or in a script without spaces.
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
    """Shorten like `shorten`, but cut at the end of a clause if more than half of `limit` remains."""
    if len(text) <= limit:
        return text
    ends = [end.start() for end in _CLAUSE.finditer(text, 0, max(0, limit - len(ELLIPSIS) + 1))]
    if ends and ends[-1] > limit // 2:
        return text[: ends[-1]].rstrip(" ,;:–—-([{") + ELLIPSIS
    return shorten(text, limit)


def _is_end(text: str, stop: int, end: int) -> bool:
    """Whether a sentence ends with the stop at `stop`, which ends at `end` with its closing brackets and quotes."""
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
    """Whether the full stop at `stop` belongs to an abbreviation and doesn't end the sentence."""
    before = text[max(0, stop - LONGEST_ABBREVIATION) : stop]
    word = before.rpartition(" ")[2]
    if not word.isalpha():
        found = _LAST_WORD.search(before)
        if found is None:
            return False
        word = found[0]
    lower = word.lower()
    if lower not in _ABBREVIATIONS and len(lower) > 1:
        return False
    if lower in WORDS_TOO:
        return _NUMBER.match(text, stop + 1) is not None
    if lower in NEVER_LAST:
        return "." in lower or lower in ALWAYS_BEFORE or not _opens(text, stop)
    if lower in SOMETIMES_LAST or (len(lower) == 1 and word.isupper()):
        return not _opens(text, stop)
    return False


def _opens(text: str, stop: int) -> bool:
    """Whether the word after the stop is one of OPENERS."""
    following = _NEXT_WORD.match(text, stop + 1)
    return following is not None and following[1] in OPENERS


def _between_characters(text: str, at: int) -> int:
    """The last position up to `at` that doesn't split a letter from its accents, or an emoji."""
    while at > 1 and (unicodedata.combining(text[at]) or text[at] in _JOINING or text[at - 1] in _JOINING):
        at -= 1
    return at
