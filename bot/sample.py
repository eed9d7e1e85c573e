"""Some real papers of May 2026, for when no upstream can be reached, and for the tour.

Titles, names, dates and categories are the papers' own; each one's sentence was written for Paperboy and stands
where an abstract would be.
"""

import json
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

from bot.models import Paper

SOURCE = "sample"


def sample_papers() -> tuple[Paper, ...]:
    """All of them, the earliest first. Their source marks them as a sample on every card."""
    records = json.loads(files("bot").joinpath("sample.json").read_text(encoding="utf-8"))
    return tuple(map(_paper, records))


def _paper(record: dict[str, Any]) -> Paper:
    return Paper(
        id=record["id"],
        title=record["title"],
        abstract=record["sentence"],
        authors=tuple(record["authors"]),
        url=f"https://arxiv.org/abs/{record['id']}",
        pdf_url=f"https://arxiv.org/pdf/{record['id']}",
        published=datetime.fromisoformat(record["published"]).replace(tzinfo=UTC),
        categories=tuple(record["categories"]),
        sources=(SOURCE,),
    )
