"""Learns which of its matches a channel likes, from 👍, 👎, saves and examples. Pure.

A taste only orders and folds papers that a subscription matched: learned from a few papers, it finds new ones less
reliably than a query that a person writes. The method is Rocchio's, over TF-IDF of words and word pairs. Few liked
papers share few words with others, so the recent papers most similar to them count too, with a weight that falls as
likes rise.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from heapq import nlargest
from math import log, sqrt
from typing import Self

from bot.domain.models import Paper
from bot.text.terms import terms

ENOUGH = 3
"""Minimum number of liked papers, and of disliked papers, to learn from."""
TERMS = 60
"""Maximum number of terms in a taste, those with the largest weights; they fit in about a kilobyte."""
DISLIKED, BACKGROUND = 0.2, 0.3
"""Weights of the disliked papers and of all others; the liked ones weigh 1."""
SIMILAR, RESEMBLANCE = 20, 1.5
"""Maximum number of recent papers (at most a tenth of them) that count as similar to the liked ones, and their weight,
which is divided by the number of liked papers."""
SHOWN = 3
"""Maximum number of terms shown as reasons for a paper."""
PAIR = 1.5
"""Factor by which a word pair ranks above a word with the same weight when reasons are chosen."""
ORIGINS = 2
"""Maximum number of papers stored with a term."""
WHOLE = 1000
"""The stored value of a weight of 1."""
FOLDED_AT_FIRST, FOLDED_LATER = 0.4, 0.54
"""Share of recent matches that a taste folds, with ENOUGH likes and with SURE or more.

Three likes say little, so fewer papers are folded: it must not hide papers that people would like.
"""
SURE = 10
"""Number of liked papers from which a taste folds the larger share."""

Idf = Callable[[str], float]
"""Returns the rarity of a term among all papers: log(papers / papers with it)."""
Vector = Mapping[str, float]
"""Terms with weights."""


@dataclass(frozen=True, slots=True)
class TasteTerm:
    """A word or word pair with its weight, negative if the channel dislikes it, and the papers that it comes from.

    These are liked or disliked papers if one has the term, else similar papers.
    """

    term: str
    weight: float
    papers: tuple[str, ...]

    def __str__(self) -> str:
        """Return the term as shown to people: `process reward`."""
        return self.term.replace("_", " ")

    @property
    def words(self) -> frozenset[str]:
        """The word, or both of a pair."""
        return frozenset(self.term.split("_"))

    @property
    def plain(self) -> float:
        """Factor for how well the term explains a paper's topic: a pair says more than its words."""
        return PAIR if "_" in self.term else 1.0


