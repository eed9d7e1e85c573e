"""A made-up journal's feed."""

from dataclasses import dataclass
from xml.sax.saxutils import escape


@dataclass(frozen=True)
class Entry:
    """An entry of the feed; empty fields are omitted."""

    doi: str = ""
    title: str = "On Counting Stars"
    link: str = "https://journal.example.org/articles/1"
    guid: str = ""
    published: str = "Wed, 20 May 2026 06:00:00 GMT"
    author: str = "Cecilia Payne"
    summary: str = "<p>We count <b>stars</b>.</p><script>alert(1)</script>"
    topics: tuple[str, ...] = ("Astronomy & Astrophysics",)


def journal(*entries: Entry, charset: str = "utf-8", declared: str = "") -> bytes:
    """Return an RSS feed in `charset`; with `declared`, it claims to be in that charset."""
    items = "".join(map(_item, entries))
    return (
        f'<?xml version="1.0" encoding="{declared or charset}"?><rss version="2.0" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:prism="http://prismstandard.org/namespaces/basic/2.0/">'
        f"<channel><title>Journal</title><link>https://journal.example.org</link>{items}</channel></rss>"
    ).encode(charset)


def _item(entry: Entry) -> str:
    fields = {
        "title": entry.title,
        "link": entry.link,
        "guid": entry.guid,
        "pubDate": entry.published,
        "dc:creator": entry.author,
        "description": entry.summary,
        "prism:doi": entry.doi,
    }
    tags = [f"<{name}>{escape(value)}</{name}>" for name, value in fields.items() if value]
    tags += [f"<category>{escape(topic)}</category>" for topic in entry.topics]
    return f"<item>{''.join(tags)}</item>"
