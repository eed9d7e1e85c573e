"""Some real papers of May 2026, for when no upstream can be reached, and for the tour.

Titles, names, dates and categories are the papers' own; each one's sentence was written for Paperboy and stands
where an abstract would be.
"""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any

from bot.domain.models import SAMPLE_SOURCE, Paper
from bot.store.papers import Papers


def sample_papers() -> tuple[Paper, ...]:
    """All of them, the earliest first. Their source marks them as a sample on every card."""
    records = json.loads(files("bot.terminal").joinpath("sample.json").read_text(encoding="utf-8"))
    return tuple(map(_paper, records))


def today() -> datetime:
    """The sample's present: the day after its last paper, so that it is news."""
    return sample_papers()[-1].published + timedelta(days=1)


class PapersOrSample(Papers):
    """The papers that were seen; the sample for as long as there are none.

    Nothing of the sample is written: the first real paper replaces it, and none of it counts as posted or seen.
    """

    async def since(self, moment: datetime) -> list[Paper]:
        """All of the sample, whatever `moment` is: to whoever tries it, it is what was published lately."""
        return await super().since(moment) or await self.stand_ins()

    async def get(self, ids: Iterable[str]) -> dict[str, Paper]:
        """The same for single papers: what was shown of the sample can be asked about."""
        wanted = list(ids)
        found = await super().get(wanted)
        if found or not wanted:
            return found
        return {paper.id: paper for paper in await self.stand_ins() if paper.id in wanted}

    async def stand_ins(self) -> list[Paper]:
        """The sample, if nothing was ever seen."""
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