@dataclass(frozen=True, slots=True)
class Taste:
    """A learned taste. Its `dump` is little more than 1 kB."""

    terms: tuple[TasteTerm, ...]
    likes: int
    dislikes: int
    threshold: float = 0.0
    """Matches with this score or less are folded."""

    def score(self, paper: Paper) -> float:
        """Return how well a paper fits, between -1 and 1."""
        counts = _counts(paper)
        length = _length_in(paper.title, paper.abstract)
        return sum(term.weight * counts.get(term.term, 0.0) for term in self.terms) / (length or 1.0)

    def folds(self, paper: Paper) -> bool:
        """Whether to fold the paper."""
        return self.score(paper) <= self.threshold

    def reasons(self, paper: Paper) -> tuple[TasteTerm, ...]:
        """Return the terms that contribute most to a paper's score, the strongest first; no two share a word."""
        counts = _counts(paper)
        liked = [term for term in self.terms if term.weight > 0 and term.term in counts]
        found: list[TasteTerm] = []
        for term in sorted(liked, key=lambda term: -term.weight * counts[term.term] * term.plain):
            if not any(term.words & other.words for other in found):
                found.append(term)
        return tuple(found[:SHOWN])

    def without(self, term: str) -> Self:
        """Return the taste without one of its terms."""
        return replace(self, terms=tuple(t for t in self.terms if t.term != term.replace(" ", "_")))

    def dump(self) -> str:
        """Return the taste as JSON, for `load`. Each paper is listed once, and terms refer to it by index."""
        papers = list(dict.fromkeys(paper_id for term in self.terms for paper_id in term.papers))
        names = [term.term for term in self.terms]
        weights = [round(term.weight * WHOLE) for term in self.terms]
        indexes = [" ".join(str(papers.index(paper_id)) for paper_id in term.papers) for term in self.terms]
        values = [
            self.likes,
            self.dislikes,
            round(self.threshold, 4),
            papers,
            names,
            weights,
            ",".join(indexes),
        ]
        return json.dumps(values, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def load(cls, text: str) -> Self:
        """Parse the output of `dump`. Raises ValueError for anything else."""
        try:
            likes, dislikes, threshold, papers, names, weights, indexes = json.loads(text)
            origins = [term_indexes.split() for term_indexes in indexes.split(",")] if names else []
            found = tuple(
                TasteTerm(
                    str(name), weight / WHOLE, tuple(str(papers[int(index)]) for index in indexes_of_term)
                )
                for name, weight, indexes_of_term in zip(names, weights, origins, strict=True)
            )
            return cls(found, int(likes), int(dislikes), float(threshold))
        except (TypeError, ValueError, AttributeError, IndexError, KeyError) as error:
            raise ValueError(f"this isn't a stored taste: {error}") from error


@dataclass(frozen=True, slots=True)
class Background:
    """Papers that the channel's subscriptions matched recently. Each takes a millisecond, so it is built once a day."""

    papers: tuple[Paper, ...]
    vectors: tuple[Vector, ...]
    mean: Vector
    idf: Idf

    @classmethod
    def of(cls, papers: Iterable[Paper], idf: Idf) -> Self:
        """Build the background of these papers; `idf` returns the rarity of a term."""
        collected = tuple(papers)
        vectors = tuple(_vector(paper, idf) for paper in collected)
        return cls(collected, vectors, _mean(vectors), idf)


def learn(liked: Sequence[Paper], disliked: Sequence[Paper], background: Background) -> Taste | None:
    """Learn a taste from these papers; None with fewer than ENOUGH of either.

    Terms that are common in the background don't show taste. Its papers' scores set the threshold for folding.
    """
    if len(liked) < ENOUGH or len(disliked) < ENOUGH:
        return None
    likes, dislikes = ([_vector(paper, background.idf) for paper in some] for some in (liked, disliked))
    weights = _rocchio(_mean(likes), _mean(dislikes), background.mean)
    similar = _similar(weights, {paper.id for paper in (*liked, *disliked)}, background)
    for term, value in _mean([vector for _, vector in similar]).items():
        weights[term] += RESEMBLANCE / len(liked) * value
    # There can be 40,000 terms; sorting all of them would take three times as long.
    least = min(nlargest(TERMS, map(abs, weights.values())), default=0.0)
    strong = [term for term, weight in weights.items() if abs(weight) >= least]
    strongest = sorted(strong, key=lambda term: (-abs(weights[term]), term))[:TERMS]
    length = sum(weights[term] ** 2 for term in strongest) ** 0.5 or 1.0
    liked_vectors = [(paper.id, vector) for paper, vector in zip(liked, likes, strict=True)]
    disliked_vectors = [(paper.id, vector) for paper, vector in zip(disliked, dislikes, strict=True)]

    def origins(term: str) -> tuple[str, ...]:
        return (
            _origins(term, liked_vectors) or _origins(term, similar)
            if weights[term] > 0
            else _origins(term, disliked_vectors)
        )

    found = tuple(TasteTerm(term, weights[term] / length, origins(term)) for term in strongest)
    taste = Taste(found, len(liked), len(disliked))
    return replace(taste, threshold=_threshold(taste, background.papers))


def named_term(text: str) -> str:
    """Return the term for a person's text: `process_reward` for `Process rewards`; "" if there is none."""
    return (terms(text) or [""])[-1]


def idf_among(papers: Iterable[Paper]) -> Idf:
    """Return the rarity of terms among these papers, for use without a larger collection."""
    collected = list(papers)
    frequency = Counter(term for paper in collected for term in set(_counts(paper)))
    return lambda term: log((1 + len(collected)) / (0.5 + frequency[term]))


def _threshold(taste: Taste, recent: Sequence[Paper]) -> float:
    """Return the score that folds a share of the recent papers; the share grows with the number of likes."""
    scores = sorted(taste.score(paper) for paper in recent)
    if not scores:
        return 0.0
    confidence = min(1.0, (taste.likes - ENOUGH) / (SURE - ENOUGH))
    share = FOLDED_AT_FIRST + confidence * (FOLDED_LATER - FOLDED_AT_FIRST)
    return scores[min(len(scores) - 1, int(share * len(scores)))]


def _rocchio(liked: Vector, disliked: Vector, background: Vector) -> dict[str, float]:
    weights = defaultdict[str, float](float, liked)
    for vector, weight in ((disliked, DISLIKED), (background, BACKGROUND)):
        for term, value in vector.items():
            weights[term] -= weight * value
    return weights


def _similar(weights: Vector, rated: set[str], background: Background) -> list[tuple[str, Vector]]:
    """Return the recent papers that fit the weights best, without those that people rated."""

    def fit(paper: tuple[str, Vector]) -> float:
        return sum(weights.get(term, 0.0) * value for term, value in paper[1].items())

    papers = zip((paper.id for paper in background.papers), background.vectors, strict=True)
    most = min(SIMILAR, len(background.papers) // 10)
    return nlargest(most, (paper for paper in papers if paper[0] not in rated), key=fit)


def _origins(term: str, papers: Sequence[tuple[str, Vector]]) -> tuple[str, ...]:
    """Return the papers that have the term, the one with the largest weight first."""
    having = [(vector[term], paper_id) for paper_id, vector in papers if term in vector]
    return tuple(paper_id for _, paper_id in sorted(having, key=lambda pair: -pair[0])[:ORIGINS])


def _vector(paper: Paper, idf: Idf) -> Vector:
    """Return the TF-IDF of a paper's terms, as a unit vector."""
    weights = {term: count * idf(term) for term, count in _counts(paper).items()}
    length = sum(weight * weight for weight in weights.values()) ** 0.5 or 1.0
    return {term: weight / length for term, weight in weights.items()}


def _mean(vectors: Sequence[Vector]) -> Vector:
    total = defaultdict[str, float](float)
    for vector in vectors:
        for term, weight in vector.items():
            total[term] += weight / len(vectors)
    return total


def _counts(paper: Paper) -> Vector:
    return _counts_in(paper.title, paper.abstract)


@lru_cache(maxsize=4096)
def _counts_in(title: str, abstract: str) -> Vector:
    """Return the weight of each term: a repeated term weighs more, but not twice as much.

    Cached, because each new vote scores the same recent papers again; it takes about a millisecond.
    """
    counts = Counter((*terms(title), *terms(abstract)))
    return {term: 1 + log(count) for term, count in counts.items()}


@lru_cache(maxsize=4096)
def _length_in(title: str, abstract: str) -> float:
    squares = sum(count * count for count in _counts_in(title, abstract).values())
    return sqrt(squares)
