"""Parses arXiv's RSS and Atom formats: the daily announcements and the search API's answers. Pure."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain.errors import SourceError
from bot.domain.models import Paper
from bot.sources.arxiv.papers import Fields, abstract_url, categories, elements, fields_of, pdf_url
from bot.sources.authors import read_authors
from bot.sources.dates import read_date
from bot.sources.fields import MAX_COUNT, bounded, read_rows
from bot.text import clean
from bot.text.identity import arxiv_id

_HEADER = re.compile(
    r"(?<!\s)\s*+arXiv:\S{1,60}+\s++Announce Type:\s*+(?P<kind>\S{1,60}+)\s++(?:Abstract:\s*+)?"
)
_VERSION = re.compile(r"\dv(\d{1,3})$")
_ERROR_ID = re.compile(r"https?://arxiv\.org/api/errors")


@dataclass(frozen=True, slots=True)
class Announcement:
    """A paper in a feed, and why it is listed: `new`, `cross`, `replace` or `replace-cross`."""

    paper: Paper
    kind: str


@dataclass(frozen=True, slots=True)
class AnnouncementFeed:
    """One feed of announcements."""

    title: str
    announcements: tuple[Announcement, ...]
    skipped: Counter[str]
    """Number of entries that can't be read, by reason."""


def parse_announcements(body: bytes) -> AnnouncementFeed:
    """Parse a feed of `/rss/<category>` or `/atom/<category>`. Raises SourceError unless it is a complete feed."""
    head, entries = _read(body)
    title, batch_date = head.text("title"), _date(head)
    skipped: Counter[str] = Counter()

    def read(entry: Fields) -> Announcement:
        return _announcement(entry, batch_date)

    # An error in the form of a feed has one entry, which isn't a paper.
    is_error = title.casefold().startswith("feed error")
    return AnnouncementFeed(
        title, () if is_error else tuple(read_rows("arXiv", entries, read, skipped)), skipped
    )


def parse_answer(body: bytes) -> tuple[Paper, ...]:
    """Parse the papers in an answer of `/api/query`, in its order; none if arXiv knows none.

    Raises SourceError for arXiv's errors (HTTP 400, one entry that says why), for a page that is empty although there
    are results, and for a body that can't be read. The API lags and has gaps, so it is never used to detect papers.
    """
    head, entries = _read(body)
    for entry in entries:
        if _ERROR_ID.match(entry.text("id")):
            raise SourceError(f"arXiv refused the search: {clean(entry.text('summary'))[:200]}")
    if not entries and _count(head, "totalResults") > _count(head, "startIndex"):
        raise SourceError("arXiv sent an empty page although it has results, as it does now and then")
    return tuple(read_rows("arXiv", entries, _found))


def _read(body: bytes) -> tuple[Fields, list[Fields]]:
    """Return the fields of a feed, and those of its entries."""
    entries: list[Fields] = []
    name = ""
    channel: Fields | None = None
    root = None
    for root in elements(body, "a feed"):
        name = root.tag.rpartition("}")[2]
        if name in ("item", "entry"):
            entries.append(fields_of(root))
        elif name == "channel":
            channel = fields_of(root)
    if root is None or name not in ("rss", "feed", "RDF"):
        raise SourceError(f"arXiv sent something that is not a feed ({len(body)} bytes)")
    return channel or fields_of(root), entries


def _count(head: Fields, name: str) -> int:
    value = bounded(head.text(name), MAX_COUNT)
    if value is None:
        raise SourceError("arXiv sent a feed that is not an answer to a search")
    return value


def _date(fields: Fields) -> datetime | None:
    values = (fields.text(name) for name in ("pubDate", "published", "updated", "date"))
    return next((date for date in map(read_date, values) if date), None)


def _announcement(entry: Fields, batch_date: datetime | None) -> Announcement:
    summary = entry.text("description") or entry.text("summary")
    header = _HEADER.match(summary)
    kind = entry.text("announce_type") or (header["kind"] if header else "")
    abstract = clean(summary[header.end() :] if header else summary)
    paper = _paper(entry, ("guid", "id", "link"), abstract, _date(entry) or batch_date)
    version = _VERSION.search(entry.text("guid") or entry.text("id"))
    return Announcement(replace(paper, versions=int(version[1]) if version else None), kind)


def _found(entry: Fields) -> Paper:
    return _paper(entry, ("id",), clean(entry.text("summary")), _date(entry))


def _paper(entry: Fields, ids: Iterable[str], abstract: str, published: datetime | None) -> Paper:
    paper_id = next((found for name in ids if (found := arxiv_id(entry.text(name)))), None)
    title = clean(entry.text("title"))
    if not paper_id or not title or not published:
        raise ValueError("it lacks an id, a title or a date")
    creators = [creator.text or "" for creator in entry.all("creator")]
    authors = [fields_of(author).text("name") for author in entry.all("author")]
    primary = next((element.get("term", "") for element in entry.all("primary_category")), "")
    terms = (one.get("term") or (one.text or "").strip() for one in entry.all("category"))
    return Paper(
        id=paper_id,
        title=title,
        abstract=abstract,
        authors=read_authors(creators or authors, last_first=False),
        url=abstract_url(paper_id),
        pdf_url=pdf_url(paper_id),
        published=published,
        categories=categories(terms, primary),
        sources=("arxiv",),
    )
