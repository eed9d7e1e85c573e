"""A narrower query for a subscription that brings many papers people dislike. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from bot.domain.errors import UserError
from bot.domain.models import Paper
from bot.query import PaperView, Query, parse
from bot.query.nodes import Phrase, terms_of
from bot.text import tokens

DISLIKES = 3
"""Papers; from then on a narrower query is looked for."""
WORTH = 2
"""Disliked papers that it must leave out at least."""
EXCLUSIONS = 2
LONGEST_SHARE = 0.5
"""Of what else a query has matched lately, an exclusion may take away so much."""
LOOKED_AT = 150
"""Words and pairs of words."""
SHORTEST = 3
"""Letters of a word that is worth ruling out."""


@dataclass(frozen=True, slots=True)
class Narrower:
    """What to rule out, and what that would have done."""

    exclusions: str
    """As it is typed: `-survey -"image synthesis"`."""
    left_out: int
    """Disliked papers that would not have come."""
    disliked: int
    kept: int
    """Liked papers, all of which would have."""


def narrower(
    query: Query, liked: Sequence[Paper], disliked: Sequence[Paper], others: Sequence[Paper]
) -> Narrower | None:
    """One or two words or pairs of words to rule out, so that most of the disliked papers go and no liked one does.

    `others` are papers that the query matched lately: a word that most of them have says nothing.
    """
    left = [PaperView.of(paper) for paper in disliked if query.matches(paper)]
    keep = [PaperView.of(paper) for paper in liked if query.matches(paper)]
    crowd = [PaperView.of(paper) for paper in others]
    total, exclusions = len(left), list[str]()
    if total < DISLIKES or total < len(keep):
        return None
    candidates = _candidates(disliked, _own_words(query))
    while left and len(exclusions) < EXCLUSIONS:
        best = _best(candidates, left, keep, crowd)
        if best is None:
            break
        exclusions.append(f"-{best}")
        left = [reading for reading in left if not parse(best).holds_for(reading)]
    left_out = total - len(left)
    if left_out < max(WORTH, total / 2):
        return None
    return Narrower(" ".join(exclusions), left_out, total, len(keep))


def narrowed(query: str, exclusions: str) -> Query:
    """The query with these ruled out. Raises UserError where it becomes too long."""
    return parse(f"({query}) {exclusions}")


def _best(
    candidates: Sequence[str],
    left: Sequence[PaperView],
    keep: Sequence[PaperView],
    crowd: Sequence[PaperView],
) -> str | None:
    """What rules out most of `left`, and of several the one that touches the fewest others."""
    merits: dict[str, tuple[int, float, int]] = {}
    for place, candidate in enumerate(candidates):
        holds = parse(candidate).holds_for
        gone, touched = sum(map(holds, left)), sum(map(holds, crowd)) / max(1, len(crowd))
        if gone and touched <= LONGEST_SHARE and not any(map(holds, keep)):
            merits[candidate] = (gone, -touched, -place)
    return max(merits, key=merits.__getitem__, default=None)


def _candidates(papers: Iterable[Paper], own: set[str]) -> list[str]:
    """Words and pairs of words of the papers, those of most titles first."""
    found: Counter[str] = Counter()
    for paper in papers:
        found.update({term for text in (paper.title, paper.abstract) for term in _terms(text, own)})
        found.update(dict.fromkeys(_terms(paper.title, own), 2))
    return [term for term, _ in found.most_common(LOOKED_AT) if _can_be_ruled_out(term)]


def _terms(text: str, own: set[str]) -> set[str]:
    words = [token.word for token in tokens(text) if token.end - token.start == 1]
    fit = {word for word in words if len(word) >= SHORTEST and word.isalpha() and word not in own}
    return fit | {f'"{a} {b}"' for a, b in pairwise(words) if a in fit and b in fit}


def _own_words(query: Query) -> set[str]:
    """Of the query itself: to rule one of them out would end the subscription."""
    return {word for term, _ in terms_of(query.root) if isinstance(term, Phrase) for word in term.words}


def _can_be_ruled_out(term: str) -> bool:
    try:
        return not parse(term).has_signals  # `trending` alone would be one
    except UserError:
        return False
