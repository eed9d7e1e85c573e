"""The token sequences that a phrase matches: several if it has hyphens."""

from collections.abc import Iterator, Sequence
from itertools import chain, product
from math import prod

from bot.query.nodes import Person, Phrase
from bot.text import Token, tokens
from bot.text.words import LONGEST_JOIN

Variant = tuple[str, ...]

MAX_VARIANTS = 16
"""Maximum number of variants of a phrase. With more, as for a pasted title, only two are used: all hyphenated words
split, and all joined."""


def variants_of(term: Phrase | Person) -> tuple[Variant, ...]:
    """Return the token sequences that match the term; one match is enough. `fine-tuning` has two."""
    read = [tokens(word, plurals=isinstance(term, Phrase)) for word in term.words]
    if isinstance(term, Phrase) and term.exact:
        return (tuple(token.form for word in read for token in _joined(word)),)
    ways = [list(_chains(word, 0)) if word[-1].end <= LONGEST_JOIN else [_split(word)] for word in read]
    if prod(map(len, ways)) > MAX_VARIANTS:
        ways = [[_split(word), tuple(token.word for token in _joined(word))] for word in read]
        choices = [[way[0] for way in ways], [way[1] for way in ways]]
    else:
        choices = [list(choice) for choice in product(*ways)]
    return tuple(dict.fromkeys(tuple(chain.from_iterable(choice)) for choice in choices))


def _chains(word: Sequence[Token], place: int) -> Iterator[Variant]:
    """Every sequence of tokens from `place` to the end of the word."""
    if place == word[-1].end:
        yield ()
    for token in word:
        if token.start == place:
            yield from ((token.word, *rest) for rest in _chains(word, token.end))


def _split(word: Sequence[Token]) -> Variant:
    return tuple(token.word for token in word if token.end - token.start == 1)


def _joined(word: Sequence[Token]) -> Iterator[Token]:
    """The fewest tokens that cover the word."""
    place = 0
    while place < word[-1].end:
        token = max((token for token in word if token.start == place), key=lambda token: token.end)
        yield token
        place = token.end
