"""Any category of bioRxiv and medRxiv, read because a subscription asks for it.

Their API lists all papers of a day, so that one source for each server reads every category that is followed.
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
"""Time in which new papers come: they are posted all day, and the list is read every two hours."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far the server was read, and for which categories."""

    inner: str | None = None
    """The cursor of the source that reads all categories; None for the list of the last 14 days."""
    known: tuple[str, ...] = ()
    """Categories for which the last 14 days have been read."""
    walking: tuple[str, ...] | None = None
    """The categories of a list whose reading has begun."""

    def __str__(self) -> str:
        return json.dumps({"inner": self.inner, "known": self.known, "walking": self.walking})

    @classmethod
    def parse(cls, written: str) -> Self:
        """The inverse of `str`. Raises SourceError for anything else."""
        try:
            fields: dict[str, Any] = json.loads(written)
            walking = fields["walking"]
            return cls(fields["inner"], tuple(fields["known"]), None if walking is None else tuple(walking))
        except (ValueError, TypeError, KeyError) as error:
            raise SourceError(
                f"the cursor of followed categories in Redis can't be read: {written!r}"
            ) from error


class FollowedBiorxiv:
    """The followed categories of one server. A category that is added is read 14 days back, as history."""

    def __init__(self, server: Server, everything: Source) -> None:
        self.name = f"{server}:on-demand"
        self.since: Mapping[str, datetime] = {}
        """Each category, and since when it has been followed."""
        self._everything = everything

    async def fetch(self, cursor: str | None) -> Batch:
        """The next page of all papers, without those of other categories."""
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
    """Reads categories of one server."""

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
        """Those that the operator follows."""
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
    """Whether it was posted after one of its categories was followed.

    On the first day itself, what a second list has and the first one hadn't is news.
    """
    day = paper.published.date()
    for category in since.keys() & set(paper.categories):
        first = since[category].astimezone(UTC).date()
        if day > first or (day == first and category in known):
            return True
    return False
