"""The port of sources, which list papers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from bot.domain.models import Paper


@dataclass(frozen=True, slots=True)
class Batch:
    """The result of one fetch of a source."""

    papers: tuple[Paper, ...]
    """Papers that are listed now; those that are new to us are matched and posted."""
    cursor: str
    """Passed to the next `fetch`; stored together with the papers or not at all."""
    history: tuple[Paper, ...] = ()
    """Older papers: stored for search and back-tests, never posted."""
    trending: tuple[str, ...] | None = None
    """Ids in the source's trending order; None if it has none or didn't answer."""
    updates: tuple[Paper, ...] = ()
    """New facts about papers that we know already; those about other papers are ignored."""
    more: bool = False
    """There is another page to fetch at once. Its cursor differs from this one's."""
    alarm: str | None = None
    """A warning for the operator, although the fetch succeeded."""
    skipped: Mapping[str, int] | None = None
    """Number of unreadable rows in the response, by reason; None if the response is the same as before."""
    announced: Mapping[str, date] = field(default_factory=dict)
    """Paper id -> the day (UTC) on which it was announced; empty if the source doesn't report it."""


class Source(Protocol):
    """An upstream that lists papers."""

    @property
    def name(self) -> str:
        """Unique among sources. `source:` matches the part before a colon (`arxiv:cs.CL`)."""

    async def fetch(self, cursor: str | None) -> Batch:
        """Fetch the papers that are listed now or since `cursor`, which is None at the first poll.

        Raises SourceError. A body that can't be read is an error, never "no papers".
        """

    def next_poll(self, now: datetime) -> datetime:
        """Return the time of the next poll after one that succeeded at `now`."""
