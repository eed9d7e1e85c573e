"""Reads one feed in a separate, limited process: the body on standard input, JSON on standard output.

feedparser needs seconds for a large feed and much memory for a hostile one. This process has little of both, and no
connection, setting or token that could be stolen.
"""

import io
import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import feedparser

from bot.domain.errors import SourceError
from bot.limited_process import limit_resources
from bot.sources.authors import read_authors
from bot.sources.dates import read_date
from bot.sources.feed_repair import decompress, escape_stray_brackets, is_complete, repair
from bot.text import clean_html, first_sentence
from bot.text.boilerplate import split_notices
from bot.text.plain import unescaped, without_tags

MEMORY = 80 * 1024 * 1024
"""Maximum memory of the process in bytes, without mapped files."""
CPU_SECONDS = 20
MAX_ENTRIES = 500
MAX_FIELD = 20_000
"""Maximum number of characters read from a field."""
MAX_AUTHORS = 3000
LONGEST_TITLE = 200
"""Maximum length of a title made from an entry's text: RSS allows entries without a title."""
NAMES = ("prism_doi", "dc_identifier", "id", "link", "feedburner_origlink")
"""Fields that can name an entry's paper: identifiers first, then addresses."""
DATES = ("published", "prism_publicationdate", "created", "updated", "dc_date", "prism_coverdate")
"""Fields that can have the date of publication; the first readable one counts."""


def read_feed(body: bytes) -> dict[str, Any]:
    """Read a feed's entries as rows, and count skipped ones by reason. Raises SourceError for an incomplete feed."""
    entries = _parse(body).entries[:MAX_ENTRIES]
    rows: list[dict[str, Any]] = []
    skipped: Counter[str] = Counter()
    for entry in entries:
        try:
            rows.append(_row(entry))
        except Exception as error:  # noqa: BLE001  # the edge of an entry: an error skips only this entry
            skipped[str(error)[:200] or type(error).__name__] += 1
    return {"rows": rows, "skipped": skipped}


def _parse(body: bytes) -> Any:
    """Parse `body` by feedparser. Faults that remain after repairs are ignored if the feed is complete."""
    repaired = repair(body)
    feed = _by_feedparser(repaired)
    if _is_faulty(feed):
        again = _by_feedparser(escape_stray_brackets(repaired))
        feed = feed if _is_faulty(again) else again
    fault = _is_faulty(feed)
    if not feed.get("version"):
        raise SourceError(f"it is not a feed ({len(body)} bytes)")
    if fault and not (feed.entries and is_complete(repaired)):
        raise SourceError(f"it is damaged: {feed.bozo_exception}")
    return feed


def _by_feedparser(body: bytes) -> Any:
    # A stream, because feedparser would take bytes for an address to open.
    return feedparser.parse(io.BytesIO(body), sanitize_html=False, resolve_relative_uris=False)


def _is_faulty(feed: Any) -> bool:
    return bool(feed.bozo) and not isinstance(feed.bozo_exception, feedparser.CharacterEncodingOverride)


def _row(entry: Any) -> dict[str, Any]:
    """Read an entry. Raises ValueError if it has neither title nor text."""
    content = (part.get("value") for part in entry.get("content", ()) if isinstance(part, Mapping))
    texts = (clean_html(_text(part)) for part in (entry.get("summary"), *content))
    notice = split_notices(max(texts, key=len))
    title = clean_html(_text(entry.get("title"))) or first_sentence(notice.abstract, LONGEST_TITLE)
    if not title:
        raise ValueError("it has neither title nor text")
    # `dict.get`: feedparser's own `get` substitutes one date for another, with a warning.
    dates = (*(_text(dict.get(entry, name)) for name in DATES), notice.date)
    published = filter(None, map(read_date, dates))
    return {
        "id": _text(entry.get("id")),
        "link": _text(entry.get("link")),
        "title": title,
        "abstract": notice.abstract,
        "authors": _authors(entry) or read_authors([notice.authors]),
        "published": next((date.isoformat() for date in published), None),
        "topics": [_text(tag.get("term"))[:100] for tag in entry.get("tags", ())[:20]],
        "names": [_text(entry.get(name)) for name in NAMES],
    }


def _authors(entry: Any) -> Sequence[str]:
    named = [_text(author.get("name")) for author in entry.get("authors", ())[:MAX_AUTHORS]]
    lines = [name for name in named if name] or [_text(entry.get("author"))]
    return read_authors(map(_without_html, lines))


def _without_html(line: str) -> str:
    return without_tags(unescaped(line))


def _text(value: Any) -> str:
    return value[:MAX_FIELD] if isinstance(value, str) else ""


def _output(body: bytes, encoding: str) -> Iterator[tuple[str, Any]]:
    try:
        yield from read_feed(decompress(body, encoding)).items()
    except SourceError as error:
        yield "error", str(error)


def main() -> None:
    """Read one body, preceded by a line with its Content-Encoding."""
    limit_resources(memory=MEMORY, cpu_seconds=CPU_SECONDS)
    encoding = sys.stdin.buffer.readline().decode("ascii", "replace").strip().lower()
    sys.stdout.write(json.dumps(dict(_output(sys.stdin.buffer.read(), encoding))))


if __name__ == "__main__":
    main()
