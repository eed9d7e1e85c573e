"""Reads where a paper was accepted from its comment or journal reference on arXiv. Pure, and linear in time.

A comment is free text: `Accepted at ICML 2026 (spotlight)`, `Submitted to JMLR`, `9 pages, MIDL 2026`. It is read
sentence by sentence. Cues such as `accepted at` or `under review` determine the meaning of the words after them. A
sentence without cues counts if it is the name of a venue with a year.
"""

import re
from dataclasses import dataclass
from functools import lru_cache, partial

from bot.domain.models import Paper
from bot.text.sentences import shorten
from bot.text.venue_words import (
    AWARD,
    BARE_STOP,
    CUE,
    KNOWN,
    LEADING,
    NO_JOURNAL,
    NOT_ACRONYMS,
    PUBLISHER,
    TRAILING,
    VENUE_WORD,
    sentences,
)

MAX_COMMENT = 1000
"""Maximum number of characters read of a comment or reference; arXiv asks authors to be brief."""
MAX_VENUE = 90
"""Maximum number of characters of a venue's name."""
MAX_SHORT = 9
"""With fewer words than this before `accepted`, they can be a venue's name even without words such as `journal`."""
MAX_BARE = 15
"""A sentence with at least this many words isn't just a venue's acronym with its place and dates."""

_URL = re.compile(r"\b(?:https?|htpps?|ftp)://\S++")
_YEAR = re.compile(r"(?:(?<![\d.:-])|(?<=[A-Za-z]-))(?:19[89]|20[0-4])\d(?!\d|[./]\d)")
_SHORT_YEAR = re.compile(r"(?:(?<=[A-Za-z])\s?['’`‘-]\s?|(?<=[A-Z]{2}))([0-4]\d)\b(?!-)")
_ACRONYM = r"[a-z]?[A-Z0-9]{0,3}[A-Z][A-Za-z]{0,12}[A-Z][A-Za-z]{0,12}(?:[-/&+][A-Za-z0-9]{1,12}){0,3}"
_IN_BRACKETS = re.compile(rf"\(({_ACRONYM}|Interspeech)[\s,'’`‘-]{{0,3}}\d{{0,4}}\)")
_BARE_ACRONYM = re.compile(
    rf"(?:[A-Z]{{2,6}}(?:/[A-Z]{{2,6}})? )?({_ACRONYM})[\s'’`‘-]{{0,2}}(?:\d\d){{1,2}}"
)
_KNOWN = re.compile(
    rf"(?<![\w@])(Findings of (?:the )?(?:ACL|EMNLP|NAACL|EACL|Association for Computational Linguistics)|(?:{KNOWN})(?:[-/][A-Z]{{2,10}}\b)?)(?![a-zA-Z])"
)
_WORKSHOP = re.compile(r"\bworkshops?\b|\w @ ?\w|\bsymposium at\b", re.IGNORECASE)
_COLOCATED = re.compile(r",? \(?(?:co-?located|in conjunction|held|part of|hosted)\b", re.IGNORECASE)
_CUE = re.compile("|".join(f"(?P<{name}>{words})" for name, words in CUE.items()), re.IGNORECASE)
_LEADING = re.compile(LEADING, re.IGNORECASE)
_TRAILING = re.compile(TRAILING, re.IGNORECASE)
_VENUE_WORD = re.compile(VENUE_WORD, re.IGNORECASE)
_NO_JOURNAL = re.compile(NO_JOURNAL, re.IGNORECASE)
_PUBLISHER = re.compile(PUBLISHER, re.IGNORECASE)
_AWARD = re.compile(AWARD, re.IGNORECASE)
_RELATED = re.compile(
    r"[\w-]{3,12} (?:and \w{2,12} )?version of (?!this)|exten|based on|builds|follow|our ", re.IGNORECASE
)
_ACCEPTED_LATER = re.compile(
    r"(?:,| and) (?:now |and )?(?:accepted|to appear|in press|forthcoming)\b", re.IGNORECASE
)
_ABOUT = re.compile(r"\b(?:at|to|for|of|in|on|by|from|with|the)(?: the)?(?: 20\d\d)? \Z", re.IGNORECASE)
_BARE_STOP = re.compile(BARE_STOP, re.IGNORECASE)
_COUNT = re.compile(
    r"(?:(?:\W++|(?:\d{1,3}|and|sho?r?t|long|full|paper|pages?|pp|content|figures?|figs?|tables?|plus|main|body|text|total|with|of|in|appendix|references?|supplement\w*)(?!\w)))++",
    re.IGNORECASE,
)
_ORDINAL = re.compile(
    r"\b(?:\d{1,3}(?:st|nd|rd|th)|first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth)\b",
    re.IGNORECASE,
)
_KIND = re.compile(r"\b(?:spotlight|oral|highlight)\b", re.IGNORECASE)
_DATE = re.compile(
    r"(?:\d{1,2} )?(?:jan|feb|mar|apr|may|june?|july?|aug|sep|oct|nov|dec)[a-z]{0,7}\b\.?", re.IGNORECASE
)
_NUMBERED = re.compile(r"\bvol(?:ume|\.)? ?\d", re.IGNORECASE)
_WAITS = re.compile(r"(?:re-?)?submitt|under|in ", re.IGNORECASE)
_PART_END = re.compile(r",|\s[-–—]{1,3}\s")
_VOLUME = re.compile(r"[,:(]|(?<![A-Za-z])\d|(?<=\.)[A-Z]?\d")


