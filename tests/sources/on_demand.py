"""Upstreams whose categories can be followed, for tests that never fetch from them."""

from collections.abc import Callable
from datetime import datetime

from bot.ports import Batch
from bot.sources.arxiv.calendar import Calendar
from bot.sources.arxiv.on_demand import ArxivOnDemand
from bot.sources.biorxiv_on_demand import BiorxivOnDemand


class Silent:
    """A source that lists nothing."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def fetch(self, cursor: str | None) -> Batch:
        return Batch((), cursor or "c")

    def next_poll(self, now: datetime) -> datetime:
        return now


def an_arxiv(
    now: Callable[[], datetime], *, limit: int = 150, categories: tuple[str, ...] = ("cs.AI", "cs.CL")
) -> ArxivOnDemand:
    """Return arXiv with the categories that the operator follows."""
    return ArxivOnDemand(
        lambda category: (Silent(f"arxiv:{category}"), Silent(f"arxiv:{category}:oai")),
        Calendar(),
        now,
        limit=limit,
        categories=categories,
    )


def a_biorxiv(*categories: str, limit: int = 100) -> BiorxivOnDemand:
    """Return bioRxiv with the categories that the operator follows."""
    return BiorxivOnDemand("biorxiv", Silent("biorxiv"), limit=limit, categories=categories)
