"""What a channel likes among the papers that its subscriptions match, learned from 👍, 👎, saves and examples. Pure.

It only orders and folds what a subscription matched: a taste learned from a few papers finds new ones worse than a query
that a person writes. Method: Rocchio's over TF-IDF of words and word pairs. Few liked papers share few words with others, so
the recent papers most like them count as well, the less the more is liked.
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
"""Liked papers, and as many disliked ones, below which nothing is learned."""
TERMS = 60
"""Terms of a taste, those with the largest weights; they fit in about a kilobyte."""
DISLIKED, BACKGROUND = 0.2, 0.3
"""Weights of the disliked papers and of all others, where the liked ones weigh 1."""
SIMILAR, RESEMBLANCE = 20, 1.5
"""How many recent papers (and a tenth at most) count as similar to the liked ones, and their weight, divided by the number of
the liked ones."""
SHOWN = 3
"""Terms given as reasons for a paper."""
PAIR = 1.5
"""How much sooner a word pair is given as a reason than a word with the same weight."""
ORIGINS = 2
"""Papers that are stored with a term."""
WHOLE = 1000
"""A weight of 1, as it is stored."""
FOLDED_AT_FIRST, FOLDED_LATER = 0.4, 0.54
"""Share of recent matches that a taste folds, with ENOUGH likes and with SURE or more.

Three likes say little, so that less is folded: liked papers must not go under.
"""
SURE = 10
"""Liked papers from which on a taste folds the larger share."""

Idf = Callable[[str], float]
"""The rarity of a term among all papers: log(papers / papers with it)."""
Vector = Mapping[str, float]
"""Terms with weights."""


@dataclass(frozen=True, slots=True)
class TasteTerm:
    """A word or word pair, how much the channel likes (or, below 0, dislikes) it, and the papers that it came from: those
    that people liked or disliked, if any has it, else similar ones."""

    term: str
    weight: float
    papers: tuple[str, ...]

    def __str__(self) -> str:
        """As it is shown: `process reward`."""
        return self.term.replace("_", " ")

    @property
    def words(self) -> frozenset[str]:
        """The word, or both of a pair."""
        return frozenset(self.term.split("_"))

    @property
    def plain(self) -> float:
        """How well it says what a paper is about, from its form: a pair says more than its words."""
        return PAIR if "_" in self.term else 1.0


@dataclass(frozen=True, slots=True)
class Taste:
    """What was learned. Its `dump` has little more than 1 kB."""

    terms: tuple[TasteTerm, ...]
    likes: int
    dislikes: int
    threshold: float = 0.0
    """Matches with this score or a lower one are folded."""

    def score(self, paper: Paper) -> float:
        """How well a paper fits, between -1 and 1."""
        counts = _counts(paper)
        length = _length_in(paper.title, paper.abstract)
        return sum(term.weight * counts.get(term.term, 0.0) for term in self.terms) / (length or 1.0)

    def folds(self, paper: Paper) -> bool:
        """Whether the paper belongs among the rest rather than among the best."""
        return self.score(paper) <= self.threshold

    def reasons(self, paper: Paper) -> tuple[TasteTerm, ...]:
        """The terms that speak most for a paper, the strongest first; none that repeats a word of another."""
        counts = _counts(paper)
        liked = [term for term in self.terms if term.weight > 0 and term.term in counts]
        found: list[TasteTerm] = []
        for term in sorted(liked, key=lambda term: -term.weight * counts[term.term] * term.plain):
            if not any(term.words & other.words for other in found):
                found.append(term)
        return tuple(found[:SHOWN])

    def without(self, term: str) -> Self:
        """The same taste without one of its terms."""
        return replace(self, terms=tuple(one for one in self.terms if one.term != term.replace(" ", "_")))

    def dump(self) -> str:
        """As JSON, for `load`. Papers are listed once, and terms refer to them."""
        papers = list(dict.fromkeys(paper_id for one in self.terms for paper_id in one.papers))
        names = [one.term for one in self.terms]
        weights = [round(one.weight * WHOLE) for one in self.terms]
        places = [" ".join(str(papers.index(paper_id)) for paper_id in one.papers) for one in self.terms]
        values = [
            self.likes,
            self.dislikes,
            round(self.threshold, 4),
            papers,
            names,
            weights,
            ",".join(places),
        ]
        return json.dumps(values, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def load(cls, text: str) -> Self:
        """What `dump` wrote. Raises ValueError for anything else."""
        try:
            likes, dislikes, threshold, papers, names, weights, places = json.loads(text)
            origins = [one.split() for one in places.split(",")] if names else []
            found = tuple(
                TasteTerm(str(name), weight / WHOLE, tuple(str(papers[int(place)]) for place in some))
                for name, weight, some in zip(names, weights, origins, strict=True)
            )
            return cls(found, int(likes), int(dislikes), float(threshold))
        except (TypeError, ValueError, AttributeError, IndexError, KeyError) as error:
            raise ValueError(f"this is no stored taste: {error}") from error


@dataclass(frozen=True, slots=True)
class Background:
    """Papers that the channel's subscriptions matched lately. Each takes a millisecond, so it is made once a day."""

    papers: tuple[Paper, ...]
    vectors: tuple[Vector, ...]
    mean: Vector
    idf: Idf

    @classmethod
    def of(cls, papers: Iterable[Paper], idf: Idf) -> Self:
        """The mean of these papers, where `idf` says how rare a term is."""
        some = tuple(papers)
        vectors = tuple(_vector(paper, idf) for paper in some)
        return cls(some, vectors, _mean(vectors), idf)


