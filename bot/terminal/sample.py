"""Real papers of May 2026, for the tour and for when no upstream can be reached.

Titles, names, dates and categories are the papers' own; each one has a sentence written for Paperboy in
place of its abstract.
"""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any

from bot.domain.models import SAMPLE_SOURCE, Paper
from bot.store.papers import Papers


def sample_papers() -> tuple[Paper, ...]:
    """Return all sample papers, the earliest first. Their source marks them as a sample on every card."""
    records = json.loads(files("bot.terminal").joinpath("sample.json").read_text(encoding="utf-8"))
    return tuple(map(_paper, records))


def today() -> datetime:
    """Return the sample's current time: the day after its last paper, so that the paper is new."""
    return sample_papers()[-1].published + timedelta(days=1)


class PapersOrSample(Papers):
    """The papers that people see: the bundled sample until there are real ones.

    The sample is never written to Redis, so its papers don't count as posted or seen. The first real paper replaces it.
    """

    async def since(self, moment: datetime) -> list[Paper]:
        """Return the papers since `moment`, or the whole sample, since its papers count as recent."""
        return await super().since(moment) or await self.stand_ins()

    async def get(self, ids: Iterable[str]) -> dict[str, Paper]:
        """Return the papers with these ids, of the sample too."""
        wanted = list(ids)
        found = await super().get(wanted)
        if found or not wanted:
            return found
        return {paper.id: paper for paper in await self.stand_ins() if paper.id in wanted}

    async def stand_ins(self) -> list[Paper]:
        """Return the sample if there is no real paper yet, else nothing."""
        return [] if await self.any() else list(sample_papers())


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
        sources=(SAMPLE_SOURCE,),
    )
