"""arXiv's RSS and Atom formats as papers: the daily announcements and the search API's answers. Pure."""

import re
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from xml.etree.ElementTree import Element

from bot.domain.errors import SourceError
from bot.domain.models import Paper
from bot.sources.arxiv.papers import abstract_url, categories, child_text, elements, pdf_url
from bot.sources.authors import read_authors
from bot.sources.dates import read_date
from bot.sources.fields import MAX_COUNT, bounded, read_rows
from bot.text import clean
from bot.text.identity import arxiv_id

_HEADER = re.compile(r"\s*arXiv:\S+\s+Announce Type:\s*(?P<kind>\S+)\s+(?:Abstract:\s*)?")
_ERROR_ID = re.compile(r"https?://arxiv\.org/api/errors")


@dataclass(frozen=True, slots=True)
class Announcement:
    """A paper in a feed, and why it is listed: `new`, `cross`, `replace` or `replace-cross`."""

    paper: Paper
    kind: str


@dataclass(frozen=True, slots=True)
class Feed:
    """One feed of announcements."""

    title: str
    announcements: tuple[Announcement, ...]
    skipped: Counter[str]
    """Entries that can't be read, by reason."""


def parse_announcements(body: bytes) -> Feed:
    """A feed of `/rss/<category>` or `/atom/<category>`. Raises SourceError for what is no whole feed."""
    root, entries = _read(body)
    channel = root.find("{*}channel") if _local(root) == "rss" else root
    head = root if channel is None else channel
    batch_date = _date(head)
    skipped: Counter[str] = Counter()

    def read(entry: Element) -> Announcement:
        return _announcement(entry, batch_date)

    found = read_rows("arXiv", entries, read, skipped) if _is_batch(head) else []
    return Feed(child_text(head, "title"), tuple(found), skipped)


def parse_answer(body: bytes) -> tuple[Paper, ...]:
    """The papers in an answer of `/api/query`, in its order; none if arXiv knows none.

    Raises SourceError for an error of arXiv's (HTTP 400, one entry that says why), for a page that is empty although
    there are results, and for a body that can't be read. The API lags and has gaps: it never detects papers.
    """
    root, entries = _read(body)
    for entry in entries:
        if _ERROR_ID.match(child_text(entry, "id")):
            raise SourceError(f"arXiv refused the search: {clean(child_text(entry, 'summary'))[:200]}")
    if not entries and _count(root, "totalResults") > _count(root, "startIndex"):
        raise SourceError("arXiv sent an empty page although it has results, as it does now and then")
    return tuple(read_rows("arXiv", entries, _found))


def _read(body: bytes) -> tuple[Element, list[Element]]:
    """The root and the entries of a feed."""
    root: Element | None = None
    entries: list[Element] = []
    for root in elements(body, "a feed"):
        if _local(root) in ("item", "entry"):
            entries.append(root)
    if root is None or _local(root) not in ("rss", "feed", "RDF"):
        raise SourceError(f"arXiv sent something that is not a feed ({len(body)} bytes)")
    return root, entries


def _local(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _is_batch(head: Element) -> bool:
    """Whether this is no error in the form of a feed, whose one entry is no paper."""
    return not child_text(head, "title").casefold().startswith("feed error")


def _count(root: Element, name: str) -> int:
    value = bounded(child_text(root, name), MAX_COUNT)
    if value is None:
        raise SourceError("arXiv sent a feed that is not an answer to a search")
    return value


def _date(element: Element) -> datetime | None:
    written = (child_text(element, name) for name in ("pubDate", "published", "updated", "date"))
    return next((date for date in map(read_date, written) if date), None)


def _announcement(entry: Element, batch_date: datetime | None) -> Announcement:
    paper_id = _id(entry, "guid", "id", "link")
    title, published = clean(child_text(entry, "title")), _date(entry) or batch_date
    if not paper_id or not title or not published:
        raise ValueError("it lacks an id, a title or a date")
    summary = child_text(entry, "description") or child_text(entry, "summary")
    header = _HEADER.match(summary)
    kind = child_text(entry, "announce_type") or (header["kind"] if header else "")
    creators = [creator.text or "" for creator in entry.findall("{*}creator")]
    paper = _paper(
        entry,
        paper_id,
        title=title,
        abstract=clean(summary[header.end() :] if header else summary),
        authors=read_authors(creators or _names(entry), last_first=False),
        published=published,
    )
    return Announcement(paper, kind)


def _found(entry: Element) -> Paper:
    paper_id = _id(entry, "id")
    title, published = clean(child_text(entry, "title")), _date(entry)
    if not paper_id or not title or not published:
        raise ValueError("it lacks an id, a title or a date")
    return _paper(
        entry,
        paper_id,
        title=title,
        abstract=clean(child_text(entry, "summary")),
        authors=read_authors(_names(entry), last_first=False),
        published=published,
    )


def _paper(
    entry: Element, paper_id: str, *, title: str, abstract: str, authors: tuple[str, ...], published: datetime
) -> Paper:
    primary = entry.find("{*}primary_category")
    terms = [one.get("term") or (one.text or "").strip() for one in entry.findall("{*}category")]
    return Paper(
        id=paper_id,
        title=title,
        abstract=abstract,
        authors=authors,
        url=abstract_url(paper_id),
        pdf_url=pdf_url(paper_id),
        published=published,
        categories=categories(terms, primary.get("term", "") if primary is not None else ""),
        sources=("arxiv",),
    )


def _id(entry: Element, *names: str) -> str | None:
    return next((found for name in names if (found := arxiv_id(child_text(entry, name)))), None)


def _names(entry: Element) -> list[str]:
    return [child_text(author, "name") for author in entry.findall("{*}author")]