def learn(liked: Sequence[Paper], disliked: Sequence[Paper], background: Background) -> Taste | None:
    """The taste that these papers show; None with fewer than ENOUGH of either.

    What the background has in common isn't taste, and its scores say how many papers would be folded.
    """
    if len(liked) < ENOUGH or len(disliked) < ENOUGH:
        return None
    likes, dislikes = ([_vector(paper, background.idf) for paper in some] for some in (liked, disliked))
    weights = _rocchio(_mean(likes), _mean(dislikes), background.mean)
    similar = _similar(weights, {paper.id for paper in (*liked, *disliked)}, background)
    for term, value in _mean([vector for _, vector in similar]).items():
        weights[term] += RESEMBLANCE / len(liked) * value
    # There may be 40,000 terms; to sort them all would take three times as long.
    least = min(nlargest(TERMS, map(abs, weights.values())), default=0.0)
    strong = [term for term, weight in weights.items() if abs(weight) >= least]
    strongest = sorted(strong, key=lambda term: (-abs(weights[term]), term))[:TERMS]
    length = sum(weights[term] ** 2 for term in strongest) ** 0.5 or 1.0
    liked_ones = [(paper.id, vector) for paper, vector in zip(liked, likes, strict=True)]
    others = [(paper.id, vector) for paper, vector in zip(disliked, dislikes, strict=True)]

    def origins(term: str) -> tuple[str, ...]:
        return (
            _origins(term, liked_ones) or _origins(term, similar)
            if weights[term] > 0
            else _origins(term, others)
        )

    found = tuple(TasteTerm(term, weights[term] / length, origins(term)) for term in strongest)
    taste = Taste(found, len(liked), len(disliked))
    return replace(taste, threshold=_threshold(taste, background.papers))


def named_term(text: str) -> str:
    """The term that a person means: `Process rewards` is `process_reward`. "" if there is none."""
    return (terms(text) or [""])[-1]


def idf_among(papers: Iterable[Paper]) -> Idf:
    """The rarity of terms among these papers, where no larger collection is at hand."""
    some = list(papers)
    frequency = Counter(term for paper in some for term in set(_counts(paper)))
    return lambda term: log((1 + len(some)) / (0.5 + frequency[term]))


def _threshold(taste: Taste, recent: Sequence[Paper]) -> float:
    """The score below which a share of the recent papers lies, depending on how much was learned from."""
    scores = sorted(taste.score(paper) for paper in recent)
    if not scores:
        return 0.0
    known = min(1.0, (taste.likes - ENOUGH) / (SURE - ENOUGH))
    share = FOLDED_AT_FIRST + known * (FOLDED_LATER - FOLDED_AT_FIRST)
    return scores[min(len(scores) - 1, int(share * len(scores)))]


def _rocchio(liked: Vector, disliked: Vector, background: Vector) -> dict[str, float]:
    weights = defaultdict[str, float](float, liked)
    for vector, weight in ((disliked, DISLIKED), (background, BACKGROUND)):
        for term, value in vector.items():
            weights[term] -= weight * value
    return weights


def _similar(weights: Vector, judged: set[str], background: Background) -> list[tuple[str, Vector]]:
    """The recent papers that fit the weights best, without those that people judged."""

    def fit(one: tuple[str, Vector]) -> float:
        return sum(weights.get(term, 0.0) * value for term, value in one[1].items())

    papers = zip((paper.id for paper in background.papers), background.vectors, strict=True)
    most = min(SIMILAR, len(background.papers) // 10)
    return nlargest(most, (one for one in papers if one[0] not in judged), key=fit)


def _origins(term: str, papers: Sequence[tuple[str, Vector]]) -> tuple[str, ...]:
    """Those of the papers that have the term: the one where it weighs most first."""
    having = [(vector[term], paper_id) for paper_id, vector in papers if term in vector]
    return tuple(paper_id for _, paper_id in sorted(having, key=lambda pair: -pair[0])[:ORIGINS])


def _vector(paper: Paper, idf: Idf) -> Vector:
    """TF-IDF of its terms, as a unit vector."""
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
    """How much each term says: a repeated one says more, but not twice as much.

    Remembered, because each new signal looks at the same recent papers again; it takes about a millisecond.
    """
    counts = Counter((*terms(title), *terms(abstract)))
    return {term: 1 + log(count) for term, count in counts.items()}


@lru_cache(maxsize=4096)
def _length_in(title: str, abstract: str) -> float:
    squares = sum(count * count for count in _counts_in(title, abstract).values())
    return sqrt(squares)
