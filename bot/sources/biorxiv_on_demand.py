"""Categories of bioRxiv and medRxiv that are read because a subscription asks for them.

The API lists all papers of a day, so one source per server reads all followed categories.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Self

from bot.domain.errors import SourceError
from bot.domain.models import Paper
from bot.domain.source_titles import SOURCE_TITLES
from bot.ports import Batch, Source
from bot.sources.categories import BIORXIV, MEDRXIV

Server = Literal["biorxiv", "medrxiv"]

_CATEGORIES: Mapping[Server, Mapping[str, str]] = {"biorxiv": BIORXIV, "medrxiv": MEDRXIV}
NEXT_PAPERS = timedelta(hours=4)
"""Time within which new papers appear: they are posted all day, and the list is read every two hours."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Position in a server's list, and the categories for which it has been read."""

    inner: str | None = None
    """Cursor of the source that reads all categories; None to read the last 14 days."""
    known: tuple[str, ...] = ()
    """Categories for which the last 14 days have been read."""
    walking: tuple[str, ...] | None = None
    """Categories for which a list is being read; None between two lists."""

    def __str__(self) -> str:
        return json.dumps({"inner": self.inner, "known": self.known, "walking": self.walking})

    @classmethod
    def parse(cls, value: str) -> Self:
        """Parse what `str` returned. Raises SourceError for anything else."""
        try:
            fields: dict[str, Any] = json.loads(value)
            walking = fields["walking"]
            return cls(fields["inner"], tuple(fields["known"]), None if walking is None else tuple(walking))
        except (ValueError, TypeError, KeyError) as error:
            raise SourceError(
                f"the cursor of followed categories in Redis can't be read: {value!r}"
            ) from error


class FollowedBiorxiv:
    """The followed categories of one server. When a category is added, its last 14 days are read as history."""

    def __init__(self, server: Server, everything: Source) -> None:
        self.name = f"{server}:on-demand"
        self.since: Mapping[str, datetime] = {}
        """Each category, and the time since which it has been followed."""
        self._everything = everything

    async def fetch(self, cursor: str | None) -> Batch:
        """Fetch the next page of papers in the followed categories."""
        reached = Cursor.parse(cursor) if cursor else Cursor()
        since = dict(self.since)
        if reached.walking is None:
            is_new = not since.keys() <= set(reached.known)
            reached = replace(reached, walking=tuple(sorted(since)), inner=None if is_new else reached.inner)
        batch = await self._everything.fetch(reached.inner)
        listed = [paper for paper in (*batch.papers, *batch.history) if since.keys() & set(paper.categories)]
        news = tuple(paper for paper in listed if _is_news(paper, since, reached.known))
        known, walking = (reached.known, reached.walking) if batch.more else (reached.walking or (), None)
        return replace(
            batch,
            papers=news,
            history=tuple(replace(paper, backfilled=True) for paper in listed if paper not in news),
            cursor=str(Cursor(batch.cursor, known, walking)),
        )

    def next_poll(self, now: datetime) -> datetime:
        return self._everything.next_poll(now)


class BiorxivOnDemand:
    """Reads categories of one server on demand."""

    def __init__(
        self,
        server: Server,
        everything: Source,
        *,
        limit: int,
        categories: Collection[str],
    ) -> None:
        self.name: str = server
        self.title = SOURCE_TITLES[server]
        self.limit = limit
        self._names = _CATEGORIES[server]
        self._categories = categories
        """Categories that the operator follows."""
        self._source = FollowedBiorxiv(server, everything)

    def has(self, category: str) -> bool:
        return category in self._names

    def is_read(self, category: str, followed: Collection[str] = ()) -> bool:
        return "all" in self._categories or category in self._categories or category in followed

    def source_names(self, _category: str) -> Sequence[str]:
        return ()

    def sources(self, followed: Mapping[str, datetime]) -> Sequence[Source]:
        self._source.since = followed
        return (self._source,) if followed else ()

    def next_papers(self, now: datetime) -> datetime:
        return now + NEXT_PAPERS


def _is_news(paper: Paper, since: Mapping[str, datetime], known: Collection[str]) -> bool:
    """Whether the paper was posted after one of its categories was followed.

    On the first day itself, papers that appear after the first list has been read are news.
    """
    day = paper.published.date()
    for category in since.keys() & set(paper.categories):
        first = since[category].astimezone(UTC).date()
        if day > first or (day == first and category in known):
            return True
    return False
