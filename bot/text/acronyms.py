"""Acronyms as texts explain them: "retrieval-augmented generation (RAG)" says what RAG stands for.

    >>> list(acronyms("We study mixture-of-experts (MoE) and vision-language-action (VLA) models."))
    [('moe', ('mixture', 'of', 'experts')), ('vla', ('vision', 'language', 'action'))]
"""

import re
from collections.abc import Iterator, Sequence

from bot.text.terms import STOP_WORDS
from bot.text.words import tokens

_ACRONYM = re.compile(r"\(([A-Z][A-Za-z0-9]{1,7})[);,]")
_BEFORE = 120
"""Characters before an acronym that its words are looked for in."""
_SENTENCE_END = re.compile(r"[.;:!?()]\s")
SHORTEST, LONGEST = 2, 8
"""Letters of an acronym."""


def acronyms(text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each acronym that `text` explains, folded, with the words that it stands for."""
    for found in _ACRONYM.finditer(text):
        short = [token.word for token in tokens(found[1])]
        before = _SENTENCE_END.split(text[max(0, found.start() - _BEFORE) : found.start()])[-1]
        words = [token.word for token in tokens(before) if token.end - token.start == 1]
        if len(short) == 1 and SHORTEST <= len(short[0]) <= LONGEST:
            if meaning := _meaning(short[0], words[-2 * LONGEST :]):
                yield short[0], meaning


def _meaning(letters: str, words: Sequence[str]) -> tuple[str, ...]:
    """The last of `words` that have these initials; a word may stand behind that has none ("RL methods (RL)")."""
    for end in (len(words), len(words) - 1):
        start = _start(letters, words, end)
        if start is not None and end - start > 1:
            return tuple(words[start:end])
    return ()


def _start(letters: str, words: Sequence[str], end: int) -> int | None:
    """Where the words begin whose initials are `letters`, read from the back. Small words may have none."""
    place = end
    left = letters
    while left and place > 0:
        place -= 1
        word = words[place]
        if word[0] == left[-1]:
            left = left[:-1]
        elif word not in STOP_WORDS or place == end - 1:
            return None
    return None if left else place
