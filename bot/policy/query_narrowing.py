"""Proposes exclusions for a subscription whose papers get many 👎."""

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
"""Disliked papers from which on a narrower query is proposed."""
WORTH = 2
"""Disliked papers that a narrower query must exclude at least."""
EXCLUSIONS = 2
LONGEST_SHARE = 0.5
"""Share of the other recent matches that an exclusion may remove at most."""
LOOKED_AT = 150
"""Words and word pairs that are tried as exclusions."""
NOISE_CUT = 1 / 3
"""Share of the papers that aren't liked that exclusions must cut to be offered."""
FOLDS = 3
"""Parts of the liked papers that are left out by turns in a back-test."""
SHORTEST = 3
"""Letters of the shortest word that is tried as an exclusion."""


@dataclass(frozen=True, slots=True)
class Narrower:
    """A proposed exclusion, and what it would have done."""

    exclusions: str
    """As typed: `-survey -"image synthesis"`."""
    left_out: int
    """Disliked papers that would not have been posted."""
    disliked: int
    kept: int
    """Liked papers, all of which would have been posted."""


def narrower(
    query: Query, liked: Sequence[Paper], disliked: Sequence[Paper], others: Sequence[Paper]
) -> Narrower | None:
    """One or two words or word pairs that exclude most of the disliked papers and none of the liked ones.

    `others` are recent matches of the query: a word that most of them contain is not specific. Returns None if no
    exclusion is good enough.
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


def holds_up(
    offer: Narrower, query: Query, liked: Sequence[Paper], disliked: Sequence[Paper], others: Sequence[Paper]
) -> bool:
    """Whether a back-test speaks for the exclusions: they cut at least NOISE_CUT of what isn't liked, and exclusions found
    without some of the liked papers would not have lost those either. Without any liked paper there is no such test.
    """
    left = narrowed(str(query), offer.exclusions)
    noise = [*disliked, *others]
    if not liked or sum(not left.matches(paper) for paper in noise) < NOISE_CUT * len(noise):
        return False
    folds = min(FOLDS, len(liked))
    for fold in range(folds):
        hidden = liked[fold::folds]
        rest = [paper for place, paper in enumerate(liked) if place % folds != fold]
        found = narrower(query, rest, disliked, others)
        if found is not None:
            without = narrowed(str(query), found.exclusions)
            if any(query.matches(paper) and not without.matches(paper) for paper in hidden):
                return False
    return True


def narrowed(query: str, exclusions: str) -> Query:
    """The query with these exclusions. Raises UserError if it gets too long."""
    return parse(f"({query}) {exclusions}")


def _best(
    candidates: Sequence[str],
    left: Sequence[PaperView],
    keep: Sequence[PaperView],
    crowd: Sequence[PaperView],
) -> str | None:
    """The candidate that excludes most of `left`; of equal ones, the one that excludes the fewest of `crowd`."""
    merits: dict[str, tuple[int, float, int]] = {}
    for place, candidate in enumerate(candidates):
        holds = parse(candidate).holds_for
        gone, touched = sum(map(holds, left)), sum(map(holds, crowd)) / max(1, len(crowd))
        if gone and touched <= LONGEST_SHARE and not any(map(holds, keep)):
            merits[candidate] = (gone, -touched, -place)
    return max(merits, key=merits.__getitem__, default=None)


def _candidates(papers: Iterable[Paper], own: set[str]) -> list[str]:
    """Words and word pairs of the papers, those in most titles first."""
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
    """The words of the query itself, which must not be excluded."""
    return {word for term, _ in terms_of(query.root) if isinstance(term, Phrase) for word in term.words}


def _can_be_ruled_out(term: str) -> bool:
    try:
        return not parse(term).has_signals  # `trending` alone is a signal
    except UserError:
        return False
