"""Acronyms as texts explain them: "retrieval-augmented generation (RAG)" says what RAG stands for.

>>> list(acronyms("We study mixture-of-experts (MoE), large language models (LLMs), and multi-modal learning (MML)."))
[('moe', ('mixture', 'of', 'experts')), ('llm', ('large', 'language', 'model')), ('mml', ('multi', 'modal', 'learning'))]
"""

import re
from collections.abc import Iterator, Sequence

from bot.text.terms import STOP_WORDS
from bot.text.words import Token, small, tokens

_ACRONYM = re.compile(r"\(([A-Z][A-Za-z0-9]{1,8})[);,]")
_BEFORE = 120
"""Characters before an acronym that its words are looked for in."""
_SENTENCE_END = re.compile(r"[.;:!?()]\s")
SHORTEST, LONGEST = 2, 8
"""Letters of an acronym."""


def acronyms(text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each acronym that `text` explains, folded, with the words that it stands for as they are written.

    Where the acronym is a plural, the last word is in the singular.
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
    """The words as the index and subscriptions compare them."""
    return tuple(token.word for token in tokens(" ".join(words)) if token.end - token.start == 1)


def _meaning(letters: str, read: Sequence[Token]) -> Sequence[Token]:
    """The last words that have these initials. One more may follow, as in "VLA models (VLA)"."""
    inside = {place for token in read for place in range(token.start + 1, token.end)}
    words = [token for token in read if token.end - token.start == 1]
    for end in (len(words), len(words) - 1):
        start = _start(letters, words, end)
        while start in inside:  # a hyphenated word is taken whole: multi-modal
            start -= 1
        if start is not None and end - start > 1:
            return words[start:end]
    return ()


def _start(letters: str, words: Sequence[Token], end: int) -> int | None:
    """Where the words begin whose initials are `letters`, read from the back. Small words may have none."""
    place, left = end, letters
    while left and place > 0:
        place -= 1
        word = words[place].word
        if word[0] == left[-1]:
            left = left[:-1]
        elif word not in STOP_WORDS or place == end - 1:
            return None
    return None if left else place