@dataclass(frozen=True, slots=True)
class Acceptance:
    """The acceptance of a paper at a venue."""

    venue: str
    """Its acronym if it has one; "" if none is named."""
    year: int | None = None
    kind: str = ""
    """`spotlight`, `oral` or `highlight`."""

    def __str__(self) -> str:
        """`ICML 2026 as a spotlight`."""
        where = " ".join(part for part in (self.venue, str(self.year or "")) if part)
        how = f"as {'an' if self.kind == 'oral' else 'a'} {self.kind}" if self.kind else ""
        return " ".join(part for part in (where, how) if part)


def read_acceptance(comment: str, journal_ref: str = "") -> Acceptance | None:
    """Return where the paper was accepted; None if neither text says that it was. The comment takes precedence."""
    return _in_comment(comment) or _in_reference(journal_ref)


def acceptance_of(paper: Paper) -> Acceptance | None:
    """Return where the paper was accepted according to its latest record; None if it doesn't say so."""
    if paper.withdrawn or not (paper.comment or paper.journal_ref):
        return None
    return _read_cached(paper.comment or "", paper.journal_ref or "")


@lru_cache(maxsize=1024)
def _read_cached(comment: str, journal_ref: str) -> Acceptance | None:
    return read_acceptance(comment, journal_ref)


def _in_comment(comment: str) -> Acceptance | None:
    text = " ".join(_URL.sub(" ", comment[:MAX_COMMENT]).split())
    parts = list(sentences(text))
    waits = any(_WAITS.match(cue["no"] or "") for sentence in parts for cue in _CUE.finditer(sentence))
    readers = (partial(_cued, waits=waits),) if waits else (_cued, _bare)
    all_found = [(found, part) for read in readers for part in parts if (found := read(part))]
    if not all_found:
        return None
    found, source = next((pair for pair in all_found if pair[0].venue), all_found[0])
    others = [part for part in parts if part != source and not any(part == other for _, other in all_found)]
    kind = next(filter(None, map(_KIND.search, (source, *others))), None)
    return Acceptance(found.venue, found.year, kind[0].lower() if kind else "")


def _in_reference(reference: str) -> Acceptance | None:
    text = " ".join(reference[:MAX_COMMENT].split())
    if not text or _NO_JOURNAL.search(text) or any(cue["no"] for cue in _CUE.finditer(text)):
        return None
    years = _YEAR.findall(text)
    rest = _lead(text)
    rest = _lead(_YEAR.sub("", rest, count=1)) if _YEAR.match(rest) else rest
    acronym = _acronym(rest)
    end = _VOLUME.search(rest)
    name = acronym or _name(rest[: end.start()] if end else rest)
    return Acceptance(name, int(years[-1]) if years else None) if name else None


def _cued(sentence: str, *, waits: bool = False) -> Acceptance | None:
    """The acceptance according to a sentence with cues; None if it doesn't say so.

    After `submitted`, or if another sentence says that (`waits`), only a plain `accepted` counts. A sentence about
    another version says nothing about this paper.
    """
    refused, since = waits, 0
    cues = list(_CUE.finditer(sentence))
    if any(cue["never"] for cue in cues):
        return None
    for n, cue in enumerate(cues):
        if cue["other"]:
            if not _goes_on(sentence[cue.start() :]):
                return None
            since = cue.end()
            continue
        if cue["no"]:
            refused = True
        elif cue["weak"] and _names_another(sentence[cue.end() :]):
            continue
        elif cue["yes"] or not refused:
            end = next((later.start() for later in cues[n + 1 :] if later["no"]), len(sentence))
            region = sentence[cue.end() : end]
            before = sentence[since : cue.start()]
            venue = _venue(region) or _venue(before, before=True)
            if venue or cue["yes"]:
                return Acceptance(venue, _year(region) or _year(before))
    return None


def _names_another(words: str) -> bool:
    """Whether a later venue outweighs the one where the paper was presented: `ICML 2026 Workshop, accepted at`."""
    later = _ACCEPTED_LATER.search(words)
    return bool(later and _venue(words[later.end() :]))


