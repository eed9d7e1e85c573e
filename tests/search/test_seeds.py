"""The papers of the reference page are found by their titles, however the titles are typed."""

import json
import re
from pathlib import Path

from bot.domain.models import Paper
from bot.search.fields import day_of
from bot.search.index import Index
from bot.search.query_parser import parse_search
from bot.search.ranking import Ranking
from bot.text import clean
from tests.papers import SPRING, a_paper

MARKUP = re.compile(r"[\\$^{}]")


def seeds(folder: Path) -> list[tuple[str, Paper]]:
    """Return each title as in its source, with the paper."""
    rows = json.loads((folder / "seed_papers.json").read_text("utf-8"))
    return [
        (row["title"], a_paper(f"seed{n}", title=clean(row["title"]), abstract=clean(row["abstract"])))
        for n, row in enumerate(rows)
    ]


def test_every_title_finds_its_paper_first_with_or_without_latex(shared_data: Path) -> None:
    papers = seeds(shared_data)
    index = Index()
    index.become_writer()
    index.write([paper for _, paper in papers], (), 0)
    ranking = Ranking(index.schema, index.searcher(), day_of(SPRING))
    missed = [
        (typed, paper.title)
        for title, paper in papers
        for typed in dict.fromkeys((title, paper.title, MARKUP.sub("", title), title.lower(), title.upper()))
        if ranking.search(parse_search(typed)).ids[:1] != (paper.id,)
    ]
    assert missed == []
