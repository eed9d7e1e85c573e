"""Feeds as documents: Atom (RFC 4287, paged by RFC 5005), JSON Feed 1.1, and OPML. Pure.

A paper's texts are inserted as text; the HTML content is built here, with everything escaped.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from html import escape
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree as ET
from zlib import crc32

from bot.cards.paper import byline, one_sentence, reason_text
from bot.cards.sanitize import link, plain
from bot.domain.models import Paper, Reason
from bot.text import shorten
from bot.web.list_reader import Item, Items

ATOM, JSON, OPML = "atom", "json", "opml"
TYPES = {ATOM: "application/atom+xml", JSON: "application/feed+json", OPML: "text/x-opml"}
DECLARATION = b"<?xml version='1.0' encoding='utf-8'?>\n"
NAMESPACE = "http://www.w3.org/2005/Atom"
REASONS = "tag:paperboy,2026:query"
"""Scheme of the categories that name the query that an item matched."""
ABSTRACT, SENTENCE, TITLE = 4000, 320, 400
"""Maximum numbers of characters."""
MAX_AUTHORS = 20


_NO_MARKUP = str.maketrans("<>", "‹›")
"""Replaces the characters of HTML tags: OPML allows HTML in names."""
REMEMBERED = 32
"""Documents of up to 150 kB cached per format and process: feed readers often poll unchanged feeds."""


@dataclass(frozen=True, slots=True)
class FeedDocument:
    """One page of a feed, as a value."""

    name: str
    """Stable, and unique among the feeds of an installation."""
    title: str
    about: str
    items: Items
    address: str = ""
    """URL of this page."""
    first: str = ""
    """URL of the first page."""
    next: str = ""
    previous: str = ""
    home: str = ""
    """URL of the web page with the same papers."""


@lru_cache(REMEMBERED)
def atom(feed: FeedDocument) -> bytes:
    """Return the feed as Atom."""
    root = ET.Element("feed", {"xmlns": NAMESPACE, "xml:lang": "en"})
    _text(root, "id", tag(feed.name))
    _text_or_html(root, "title", feed.title)
    _text_or_html(root, "subtitle", feed.about)
    _text(root, "updated", moment(feed.items.updated))
    _text(root, "generator", "Paperboy")
    _text(ET.SubElement(root, "author"), "name", "Paperboy")
    links = {"self": feed.address, "first": feed.first, "next": feed.next, "previous": feed.previous}
    for rel, address in links.items():
        if address:
            ET.SubElement(root, "link", {"rel": rel, "type": TYPES[ATOM], "href": address})
    if feed.home:
        ET.SubElement(root, "link", {"rel": "alternate", "type": "text/html", "href": feed.home})
    for item in feed.items.items:
        _entry(ET.SubElement(root, "entry"), item)
    return _document(root)


def _entry(entry: ET.Element, item: Item) -> None:
    paper = item.paper
    _text(entry, "id", tag(item.entry))
    _text_or_html(entry, "title", title_of(item))
    _text(entry, "published", unique_moment(item))
    _text(entry, "updated", unique_moment(item))
    if address := link(paper.url):
        ET.SubElement(entry, "link", {"rel": "alternate", "type": "text/html", "href": address})
    for name in authors_of(paper):
        _text(ET.SubElement(entry, "author"), "name", name)
    for term in categories_of(paper):
        ET.SubElement(entry, "category", {"term": term})
    for reason in item.matched:
        label = plain(reason.query)
        ET.SubElement(entry, "category", {"scheme": REASONS, "term": f"#{reason.number}", "label": label})
    _text_or_html(entry, "summary", summary_of(item) or title_of(item))
    _text(entry, "content", content_of(item)).set("type", "html")


@lru_cache(REMEMBERED)
def json_feed(feed: FeedDocument) -> bytes:
    """Return the feed as JSON Feed, with Paperboy's own fields in `_paperboy`."""
    values: dict[str, Any] = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        "description": feed.about,
        "feed_url": feed.address,
        "language": "en",
        "authors": [{"name": "Paperboy"}],
        "items": [_json_item(item) for item in feed.items.items],
    }
    values |= {"home_page_url": feed.home} if feed.home else {}
    values |= {"next_url": feed.next} if feed.next else {}
    return json.dumps(values, ensure_ascii=False, indent=1).encode()


