"""Measure how well recorded searches with judged papers are ranked."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from math import log2
from pathlib import Path
from typing import Any

from bot.domain.models import Paper
from bot.query import Identifier, Or
from bot.search.fields import day_of
from bot.search.index import Index
from bot.search.query_parser import parse_search
from bot.search.ranking import Ranking
from bot.text import clean

WHEN = datetime(2021, 1, 1, tzinfo=UTC)
"""Approximate date of the recordings."""


def ndcg10(path: Path) -> float:
    """Return the mean over all searches in `path`; a candidate that isn't found counts as ranked last."""
    searches = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    papers = {paper.id: paper for search in searches for paper in map(_paper, search["candidates"])}
    index = Index()
    index.become_writer()
    index.write(papers.values(), (), 0)
    ranking = Ranking(index.schema, index.searcher(), day_of(WHEN))
    scores = [_score(search["query"], _grades(search), ranking) for search in searches]
    return sum(scores) / len(scores)


def _score(query: str, grades: Mapping[str, int], ranking: Ranking) -> float:
    search = replace(parse_search(query), must=Or(tuple(map(Identifier, grades))))
    found = [paper_id for paper_id in ranking.search(search, enough=len(grades)).ids if paper_id in grades]
    worst = sorted(grades.keys() - found, key=lambda paper_id: grades[paper_id])
    ideal = _gain(sorted(grades.values(), reverse=True))
    return _gain([grades[paper_id] for paper_id in (*found, *worst)]) / ideal


def _gain(grades: Sequence[int]) -> float:
    return sum((2.0**grade - 1) / log2(place + 2) for place, grade in enumerate(grades[:10]))


def _grades(search: Mapping[str, Any]) -> dict[str, int]:
    return {str(candidate["corpus_id"]): int(candidate["score"]) for candidate in search["candidates"]}


def _paper(candidate: Mapping[str, Any]) -> Paper:
    return Paper(
        id=str(candidate["corpus_id"]),
        title=clean(candidate["title"] or ""),
        abstract=clean(candidate["abstract"] or ""),
        authors=tuple(map(clean, candidate["author_names"])),
        url="",
        published=datetime(int(candidate["year"] or WHEN.year), 1, 1, tzinfo=UTC),
    )
