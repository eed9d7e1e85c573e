"""Whether any paper is about what was typed, or papers only share words with it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import combinations, pairwise
from typing import Self

from bot.domain.models import Paper
from bot.search.fields import stemmer, words_of
from bot.search.query_parser import ParsedSearch, Word
from bot.search.ranking import LONG, Ranking
from bot.text import tokens
from bot.text.sentences import sentences
from bot.text.terms import telling

LOOKED_AT = 10
"""Papers, the best ones, whose sentences are looked at."""
HELD = {2: 1.0, 3: 0.77, 4: 0.6}
"""Number of words -> share of their rarity that a paper about them holds. Of more words it isn't asked."""
WHOLLY, SAID, JOINED = 0.9, 0.6, 0.5
"""Share of the words' rarity that one sentence or title says in a paper about them: of many words nearly all, of FEW most, and
less in a paper in which two stand next to each other that were typed so. In papers that are about something else the words
stand far apart: a fast code for radio links with bursts of errors."""
FEW = 3
OFTEN, SAID_OFTEN = 3, 0.45
"""If OFTEN papers each have a sentence that says this share, they are about the words, too."""
TITLED = 0.6
"""Share of a title's words that a person typed who means that paper and misspelt the others."""
MOSTLY = 0.6
"""OFTEN papers that say this share are about the words even if none holds enough of them."""
PARTS = 3
"""Parts of a search that are offered where nothing is about all of it."""

CLOSE = 0.8
"""Of 1, as difflib counts: how much alike a misspelt word and what was meant are."""

Meanings = Mapping[str, Sequence[str]]
Part = tuple[str, int]
"""Some of the words, and how many papers have them."""


def parts_apart(
    asked: ParsedSearch, papers: Sequence[Paper], total: int, ranking: Ranking, days: int | None
) -> tuple[Part, ...] | None:
    """What a search can be taken apart into where nothing is about it; None where something is.

    `papers` are the best that were found, and `total` is how many have all the words. A long question always has an
    answer.
    """
    words = asked.content
    if not 2 <= len(words) < LONG or (total and len(words) == 2):
        return None
    weights = {word: ranking.rarity(word) for word in words}

    def nearly(some: Sequence[Word]) -> int:
        return ranking.count_with(some, asked, days, nearly=True)

    def count(some: Sequence[Word]) -> int:
        return ranking.count_with(some, asked, days)

    held = total > 0 or _is_held(weights, nearly)
    if held and len(words) < FEW:
        return None
    return None if _is_said(asked, weights, papers, ranking, held=held) else _parts(weights, count)


def _is_said(
    asked: ParsedSearch,
    weights: Mapping[Word, float],
    papers: Sequence[Paper],
    ranking: Ranking,
    *,
    held: bool,
) -> bool:
    """Whether papers say enough of the words together; `held`: at least one has most of them somewhere."""
    meanings, pairs = dict(asked.meanings), _pairs(asked)
    known = [word for word in asked.words if not ranking.is_unknown(word)]
    typed = frozenset(_stems([part for word in known for part in word.parts]))
    misspelt = len(known) < len(asked.words)
    joined = not pairs or len(weights) <= FEW
    said: list[float] = []
    for paper in papers[:LOOKED_AT]:
        seen = _Seen.of(paper)
        said.append(seen.said(weights, ranking, meanings))
        has_pair = bool(pairs & seen.pairs)
        least = JOINED if has_pair else SAID if not pairs or len(weights) <= FEW else WHOLLY
        if (misspelt and seen.titled(typed)) or (held and said[-1] >= least):
            return True
        joined = joined or has_pair
    often = sorted(said, reverse=True)[OFTEN - 1] if len(said) >= OFTEN else 0.0
    return joined and often >= SAID_OFTEN if held else often >= MOSTLY and len(weights) >= FEW


def _is_held(weights: Mapping[Word, float], count: Callable[[Sequence[Word]], int]) -> bool:
    """Whether a paper holds most of what the words say."""
    least = HELD.get(len(weights), 0.0) * sum(weights.values())
    subsets = [some for most in range(len(weights), 0, -1) for some in combinations(weights, most)]
    enough = [some for some in subsets if sum(weights[word] for word in some) >= least]
    return len(weights) not in HELD or any(map(count, enough))


def _parts(weights: Mapping[Word, float], count: Callable[[Sequence[Word]], int]) -> tuple[Part, ...]:
    """Words that were typed one after the other, and how many papers have them, the most telling first.

    Each part has a word that those before it lack.
    """
    words = list(weights)
    runs = [words[at : at + most] for most in range(1, len(words)) for at in range(len(words) + 1 - most)]
    parts: list[Part] = []
    offered: set[Word] = set()
    for some in sorted(runs, key=lambda some: -sum(weights[word] for word in some)):
        if len(parts) < PARTS and not offered.issuperset(some) and (papers := count(some)):
            parts.append((" ".join(word.typed for word in some), papers))
            offered.update(some)
    return tuple(parts)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What stands together in a paper: words and stems of its title and of each sentence, with the authors; neighbours."""

    title: frozenset[str]
    passages: tuple[frozenset[str], ...]
    pairs: frozenset[frozenset[str]]

    @classmethod
    def of(cls, paper: Paper) -> Self:
        texts = [words_of(tokens(text)) for text in (paper.title, *sentences(paper.abstract))]
        names = words_of(tokens(" ".join(paper.authors)))
        passages = tuple(frozenset((*words, *_stems(words), *names, *_stems(names))) for words in texts)
        pairs = frozenset(frozenset(pair) for words in (*texts, names) for pair in pairwise(_stems(words)))
        return cls(frozenset(_stems(telling(tokens(paper.title)))), passages, pairs)

    def titled(self, typed: frozenset[str]) -> bool:
        """Whether the title seems to be what was typed."""
        return len(self.title) > 1 and len(self.title & typed) >= TITLED * len(self.title)

    def said(self, weights: Mapping[Word, float], ranking: Ranking, meanings: Meanings) -> float:
        """The largest share of the words' rarity that stands together; a word that no paper has as it is spelled nearly."""
        forms = {word: list(_forms(word, meanings)) for word in weights}
        misspelt = {word for word in weights if ranking.may_be_misspelt(word)}

        def is_in(word: Word, here: frozenset[str]) -> bool:
            close = word in misspelt and all(get_close_matches(part, here, 1, CLOSE) for part in word.parts)
            return close or any(form <= here for form in forms[word])

        said = max(sum(weights[word] for word in weights if is_in(word, here)) for here in self.passages)
        return said / sum(weights.values())


def _pairs(asked: ParsedSearch) -> frozenset[frozenset[str]]:
    """The stems of words that were typed next to each other, as in "dark energy"."""
    content = set(asked.content)
    typed = [pair for pair in pairwise(asked.words) if content.issuperset(pair)]
    return frozenset(frozenset(_stems([one.parts[-1], other.parts[0]])) for one, other in typed)


def _forms(word: Word, meanings: Meanings) -> Iterator[frozenset[str]]:
    """Each way of writing the word, as the stems that belong to it."""
    yield frozenset(_stems(word.parts))
    if word.joined:
        yield frozenset(_stems([word.joined]))
    for phrase in (*word.spelled_out, meanings.get(word.parts[0], ())):
        if phrase:
            yield frozenset(_stems(phrase))


def _stems(words: Sequence[str]) -> list[str]:
    analyzer = stemmer()
    return [analyzer.analyze(word)[0] for word in words]
