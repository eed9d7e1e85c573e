"""Finds acronyms that a text explains, as in "retrieval-augmented generation (RAG)".

>>> list(acronyms("We study mixture-of-experts (MoE), large language models (LLMs), and multi-modal learning (MML)."))
[('moe', ('mixture', 'of', 'experts')), ('llm', ('large', 'language', 'model')), ('mml', ('multi', 'modal', 'learning'))]
"""

import re
from collections.abc import Iterator, Sequence

from bot.text.terms import STOP_WORDS
from bot.text.words import Token, small, tokens

_ACRONYM = re.compile(r"\(([A-Z][A-Za-z0-9]{1,8})[);,]")
_BEFORE = 120
"""Number of characters before an acronym that are searched for its words."""
_SENTENCE_END = re.compile(r"[.;:!?()]\s")
SHORTEST, LONGEST = 2, 8
"""Minimum and maximum number of letters of an acronym."""


def acronyms(text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each acronym that `text` explains, folded, with the words that it stands for as written.

    If the acronym is a plural, the last word is in the singular.
    """
    for found in _ACRONYM.finditer(text):
        first, *more = tokens(found[1])
        if more or not SHORTEST <= len(first.word) <= LONGEST:
            continue
        before = text[max(0, found.start() - _BEFORE) : found.start()]
        words = _meaning(first.word, tokens(_SENTENCE_END.split(before)[-1]))
        if words:
            last = words[-1].word if found[1].endswith("s") else small(words[-1].form)
            yield first.word, (*(small(word.form) for word in words[:-1]), last)


def folded(words: Sequence[str]) -> tuple[str, ...]:
    """Return the words as the index and subscriptions compare them."""
    return tuple(token.word for token in tokens(" ".join(words)) if token.end - token.start == 1)


def _meaning(letters: str, before: Sequence[Token]) -> Sequence[Token]:
    """The last words with these initials. One more word can follow, as in "VLA models (VLA)"."""
    inside = {place for token in before for place in range(token.start + 1, token.end)}
    words = [token for token in before if token.end - token.start == 1]
    for end in (len(words), len(words) - 1):
        start = _start(letters, words, end)
        while start in inside:  # a hyphenated word is taken whole: multi-modal
            start -= 1
        if start is not None and end - start > 1:
            return words[start:end]
    return ()


def _start(letters: str, words: Sequence[Token], end: int) -> int | None:
    """Index of the first word of those whose initials are `letters`, matched backwards. Stop words can be skipped."""
    place, left = end, letters
    while left and place > 0:
        place -= 1
        word = words[place].word
        if word[0] == left[-1]:
            left = left[:-1]
        elif word not in STOP_WORDS or place == end - 1:
            return None
    return None if left else place
