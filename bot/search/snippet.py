"""Snippets: the part of a paper around the words that were found."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from typing import NamedTuple

from bot.domain.models import Paper
from bot.query import Person, Phrase, Query
from bot.query.nodes import terms_of
from bot.search.query_parser import ParsedSearch
from bot.text import tokens
from bot.text.sentences import ELLIPSIS

LENGTH = 180
"""Length in characters of the part shown."""
NEAR = 0.8
"""Minimum similarity of a misspelt word and the word found for it, from 0 to 1 (difflib's ratio)."""
NAMES = 3
"""Maximum number of authors shown."""
LONGEST_CACHED = 40
"""Maximum length in characters of a word whose folded forms are cached."""
_WORD = re.compile(r"[^\W_][^\s,;:()\[\]{}“”\"/]*")


class Run(NamedTuple):
    """A piece of text, and whether it matches the search."""

    text: str
    found: bool


def snippet(parsed: ParsedSearch, paper: Paper, *, near: bool = False) -> tuple[Run, ...]:
    """Return the matching authors and the part of the abstract with the most words of the search.

    If neither has any, return the title if that matches, else nothing (as for a category). With `near`, similar
    spellings match too.
    """
    wanted = _Wanted(parsed, near=near)
    names = [_marked(name, wanted.names, wanted) for name in paper.authors]
    names = [runs for runs in names if any(run.found for run in runs)][:NAMES]
    shown: list[Run] = []
    for runs in names:
        shown += [*([Run(", ", found=False)] if shown else ()), *runs]
    abstract = _best(_marked(paper.abstract, wanted.words, wanted))
    if abstract:
        shown += [*([Run(" · ", found=False)] if shown else ()), *abstract]
    if not shown:
        title = _marked(paper.title, wanted.words, wanted)
        shown = title if any(run.found for run in title) else []
    return tuple(shown)


class _Wanted:
    """The words searched for, folded as in texts and as in names."""

    def __init__(self, parsed: ParsedSearch, *, near: bool) -> None:
        self._near = near
        content = [word for word in parsed.words if not word.stop] or list(parsed.words)
        self.words = {part for word in content for part in (*word.parts, word.joined) if part}
        self.names = {part for word in content for part in word.name_parts}
        self.words |= {part for _, meaning in parsed.meanings for part in meaning}
        self.words |= set(_of(parsed.query, Phrase, plurals=True))
        self.names |= set(_of(parsed.query, Person, plurals=False)) | set(
            _of(parsed.query, Phrase, plurals=False)
        )
        self._exact = not near and not any(word.endswith("*") for word in self.words | self.names)

    def has(self, word: str, words: Collection[str]) -> bool:
        """Whether `word`, as written in a text, matches one of `words`."""
        folded = _cached(word) if len(word) <= LONGEST_CACHED else _folded(word)
        if not folded.isdisjoint(words):
            return True
        return not self._exact and any(self._is_like(form, wanted) for form in folded for wanted in words)

    def _is_like(self, word: str, wanted: str) -> bool:
        if wanted.endswith("*"):
            return word.startswith(wanted[:-1])
        if not self._near or len(wanted) < 5 or abs(len(word) - len(wanted)) > 2 or word[0] != wanted[0]:
            return False
        return SequenceMatcher(None, word, wanted, autojunk=False).ratio() >= NEAR


def _folded(word: str) -> frozenset[str]:
    """The forms of a word, folded as in texts and as in names."""
    return frozenset(token.word for plurals in (True, False) for token in tokens(word, plurals=plurals))


# Abstracts share most of their words. Without this, marking one page of results held the event loop for 25 ms.
_cached = lru_cache(maxsize=16_384)(_folded)


def _of(query: Query | None, kind: type[Phrase | Person], *, plurals: bool) -> Iterator[str]:
    for term, wanted in terms_of(query.root) if query else ():
        if wanted and isinstance(term, kind):
            for word in term.words:
                yield from (
                    f"{token.word}*" if term.prefix else token.word for token in tokens(word, plurals=plurals)
                )


def _marked(text: str, words: Collection[str], wanted: _Wanted) -> list[Run]:
    """`text` as runs, split at the matching words."""
    at = 0
    runs: list[Run] = []
    for word in _WORD.finditer(text):
        end = word.start() + len(word[0].rstrip(".?!'’*"))
        if wanted.has(text[word.start() : end], words):
            runs += [Run(text[at : word.start()], found=False), Run(text[word.start() : end], found=True)]
            at = end
    return [run for run in (*runs, Run(text[at:], found=False)) if run.text]


def _best(runs: Sequence[Run]) -> list[Run]:
    """The LENGTH characters of a marked text with the most distinct matching words."""
    text = "".join(run.text for run in runs)
    places, at = [], 0
    for run in runs:
        if run.found:
            places.append((at, run.text.casefold()))
        at += len(run.text)
    if not places:
        return []
    starts = [start for start, _ in places]
    best = max(
        starts,
        key=lambda s: (len({word for at, word in places if s <= at < s + LENGTH - 30}), -s),
    )
    start = _between_words(text, max(0, best - 40), best) if best > 60 else 0
    end = _between_words(text, start + LENGTH, len(text)) if start + LENGTH < len(text) else len(text)
    return [
        *([Run(ELLIPSIS, found=False)] if start else ()),
        *_cut(runs, start, end),
        *([Run(ELLIPSIS, found=False)] if end < len(text) else ()),
    ]


def _between_words(text: str, near: int, last: int) -> int:
    """The first position from `near` on that follows a space; `last` if there is none before it."""
    space = text.find(" ", near, last)
    return space + 1 if space >= 0 else last


def _cut(runs: Iterable[Run], start: int, end: int) -> Iterator[Run]:
    at = 0
    for run in runs:
        piece = run.text[max(0, start - at) : max(0, end - at)]
        if piece:
            yield Run(piece, run.found)
        at += len(run.text)
