"""Several lists of found papers as one."""

from collections.abc import Sequence

from bot.domain.models import Paper

SETTLING = 60
"""How much the first places of a list differ from its others; the value of the method's authors (Cormack and others,
"Reciprocal rank fusion outperforms Condorcet and individual rank learning methods", SIGIR 2009)."""


def fused(lists: Sequence[Sequence[Paper]]) -> list[Paper]:
    """Each paper once, those high in many lists first; of two descriptions the earlier list's counts."""
    papers: dict[str, Paper] = {}
    scores: dict[str, float] = {}
    for found in lists:
        for rank, paper in enumerate({paper.id: paper for paper in found}.values(), 1):
            papers.setdefault(paper.id, paper)
            scores[paper.id] = scores.get(paper.id, 0.0) + 1 / (SETTLING + rank)
    return sorted(papers.values(), key=lambda paper: -scores[paper.id])
