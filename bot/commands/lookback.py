"""The papers that a query would have posted lately, shown before it posts anything."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.cards.build import count
from bot.commands.services import Services
from bot.domain.models import Paper
from bot.query import Query
from bot.search.recent_papers import DAYS_BACK

DAYS = DAYS_BACK.days
MAX_PER_DAY = 20
"""Papers per day above which we ask first: people mute a channel that gets more."""


@dataclass(frozen=True, slots=True)
class Lookback:
    """Number of papers of the last DAYS days, and those that match, newest first."""

    seen: int
    matching: tuple[Paper, ...]
    days: int
    """Number of days with any papers: weekends and the time before the installation have none."""
    sample: bool = False
    """Whether the papers are the bundled sample, because no source has been read yet."""
    unread: int = 0
    """Number of papers of those days that are still being read after a start; `seen` doesn't include them."""

    @property
    def per_day(self) -> int:
        """Matching papers per day with papers."""
        return _per_day(len(self.matching), self.days)

    @property
    def broad(self) -> bool:
        """Whether the query would flood most channels."""
        return is_broad(len(self.matching), self.days)

    def sentence(self) -> str:
        """Return the result in words."""
        if self.unread:
            found = count(len(self.matching), "match", "matches")
            return (
                f"{found} so far; {count(self.unread, 'paper')} of the last {DAYS} days are still being read."
            )
        if not self.seen:
            return "No papers have been read yet, so I can't say how many this would bring."
        span = "in the bundled sample" if self.sample else f"in the last {DAYS} days"
        if not self.matching:
            return f"No matches {span}."
        return f"{count(len(self.matching), 'match', 'matches')} {span}, of {count(self.seen, 'paper')}."


def is_broad(papers: int, days: int) -> bool:
    """Whether so many papers on so many days would flood most channels."""
    return _per_day(papers, days) > MAX_PER_DAY


def _per_day(papers: int, days: int) -> int:
    return round(papers / max(1, days))


async def look_back(query: Query, services: Services) -> Lookback:
    """Try `query` on the papers of the last DAYS days."""
    ids = await services.recent.matching(query)
    unread = services.recent.unread
    if not len(services.recent) and not unread:
        return _on_sample(query, await services.papers.since(services.now() - DAYS_BACK))
    papers = await services.papers.get(ids)
    days = min(DAYS, services.recent.days)
    return Lookback(
        len(services.recent), _newest_first(papers.values()), days, services.recent.is_sample, unread
    )


def _on_sample(query: Query, papers: Sequence[Paper]) -> Lookback:
    matching = [paper for paper in papers if query.matches(paper)]
    days = len({paper.published.date() for paper in papers})
    return Lookback(len(papers), _newest_first(matching), min(DAYS, days), sample=bool(papers))


def _newest_first(papers: Iterable[Paper]) -> tuple[Paper, ...]:
    return tuple(sorted(papers, key=lambda paper: paper.published, reverse=True))