def _goes_on(words: str) -> bool:
    """Whether another version's venue precedes this paper's: `Journal version of our ICRA 2023 paper, accepted by`."""
    later = _ACCEPTED_LATER.search(words)
    between = words[: later.start()] if later else ""
    return bool(
        _RELATED.match(words) and _year(between) and all(cue["other"] for cue in _CUE.finditer(between))
    )


def _bare(sentence: str) -> Acceptance | None:
    """The acceptance if a sentence without cues is a venue with a year or a number: `9 pages, MIDL 2026`."""
    counts = _COUNT.match(sentence)
    rest = _lead(sentence[counts.end() :] if counts else sentence)
    while award := _AWARD.match(rest):
        rest = _lead(rest[award.end() :])
    if _CUE.search(sentence) or _BARE_STOP.match(rest):
        return None
    year, acronym = _year(rest), _BARE_ACRONYM.match(rest)
    if not year and not _ORDINAL.search(sentence) and not _NUMBERED.search(sentence):
        return None
    known = _KNOWN.search(rest)
    if known and _is_about(rest[: known.start()]):
        return None
    words = len(_PART_END.split(rest, maxsplit=1)[0].split()) if len(rest.split()) < MAX_BARE else MAX_BARE
    bracketed = any(
        name[1].upper() not in NOT_ACRONYMS and name[0][-2].isdigit() for name in _IN_BRACKETS.finditer(rest)
    )
    if not (
        (known and known.start() < 40) or _VENUE_WORD.search(rest) or bracketed or (acronym and words < 6)
    ):
        return None
    venue = _venue(rest)
    return Acceptance(venue, year) if venue and venue.upper() not in NOT_ACRONYMS else None


def _is_about(words: str) -> bool:
    """Whether the words before a venue relate it to something other than this paper: `Reply to the`, `Keynote at`."""
    return bool(_ABOUT.search(words) and not _VENUE_WORD.search(words))


def _year(text: str) -> int | None:
    found = _YEAR.search(text)
    if found:
        return int(found[0])
    short = _SHORT_YEAR.search(text)
    return 2000 + int(short[1]) if short else None


def _venue(region: str, *, before: bool = False) -> str:
    """The name of the venue in the words after a cue, or before one; "" if there is none."""
    counts = _COUNT.match(region) if before else None
    text = _lead(region[counts.end() :] if counts else region)
    cut = _TRAILING.search(text)
    text = text[: cut.start()] if cut else text
    colocated = _COLOCATED.search(text)
    text = text[: colocated.start()] if colocated else text
    if acronym := _acronym(text):
        return acronym
    if _PUBLISHER.match(text):
        return ""
    short = len(text.split()) < MAX_SHORT and text[:1].isupper()
    named = not before or _VENUE_WORD.search(text) or ((short or _year(text)) and not _BARE_STOP.match(text))
    return _name(text) if named else ""


def _acronym(text: str) -> str:
    """A venue's acronym; "" for a workshop, which is named in full so that it isn't mistaken for its conference.

    A workshop's own acronym, which ends in W, is returned.
    """
    named = (re.sub(r"-(?:\d\d){1,2}\Z", "", found[1]) for found in _IN_BRACKETS.finditer(text))
    bracketed = [name for name in named if name.upper() not in NOT_ACRONYMS]
    if _WORKSHOP.search(text):
        return next((name for name in bracketed if name.endswith("W")), "")
    known = _KNOWN.search(text)
    return next(iter(bracketed), known[1] if known else "")


def _name(text: str) -> str:
    """A name without years, brackets and the text after a comma; "" if it isn't a name."""
    plain = re.sub(r"\([^()]{0,200}\)", " ", text)
    plain = _YEAR.sub(" ", _SHORT_YEAR.sub(" ", plain))
    parts = [
        part.strip(" .:-–—\"“”'`’*[]()") for part in re.split(rf"{_PART_END.pattern}|[\"“”]", _lead(plain))
    ]
    named = next((part for part in parts if part and not _DATE.match(part)), "")
    named = re.sub(r"(?: No)?(?<![. ])[. ]++\d{1,4}\Z| No\Z", "", " ".join(named.split()))  # a volume
    return (
        shorten(named, MAX_VENUE)
        if re.match(r"(?:the |npj |[a-z]{1,2}(?=[A-Z]))?(?:workshop\b|[\dA-ZÀ-ÞА-Я一-龥])", named)
        and len(named) > 1
        else ""
    )


def _lead(text: str) -> str:
    """The text without the words before a venue's name: `as a poster at the`."""
    while (found := _LEADING.match(text)) and found.end():
        text = text[found.end() :]
    return text
