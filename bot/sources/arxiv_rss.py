"""arXiv's daily announcements: one RSS feed per category, which holds only the latest batch."""

import re
from calendar import timegm
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from time import struct_time
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from bot.errors import SourceError
from bot.models import Paper
from bot.ports import Batch
from bot.sources import arxiv
from bot.sources.feeds import Feed, read_feed
from bot.sources.fields import read_rows, text
from bot.sources.http import Upstream, user_agent
from bot.sources.wiring import Wiring
from bot.store.gate import Gate
from bot.text import clean

NEW_YORK = ZoneInfo("America/New_York")
ANNOUNCED = time(20, 0)
"""New York time, on the evenings before working days: https://info.arxiv.org/help/availability.html."""
EVENING = tuple(time(hour, minute) for hour in range(20, 24) for minute in (15, 35, 55))
"""When to ask until the batch is there."""
NIGHT = (time(0, 10), time(2, 0), time(6, 0))
"""When to ask again in any case: batches have come late, and one category after another."""
_SUNDAY_TO_THURSDAY = (6, 0, 1, 2, 3)

_HEADER = re.compile(r"\s*arXiv:\S+\s+Announce Type:\s*(?P<kind>\S+)\s+(?:Abstract:\s*)?")


@dataclass(frozen=True, slots=True)
class Announcement:
    """A paper in a feed, and why it is there: `new`, `cross`, `replace` or `replace-cross`."""

    paper: Paper
    kind: str


class ArxivRss:
    """One category of arXiv. Announces its new papers, with `cross` its cross-lists too; never replacements."""

    def __init__(
        self,
        category: str,
        upstream: Upstream,
        url: str,
        now: Callable[[], datetime],
        *,
        cross: bool = False,
    ) -> None:
        self.name = f"arxiv:{category}"
        self._category = category
        self._upstream = upstream
        self._url = f"{url.rstrip('/')}/rss/{quote(category, safe='')}"
        self._now = now
        self._kinds = {"new", "cross"} if cross else {"new"}
        self._changed: datetime | None = None

    async def fetch(self, cursor: str | None) -> Batch:
        """The announced papers, or none where the feed has the same ids as at the last poll."""
        announcements = await self._read()
        seen = fingerprint(announcement.paper.id for announcement in announcements)
        if seen == cursor:
            return Batch(papers=(), cursor=seen)
        if announcements:
            self._changed = self._now()
        wanted = {a.paper.id: a.paper for a in announcements if a.kind in self._kinds}
        return Batch(papers=tuple(wanted.values()), cursor=seen)

    def next_poll(self, now: datetime) -> datetime:
        return next_poll(now, self._changed)

    async def _read(self) -> list[Announcement]:
        answer = await self._upstream.get(self._url, accept=(200, 400))
        if answer.status == 400:
            raise self._unknown_category()
        feed = await read_feed(answer.body, self._upstream.name)
        if text(feed.feed.get("title")).casefold().startswith("feed error"):
            raise self._unknown_category()
        return parse_announcements(feed)

    def _unknown_category(self) -> SourceError:
        name, category = self._upstream.name, self._category
        return SourceError(f"{name} has no feed for {category!r}: check PAPERBOY_ARXIV_CATEGORIES")


def build(wiring: Wiring) -> Iterator[ArxivRss]:
    gate = Gate(wiring.redis, "arxiv")
    settings = wiring.settings
    upstream = Upstream(
        "arXiv",
        wiring.session,
        user_agent=user_agent(settings.contact),
        now=wiring.now,
        turn=gate.turn,
        timeout=wiring.timeout,
    )
    for category in dict.fromkeys(settings.arxiv_categories):
        yield ArxivRss(category, upstream, settings.arxiv_rss_url, wiring.now)


def parse_announcements(feed: Feed) -> list[Announcement]:
    """Every paper of a parsed feed, RSS or Atom. Raises SourceError if none of them can be read."""
    batch_time = feed.feed.get("published_parsed") or feed.feed.get("updated_parsed")

    def read(row: Any) -> Announcement:
        return _announcement(row, row.get("published_parsed") or batch_time)

    return read_rows("arXiv", feed.entries, read)


def _announcement(row: Any, published: struct_time | None) -> Announcement:
    paper_id = arxiv.bare_id(text(row.get("id"))) or arxiv.bare_id(text(row.get("link")))
    title = clean(text(row.get("title")))
    if not paper_id or not title or not published:
        raise ValueError("it lacks an id, a title or a date")
    summary = text(row.get("summary"))
    header = _HEADER.match(summary)
    kind = text(row.get("arxiv_announce_type")) or (header["kind"] if header else "")
    paper = Paper(
        id=paper_id,
        title=title,
        abstract=clean(summary[header.end() :] if header else summary),
        authors=tuple(clean(name) for name in arxiv.author_names(text(row.get("author")))),
        url=arxiv.abstract_url(paper_id),
        pdf_url=arxiv.pdf_url(paper_id),
        published=datetime.fromtimestamp(timegm(published), UTC),
        categories=arxiv.categories(text(tag.get("term")) for tag in row.get("tags", ())),
        sources=("arxiv",),
    )
    return Announcement(paper, kind)


def fingerprint(paper_ids: Iterable[str]) -> str:
    """The same for the same set of ids; the feed's own ETag changes at each rebuild."""
    return sha256("\n".join(sorted(set(paper_ids))).encode()).hexdigest()


def next_poll(now: datetime, changed: datetime | None) -> datetime:
    """When to ask after `now`, if the ids last changed at `changed`: often in the evening until they do."""
    today = now.astimezone(NEW_YORK).date()
    for day in (today + timedelta(days=n) for n in range(3)):
        times = NIGHT if _has_come(day, changed) else NIGHT + EVENING
        for hour in times:
            moment = datetime.combine(day, hour, NEW_YORK).astimezone(UTC)
            if moment > now:
                return moment
    raise AssertionError("every day has a poll")  # pragma: no cover


def _has_come(day: date, changed: datetime | None) -> bool:
    """Whether nothing more is to be expected on the evening of `day`."""
    if day.weekday() not in _SUNDAY_TO_THURSDAY:
        return True
    return changed is not None and changed >= datetime.combine(day, ANNOUNCED, NEW_YORK)
