"""The sequences of tokens that a phrase stands for: more than one where it has hyphens."""

from collections.abc import Iterator, Sequence
from itertools import chain, product
from math import prod

from bot.query.nodes import Person, Phrase
from bot.text import Token, tokens
from bot.text.words import LONGEST_JOIN

Path = tuple[str, ...]

MOST_PATHS = 16
"""A phrase with more, such as a pasted title, is read in two ways: every hyphen kept, every hyphen left out."""


def variants_of(term: Phrase | Person) -> tuple[Path, ...]:
    """Each way to read the term's words; it holds where any of them is found. `fine-tuning` has two."""
    read = [tokens(word, plurals=isinstance(term, Phrase)) for word in term.words]
    if isinstance(term, Phrase) and term.exact:
        return (tuple(token.form for word in read for token in _joined(word)),)
    ways = [list(_chains(word, 0)) if word[-1].end <= LONGEST_JOIN else [_split(word)] for word in read]
    if prod(map(len, ways)) > MOST_PATHS:
        ways = [[_split(word), tuple(token.word for token in _joined(word))] for word in read]
        choices = [[way[0] for way in ways], [way[1] for way in ways]]
    else:
        choices = [list(choice) for choice in product(*ways)]
    return tuple(dict.fromkeys(tuple(chain.from_iterable(choice)) for choice in choices))


def _chains(word: Sequence[Token], place: int) -> Iterator[Path]:
    """Every sequence of tokens from `place` to the word's end."""
    if place == word[-1].end:
        yield ()
    for token in word:
        if token.start == place:
            yield from ((token.word, *rest) for rest in _chains(word, token.end))


def _split(word: Sequence[Token]) -> Path:
    return tuple(token.word for token in word if token.end - token.start == 1)


def _joined(word: Sequence[Token]) -> Iterator[Token]:
    """The fewest tokens that cover the word."""
    place = 0
    while place < word[-1].end:
        token = max((token for token in word if token.start == place), key=lambda token: token.end)
        yield token
        place = token.end
