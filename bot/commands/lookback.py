"""What a query would have posted lately: shown before anybody is bothered by it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta

from bot.cards.say import count
from bot.commands.services import Services
from bot.models import Paper
from bot.query import Query
from bot.sample import SOURCE

DAYS = 14
BROAD = 20
"""Papers a day. A channel that gets more than that is soon muted by its people."""
AT_ONCE = 50
"""Papers looked at before others on the event loop have their turn: a few milliseconds."""


@dataclass(frozen=True, slots=True)
class Lookback:
    """The papers of the last DAYS days, and which of them match, newest first."""

    seen: int
    matching: tuple[Paper, ...]
    days: int
    """On how many of those days papers appeared at all: weekends have none, nor has a fresh installation."""
    sample: bool = False
    """They are the bundled sample, for nothing else was read yet."""

    @property
    def per_day(self) -> int:
        """Matching papers on a day that has papers."""
        return round(len(self.matching) / max(1, self.days))

    @property
    def broad(self) -> bool:
        """Whether it is too much for most channels."""
        return self.per_day > BROAD

    def sentence(self) -> str:
        """What was found, in words."""
        if not self.seen:
            return "No papers have been read yet, so there is nothing to look back on."
        papers = count(self.seen, "paper")
        past = (
            f"the {papers} of the bundled sample" if self.sample else f"the {papers} of the last {DAYS} days"
        )
        if not self.matching:
            return f"None of {past} match: a rare subject, or a word too many."
        return f"Of {past} it would have posted {len(self.matching):,}."


async def look_back(query: Query, services: Services) -> Lookback:
    """Try `query` on the papers of the last DAYS days."""
    papers = await services.papers.since(services.now() - timedelta(days=DAYS))
    matching: list[Paper] = []
    for start in range(0, len(papers), AT_ONCE):
        matching += [paper for paper in papers[start : start + AT_ONCE] if query.matches(paper)]
        await asyncio.sleep(0)
    matching.sort(key=lambda paper: paper.published, reverse=True)
    sample = any(SOURCE in paper.sources for paper in papers)
    return Lookback(len(papers), tuple(matching), _days(papers), sample)


def _days(papers: Sequence[Paper]) -> int:
    return min(DAYS, len({paper.published.astimezone(UTC).date() for paper in papers}))
