"""Decides whether any paper is about the search, or papers only share words with it."""

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
from bot.text.terms import significant_words

MAX_PAPERS = 10
"""Maximum number of papers, the best ones, whose sentences are checked."""
PAPER_SHARE = {2: 1.0, 3: 0.77, 4: 0.6}
"""Number of words -> minimum share of their total rarity that a paper about them has. More words aren't checked."""
MANY_SHARE, FEW_SHARE, PAIR_SHARE = 0.9, 0.6, 0.5
"""Minimum share of the words' total rarity in one sentence or title of a paper about them: for many words, for up to
FEW, and in a paper that has two words side by side that were typed side by side. In papers about something else the
words are far apart: "fast radio bursts" isn't "a fast code for radio links with bursts of errors"."""
FEW = 3
SEVERAL, SEVERAL_SHARE = 3, 0.45
"""If SEVERAL papers each have a sentence with this share, they are also about the words."""
TITLE_SHARE = 0.6
"""If at least this share of a title's words was typed, and other words are misspelt, the search means that paper."""
SEVERAL_ALONE_SHARE = 0.6
"""If SEVERAL papers have a sentence with this share, they are about the words even if no paper reaches PAPER_SHARE."""
PARTS = 3
"""Maximum number of parts offered if nothing is about the whole search."""

CLOSE = 0.8
"""Minimum similarity of a misspelt word and the intended one, from 0 to 1 (difflib's ratio)."""

Meanings = Mapping[str, Sequence[str]]
Part = tuple[str, int]
"""Some of the words, and the number of papers that have them."""


def split_search(
    parsed: ParsedSearch, papers: Sequence[Paper], total: int, ranking: Ranking, days: int | None
) -> tuple[Part, ...] | None:
    """Split a search into parts if no paper is about all of it; return None if one is.

    `papers` are the best results, and `total` papers have all the words. A long question is never split.
    """
    words = parsed.content
    if not 2 <= len(words) < LONG or (total and len(words) == 2):
        return None
    weights = {word: ranking.rarity(word) for word in words}

    def nearly(some: Sequence[Word]) -> int:
        return ranking.count_with(some, parsed, days, nearly=True)

    def count(some: Sequence[Word]) -> int:
        return ranking.count_with(some, parsed, days)

    held = total > 0 or _is_held(weights, nearly)
    if held and len(words) < FEW:
        return None
    return None if _is_covered(parsed, weights, papers, ranking, held=held) else _parts(weights, count)


def _is_covered(
    parsed: ParsedSearch,
    weights: Mapping[Word, float],
    papers: Sequence[Paper],
    ranking: Ranking,
    *,
    held: bool,
) -> bool:
    """Whether papers have enough of the words close together; `held`: at least one paper has most of them somewhere."""
    meanings, pairs = dict(parsed.meanings), _pairs(parsed)
    known = [word for word in parsed.words if not ranking.is_unknown(word)]
    typed = frozenset(_stems([part for word in known for part in word.parts]))
    misspelt = len(known) < len(parsed.words)
    pair_found = not pairs or len(weights) <= FEW
    shares: list[float] = []
    for paper in papers[:MAX_PAPERS]:
        passages = _Passages.of(paper)
        shares.append(passages.best_share(weights, ranking, meanings))
        has_pair = bool(pairs & passages.pairs)
        least = PAIR_SHARE if has_pair else FEW_SHARE if not pairs or len(weights) <= FEW else MANY_SHARE
        if (misspelt and passages.titled(typed)) or (held and shares[-1] >= least):
            return True
        pair_found = pair_found or has_pair
    several = sorted(shares, reverse=True)[SEVERAL - 1] if len(shares) >= SEVERAL else 0.0
    if held:
        return pair_found and several >= SEVERAL_SHARE
    return several >= SEVERAL_ALONE_SHARE and len(weights) >= FEW


def _is_held(weights: Mapping[Word, float], count: Callable[[Sequence[Word]], int]) -> bool:
    """Whether a paper has most of the words, by rarity."""
    least = PAPER_SHARE.get(len(weights), 0.0) * sum(weights.values())
    subsets = [some for most in range(len(weights), 0, -1) for some in combinations(weights, most)]
    enough = [some for some in subsets if sum(weights[word] for word in some) >= least]
    return len(weights) not in PAPER_SHARE or any(map(count, enough))


def _parts(weights: Mapping[Word, float], count: Callable[[Sequence[Word]], int]) -> tuple[Part, ...]:
    """Runs of adjacent typed words with the number of papers that have them, the most significant first.

    Each part has a word that the parts before it lack.
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
class _Passages:
    """The words that are close together in a paper."""

    title: frozenset[str]
    passages: tuple[frozenset[str], ...]
    """Words and stems of the title and of each sentence, each with the authors' names."""
    pairs: frozenset[frozenset[str]]
    """Stems of adjacent words."""

    @classmethod
    def of(cls, paper: Paper) -> Self:
        texts = [words_of(tokens(text)) for text in (paper.title, *sentences(paper.abstract))]
        names = words_of(tokens(" ".join(paper.authors)))
        passages = tuple(frozenset((*words, *_stems(words), *names, *_stems(names))) for words in texts)
        pairs = frozenset(frozenset(pair) for words in (*texts, names) for pair in pairwise(_stems(words)))
        return cls(frozenset(_stems(significant_words(tokens(paper.title)))), passages, pairs)

    def titled(self, typed: frozenset[str]) -> bool:
        """Whether the title is probably what was typed."""
        return len(self.title) > 1 and len(self.title & typed) >= TITLE_SHARE * len(self.title)

    def best_share(self, weights: Mapping[Word, float], ranking: Ranking, meanings: Meanings) -> float:
        """Return the largest share of the words' rarity in one passage. Words that seem misspelt match similar ones."""
        forms = {word: list(_forms(word, meanings)) for word in weights}
        misspelt = {word for word in weights if ranking.may_be_misspelt(word)}

        def is_in(word: Word, passage: frozenset[str]) -> bool:
            close = word in misspelt and all(
                get_close_matches(part, passage, 1, CLOSE) for part in word.parts
            )
            return close or any(form <= passage for form in forms[word])

        best = max(
            sum(weights[word] for word in weights if is_in(word, passage)) for passage in self.passages
        )
        return best / sum(weights.values())


def _pairs(parsed: ParsedSearch) -> frozenset[frozenset[str]]:
    """The stems of words that were typed next to each other, as in "dark energy"."""
    content = set(parsed.content)
    typed = [pair for pair in pairwise(parsed.words) if content.issuperset(pair)]
    return frozenset(frozenset(_stems([first.parts[-1], second.parts[0]])) for first, second in typed)


def _forms(word: Word, meanings: Meanings) -> Iterator[frozenset[str]]:
    """Each way to spell the word, as a set of stems."""
    yield frozenset(_stems(word.parts))
    if word.joined:
        yield frozenset(_stems([word.joined]))
    for phrase in (*word.spelled_out, meanings.get(word.parts[0], ())):
        if phrase:
            yield frozenset(_stems(phrase))


def _stems(words: Sequence[str]) -> list[str]:
    analyzer = stemmer()
    return [analyzer.analyze(word)[0] for word in words]