def _json_item(item: Item) -> dict[str, Any]:
    address = link(item.paper.url)
    values = {
        "id": tag(item.entry),
        "title": title_of(item),
        "content_html": content_of(item),
        "summary": summary_of(item),
        "date_published": unique_moment(item),
        "authors": [{"name": name} for name in authors_of(item.paper)],
        "tags": list(categories_of(item.paper)),
        "_paperboy": {
            "about": "https://jsonfeed.org/version/1.1#extensions",
            "paper": item.paper.id,
            "reasons": [reason_values(reason) for reason in item.matched],
        },
    }
    return values | ({"url": address} if address else {})


def opml(title: str, feeds: Iterable[tuple[str, str]]) -> bytes:
    """Return a list of feeds, each with its title and URL, for a feed reader to import."""
    root = ET.Element("opml", {"version": "2.0"})
    _text(ET.SubElement(root, "head"), "title", title)
    body = ET.SubElement(root, "body")
    for name, address in feeds:
        shown = plain(name).translate(_NO_MARKUP)
        ET.SubElement(body, "outline", {"type": "rss", "text": shown, "title": shown, "xmlUrl": address})
    return _document(root)


def tag(name: str) -> str:
    """Return a permanent id (RFC 4151) that doesn't depend on the installation's URL."""
    return f"tag:paperboy,2026:{quote(name, safe='/:.-_@')}"


def moment(at: datetime) -> str:
    """Format a time as in RFC 3339."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def unique_moment(item: Item) -> str:
    """Format the time at which an item was posted or first seen, less up to about a second, so that times are unique.

    Feed readers sort by it. The result depends on the item alone; items of one message keep their order.
    """
    part = crc32((item.message or item.entry).encode()) % 1_000_000
    at = item.at.astimezone(UTC) - timedelta(milliseconds=item.place, microseconds=part)
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


def reason_values(reason: Reason) -> dict[str, Any]:
    """Return a reason's fields; `subscription` is None for a query without a subscription."""
    note = {"note": plain(reason.note)} if reason.note else {}
    return {"subscription": reason.number or None, "query": plain(reason.query), **note}


def title_of(item: Item) -> str:
    """Return the paper's title, with a prefix for an event or a withdrawal."""
    state = item.event or ("Withdrawn" if item.paper.withdrawn else "")
    title = shorten(plain(item.paper.title), TITLE) or item.paper.id
    return f"{state.removesuffix('.')}: {title}" if state else title


def summary_of(item: Item) -> str:
    """Return the event, or one sentence that says what is new in the paper."""
    return item.event or one_sentence(item.paper, SENTENCE)


def authors_of(paper: Paper) -> tuple[str, ...]:
    """Return the names of the authors, without empty ones."""
    return tuple(filter(None, map(plain, paper.authors[:MAX_AUTHORS])))


def categories_of(paper: Paper) -> tuple[str, ...]:
    """Return the paper's categories without duplicates."""
    return tuple(dict.fromkeys(filter(None, map(plain, paper.categories))))


def content_of(item: Item) -> str:
    """Return the item as HTML: byline and summary as on a card, then the abstract, the links and the reasons."""
    paper = item.paper
    sentence, abstract = summary_of(item), shorten(plain(paper.abstract), ABSTRACT)
    paragraphs = [
        escape(" · ".join(byline(paper, item.at))),
        escape(sentence) if sentence != abstract else "",
        escape(abstract),
        " · ".join(_links(paper)),
        escape("; ".join(_reasons(item.matched))),
        escape(item.note),
    ]
    return "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs if paragraph)


def _links(paper: Paper) -> Iterable[str]:
    for label, url in (
        ("Abstract", paper.url),
        ("PDF", paper.pdf_url),
        ("Code", paper.code_url),
        ("Project", paper.project_url),
    ):
        if safe := link(url):
            yield f'<a href="{escape(safe)}">{label}</a>'


def _reasons(reasons: Sequence[Reason]) -> Iterable[str]:
    for reason in reasons:
        yield reason_text(reason) if reason.number else f"matched {plain(reason.query)}"


def _text(parent: ET.Element, name: str, text: str) -> ET.Element:
    element = ET.SubElement(parent, name)
    element.text = plain(text)
    return element


def _text_or_html(parent: ET.Element, name: str, text: str) -> None:
    """Add text. If it has a "<", escape it and declare it as HTML, since some readers parse plain text as HTML."""
    if "<" in text:
        _text(parent, name, escape(text, quote=False)).set("type", "html")
    else:
        _text(parent, name, text)


def _document(root: ET.Element) -> bytes:
    ET.indent(root, " ")
    # Encoding the whole text at once takes half as long as ElementTree's own encoding, which works piece by piece.
    return DECLARATION + ET.tostring(root, "unicode").encode(errors="xmlcharrefreplace")
