"""arXiv's RSS feeds as a source, one category each: fast, but a feed holds only the latest batch."""

import asyncio
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from hashlib import sha256
from typing import Self
from urllib.parse import quote

from bot.domain.errors import SourceError
from bot.ports import Batch
from bot.sources.arxiv.announcements import AnnouncementFeed, parse_announcements
from bot.sources.arxiv.calendar import ANNOUNCED, DAY, NEW_YORK, Calendar, new_york_time
from bot.sources.http import Upstream

EVENING = tuple(time(hour, minute) for hour in range(20, 24) for minute in (15, 35, 55))
"""Times in New York of the polls that wait for the evening's batch."""
NIGHT = (time(0, 10), time(2, 0), time(6, 0))
"""Times in New York of polls on every night: batches have come late, and one category after another."""
MORNING = time(6, 0)
"""Time in New York by which an evening's announcement is in the feeds."""
REGULAR = 3
"""Number of consecutive announcements with papers, after which one without any is suspicious."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Fingerprint of the last poll's papers, and how regularly they change."""

    ids: str
    """Fingerprint of the set of ids."""
    changed: datetime | None = None
    """When the set last changed to one that is not empty."""
    streak: int = 0
    """Number of consecutive announcements with papers."""

    def __str__(self) -> str:
        changed = self.changed.isoformat() if self.changed else None
        return json.dumps({"ids": self.ids, "changed": changed, "streak": self.streak})

    @classmethod
    def parse(cls, value: str) -> Self:
        """Parse what `str` returned; earlier versions returned only a fingerprint."""
        if not value.startswith("{"):
            return cls(value)
        try:
            fields = json.loads(value)
            changed = datetime.fromisoformat(fields["changed"]) if fields["changed"] else None
            return cls(str(fields["ids"]), changed, int(fields["streak"]))
        except (ValueError, TypeError, KeyError):  # the feed is read again, and nothing is posted twice
            return cls("")

    def with_ids(self, ids: str, now: datetime, calendar: Calendar) -> Self:
        """Return the cursor after the feed's ids have changed."""
        this = calendar.last(now)
        before = calendar.last(self.changed) if self.changed else None
        if before == this:
            streak = self.streak
        else:
            streak = self.streak + 1 if before == calendar.last(this - DAY / 24) else 1
        return replace(self, ids=ids, changed=now, streak=streak)

    def is_stale(self, now: datetime, calendar: Calendar) -> bool:
        """Whether the latest announcement had no papers although those before it did."""
        last = calendar.last(now)
        morning = new_york_time(last.date() + DAY, MORNING)
        return self.streak >= REGULAR and self.changed is not None and self.changed < last and now >= morning


class ArxivRss:
    """One category of arXiv. Lists its new papers, with `cross` also its cross-lists; never replacements."""

    def __init__(
        self,
        category: str,
        upstream: Upstream,
        url: str,
        now: Callable[[], datetime],
        *,
        calendar: Calendar,
        cross: bool = False,
    ) -> None:
        self.name = f"arxiv:{category}"
        self._category = category
        self._upstream = upstream
        self._url = f"{url.rstrip('/')}/rss/{quote(category, safe='')}"
        self._now = now
        self._calendar = calendar
        self._kinds = {"new", "cross"} if cross else {"new"}
        self._changed: datetime | None = None

    async def fetch(self, cursor: str | None) -> Batch:
        """Fetch the announced papers; none if the feed has the same ids as at the last poll."""
        reached = Cursor.parse(cursor) if cursor else Cursor("")
        feed = await self._read()
        announcements = feed.announcements
        now, ids = self._now(), fingerprint(announcement.paper.id for announcement in announcements)
        known = ids == reached.ids
        if not known and announcements:
            reached = reached.with_ids(ids, now, self._calendar)
        self._changed = reached.changed
        alarm = self._alarm(reached) if reached.is_stale(now, self._calendar) else None
        reached = replace(reached, ids=ids)
        if known:
            return Batch(papers=(), cursor=str(reached), alarm=alarm)
        wanted = {a.paper.id: a.paper for a in announcements if a.kind in self._kinds}
        crossed = {a.paper.id: replace(a.paper, sources=()) for a in announcements if a.kind == "cross"}
        updates = tuple(paper for paper in crossed.values() if paper.id not in wanted)
        return Batch(
            papers=tuple(wanted.values()),
            cursor=str(reached),
            updates=updates,
            alarm=alarm,
            skipped=feed.skipped,
            announced={id_: paper.published.astimezone(UTC).date() for id_, paper in wanted.items()},
        )

    def next_poll(self, now: datetime) -> datetime:
        return next_poll(now, self._changed, self._calendar)

    def _alarm(self, reached: Cursor) -> str:
        return (
            f"{self._category} has had nothing new since {reached.changed:%a %d %b}, although arXiv has announced "
            f"since then; papers that the feed lacks come by OAI-PMH"
        )

    async def _read(self) -> AnnouncementFeed:
        answer = await self._upstream.get(self._url, accept=(200, 400))
        if answer.status == 400:
            raise self._unknown_category()
        feed = await asyncio.to_thread(parse_announcements, answer.body)
        if feed.title.casefold().startswith("feed error"):
            raise self._unknown_category()
        return feed

    def _unknown_category(self) -> SourceError:
        name, category = self._upstream.name, self._category
        return SourceError(f"{name} has no feed for {category!r}: check PAPERBOY_ARXIV_CATEGORIES")


def fingerprint(paper_ids: Iterable[str]) -> str:
    """Return a digest of the set of ids. The feed's own ETag changes whenever the feed is rebuilt."""
    return sha256("\n".join(sorted(set(paper_ids))).encode()).hexdigest()


def next_poll(now: datetime, changed: datetime | None, calendar: Calendar) -> datetime:
    """Return the next poll after `now`: often in the evening, until the ids change. They last did at `changed`."""
    today = now.astimezone(NEW_YORK).date()
    for day in (today, today + DAY, today + 2 * DAY):
        times = NIGHT if _has_come(day, changed, calendar) else NIGHT + EVENING
        for hour in times:
            moment = new_york_time(day, hour).astimezone(UTC)
            if moment > now:
                return moment
    raise AssertionError("every day has a poll")  # pragma: no cover


def _has_come(day: date, changed: datetime | None, calendar: Calendar) -> bool:
    """Whether no batch is expected on the evening of `day`, or it has arrived."""
    return not calendar.announces(day) or (changed is not None and changed >= new_york_time(day, ANNOUNCED))
