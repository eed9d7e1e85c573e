"""arXiv's OAI-PMH interface as a source, one category each: slower than the feeds, but complete.

The feeds hold only the latest batch, and sometimes not all of it. OAI-PMH lists every change since
a day, so that no announced paper is missed, even after weeks of downtime.
"""

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from typing import Any, Self

from bot.domain.errors import SourceError
from bot.domain.models import Paper
from bot.ports import Batch
from bot.sources.arxiv.calendar import DAY, NEW_YORK, Calendar, new_york_time
from bot.sources.arxiv.oai_records import Page, Record, TokenExpired, parse_page
from bot.sources.context import Progress
from bot.sources.http import Upstream

TIMES = (time(7, 0), time(23, 0))
"""Times of the polls, in New York. arXiv updates the interface until about 22:30."""
FIRST_WALK = 14
"""Number of days that the very first fetch reads, as history."""
OVERLAP = 2
"""Number of days that are read again. A record that changes while a list is read moves to its end, and pages that are
split by counting then skip another record."""
LATE = 90
"""Age in days from which a paper is no longer news, even if it is unseen."""
MODERATION = 4
"""Maximum days from submission to announcement, for most papers: https://info.arxiv.org/help/availability.html."""
_GROUPS = ("cs", "econ", "eess", "math", "q-bio", "q-fin", "stat")
_NUMBERED = re.compile(r"(\d{4})\.(\d{4,5})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """Position in a category's list of changes. The last three fields are set between two pages of one list."""

    since: date
    """Every change before this day has been read."""
    began: date
    """The first day that the first fetch read."""
    newest: str
    """The newest identifier of the first fetch. Identifiers are assigned at announcement: a later one is news."""
    token: str | None = None
    """Resumption token, used only within a day that has more than one page."""
    answered: date | None = None
    """Date of the answer with the first page of the current list."""
    top: str = ""
    """The newest identifier on the pages of the first fetch so far."""

    def __str__(self) -> str:
        fields = {name: getattr(self, name) for name in self.__slots__}
        return json.dumps({name: value for name, value in fields.items() if value}, default=date.isoformat)

    @classmethod
    def parse(cls, value: str) -> Self:
        """Parse what `str` returned. Raises SourceError for anything else: starting over would skip papers."""
        try:
            fields: dict[str, Any] = {"newest": ""} | json.loads(value)
            for name in {"since", "began", "answered"} & fields.keys():
                fields[name] = date.fromisoformat(fields[name])
            return cls(**fields)
        except (ValueError, TypeError) as error:
            raise SourceError(f"the cursor of arXiv's OAI in Redis can't be read: {value!r}") from error


class ArxivOai:
    """One category, or a whole archive, of arXiv. Lists the papers that arXiv announced after the first fetch."""

    def __init__(
        self,
        category: str,
        upstream: Upstream,
        url: str,
        now: Callable[[], datetime],
        progress: Progress,
        *,
        calendar: Calendar,
        cross: bool = False,
    ) -> None:
        self.name = f"arxiv:{category}:oai"
        self._category = category
        self._upstream = upstream
        self._url = f"{url.rstrip('/')}/oai"
        self._now = now
        self._progress = progress
        self._calendar = calendar
        self._cross = cross

    async def fetch(self, cursor: str | None) -> Batch:
        """Fetch the next page of changes; the very first fetch reads 14 days of history."""
        now = self._now()
        reached = Cursor.parse(cursor) if cursor else _first(now)
        try:
            page = await self._page(reached)
        except TokenExpired:  # reads the day again: the store knows the papers read so far
            reached = replace(reached, token=None)
            page = await self._page(reached)
        self._report(reached, page, now)
        following = _after(reached, page)
        batch = self._news(page, reached, now) if reached.newest else self._first_news(page, reached, now)
        return replace(batch, cursor=str(following), more=following.answered is not None)

    def next_poll(self, now: datetime) -> datetime:
        today = now.astimezone(NEW_YORK).date()
        moments = (new_york_time(day, hour).astimezone(UTC) for day in (today, today + DAY) for hour in TIMES)
        return next(moment for moment in moments if moment > now)

    async def _page(self, reached: Cursor) -> Page:
        params = {"verb": "ListRecords"}
        if reached.token:
            params["resumptionToken"] = reached.token
        else:
            params |= {"metadataPrefix": "arXivRaw", "set": set_of(self._category)}
            params["from"] = reached.since.isoformat()
        answer = await self._upstream.get(self._url, params, slow=True)
        return await asyncio.to_thread(parse_page, answer.body)

    def _report(self, reached: Cursor, page: Page, now: datetime) -> None:
        days = (now.date() - reached.since).days + 1
        read = (page.records[-1].stamp - reached.since).days + 1 if page.records and page.token else days
        self._progress(self.name, max(1, min(read, days)), days)

    def _news(self, page: Page, reached: Cursor, now: datetime) -> Batch:
        """Build a batch of new papers, and updates of older ones."""
        papers, updates = [], []
        for record in page.records:
            if self._is_new(record, reached, now):
                papers.append(record.paper)
            else:
                updates.append(_update(record))
        # The first version's record is stamped when it is announced; a later one's, when it is replaced.
        announced = {record.paper.id: record.stamp for record in page.records if record.versions == 1}
        return Batch(
            papers=tuple(papers),
            cursor="",
            updates=tuple(updates),
            skipped=page.skipped,
            announced=announced,
        )

    def _first_news(self, page: Page, reached: Cursor, now: datetime) -> Batch:
        """Build the first batch: the latest announcement if it is less than a day old; older papers are history."""
        last = self._calendar.last(now)
        fresh = last.astimezone(UTC).date() if now - last < DAY else date.max
        papers: list[Paper] = []
        history: list[Paper] = []
        for record in page.records:
            submitted = record.paper.published.date()
            if record.withdrawn or submitted < reached.began or not self._is_wanted(record.paper):
                continue
            is_fresh = record.stamp >= fresh and submitted >= fresh - MODERATION * DAY
            (papers if is_fresh and record.versions == 1 else history).append(record.paper)
        return Batch(papers=tuple(papers), cursor="", history=tuple(history), skipped=page.skipped)

    def _is_new(self, record: Record, reached: Cursor, now: datetime) -> bool:
        """Whether the paper was announced after the first fetch and at most 90 days ago, in any version."""
        oldest = f"{now - LATE * DAY:%y%m}.00000"
        age = _age(record.paper.id)
        is_young = age > _age(reached.newest) and age > _age(oldest)
        return is_young and not record.withdrawn and self._is_wanted(record.paper)

    def _is_wanted(self, paper: Paper) -> bool:
        """Whether this category is the paper's primary one, or with `cross` any of its categories."""
        names = paper.categories if self._cross else paper.categories[:1]
        return any(name == self._category or name.startswith(f"{self._category}.") for name in names)


def set_of(category: str) -> str:
    """Return the OAI-PMH set of a category or an archive: `cs:cs:AI`, `physics:hep-th`."""
    archive = category.partition(".")[0]
    group = archive if archive in _GROUPS else "physics"
    return f"{group}:{category.replace('.', ':')}"


def _first(now: datetime) -> Cursor:
    since = now.astimezone(UTC).date() - FIRST_WALK * DAY
    return Cursor(since=since, began=since, newest="")


def _after(reached: Cursor, page: Page) -> Cursor:
    """Return the cursor after a page.

    The next page begins with the last day of this one, which is read again. Only a day with more than one page relies
    on the server's resumption token.
    """
    answered = reached.answered or page.answered
    top = max((reached.top, *(record.paper.id for record in page.records)), key=_age)
    top = top if not reached.newest else ""
    if page.token:
        last = max((record.stamp for record in page.records), default=reached.since)
        if last > reached.since:
            return replace(reached, since=last, token=None, answered=answered, top=top)
        return replace(reached, token=page.token, answered=answered, top=top)
    since = max(reached.since if reached.answered is None else date.min, answered - OVERLAP * DAY)
    newest = reached.newest or top or f"{reached.began:%y%m}.00000"
    return Cursor(since=since, began=reached.began, newest=newest)


def _age(paper_id: str) -> tuple[int, int]:
    """Return a sort key by announcement. Identifiers from before April 2007 come first."""
    parts = _NUMBERED.fullmatch(paper_id)
    return (int(parts[1]), int(parts[2])) if parts else (-1, 0)


def _update(record: Record) -> Paper:
    """Return the record as an update of a known paper: its changes, such as a withdrawal, and its categories."""
    return replace(record.paper, sources=(), withdrawn=record.withdrawn or record.paper.withdrawn)
