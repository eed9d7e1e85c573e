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
"""Minimum number of disliked papers for a proposal."""
WORTH = 2
"""Minimum number of disliked papers that a narrower query must exclude."""
EXCLUSIONS = 2
MAX_SHARE = 0.5
"""Maximum share of the other recent matches that an exclusion can remove."""
MAX_CANDIDATES = 150
"""Maximum number of words and word pairs tried as exclusions."""
NOISE_CUT = 1 / 3
"""Minimum share of the papers without a like that exclusions must remove to be offered."""
FOLDS = 3
"""Number of folds of the liked papers in a back-test (cross-validation)."""
MIN_LETTERS = 3
"""Minimum length of a word that is tried as an exclusion."""


@dataclass(frozen=True, slots=True)
class Narrower:
    """Proposed exclusions, and their effect on past papers."""

    exclusions: str
    """As spelled in a query: `-survey -"image synthesis"`."""
    left_out: int
    """Number of disliked papers that would not have been posted."""
    disliked: int
    kept: int
    """Number of liked papers, all of which would have been posted."""


def narrower(
    query: Query, liked: Sequence[Paper], disliked: Sequence[Paper], others: Sequence[Paper]
) -> Narrower | None:
    """Find one or two words or word pairs that exclude most of the disliked papers and none of the liked ones.

    `others` are recent matches of the query: a word that most of them contain isn't specific. Returns None if no
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
    """Whether the exclusions pass a back-test.

    They must remove at least NOISE_CUT of the papers without a like, and exclusions found without some of the liked
    papers must not remove those. Without any liked paper, the test fails.
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
    """Return the query with these exclusions. Raises UserError if it gets too long."""
    return parse(f"({query}) {exclusions}")


def _best(
    candidates: Sequence[str],
    left: Sequence[PaperView],
    keep: Sequence[PaperView],
    crowd: Sequence[PaperView],
) -> str | None:
    """Return the candidate that excludes most of `left`; if several do, the one that excludes the fewest of `crowd`."""
    merits: dict[str, tuple[int, float, int]] = {}
    for place, candidate in enumerate(candidates):
        holds = parse(candidate).holds_for
        excluded, share = sum(map(holds, left)), sum(map(holds, crowd)) / max(1, len(crowd))
        if excluded and share <= MAX_SHARE and not any(map(holds, keep)):
            merits[candidate] = (excluded, -share, -place)
    return max(merits, key=merits.__getitem__, default=None)


def _candidates(papers: Iterable[Paper], own: set[str]) -> list[str]:
    """Return words and word pairs of the papers, those in most titles first."""
    found: Counter[str] = Counter()
    for paper in papers:
        found.update({term for text in (paper.title, paper.abstract) for term in _terms(text, own)})
        found.update(dict.fromkeys(_terms(paper.title, own), 2))
    return [term for term, _ in found.most_common(MAX_CANDIDATES) if _can_be_excluded(term)]


def _terms(text: str, own: set[str]) -> set[str]:
    words = [token.word for token in tokens(text) if token.end - token.start == 1]
    fit = {word for word in words if len(word) >= MIN_LETTERS and word.isalpha() and word not in own}
    return fit | {f'"{a} {b}"' for a, b in pairwise(words) if a in fit and b in fit}


def _own_words(query: Query) -> set[str]:
    """Return the words of the query itself, which must not be excluded."""
    return {word for term, _ in terms_of(query.root) if isinstance(term, Phrase) for word in term.words}


def _can_be_excluded(term: str) -> bool:
    try:
        return not parse(term).has_signals  # `trending` alone is a signal
    except UserError:
        return False
