"""What a query would have posted lately: shown before anybody is bothered by it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.cards.say import count
from bot.commands.services import Services
from bot.domain.models import Paper
from bot.query import Query
from bot.search.recent_papers import KEPT

DAYS = KEPT.days
BROAD = 20
"""Papers a day. A channel that gets more than that is soon muted by its people."""


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
    ids = await services.recent.matching(query)
    if not len(services.recent):
        return _on_sample(query, await services.papers.since(services.now() - KEPT))
    papers = await services.papers.get(ids)
    days = min(DAYS, services.recent.days)
    return Lookback(len(services.recent), _newest_first(papers.values()), days, services.recent.is_sample)


def _on_sample(query: Query, papers: Sequence[Paper]) -> Lookback:
    matching = [paper for paper in papers if query.matches(paper)]
    days = len({paper.published.date() for paper in papers})
    return Lookback(len(papers), _newest_first(matching), min(DAYS, days), sample=bool(papers))


def _newest_first(papers: Iterable[Paper]) -> tuple[Paper, ...]:
    return tuple(sorted(papers, key=lambda paper: paper.published, reverse=True))
