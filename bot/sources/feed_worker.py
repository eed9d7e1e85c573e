"""Reads one feed in a process of its own: `python -m bot.sources.feed_worker`, the body in, JSON out.

feedparser needs seconds for a large feed and a lot of memory for a hostile one. Here it has little of both, and
nothing to steal: no connection, no setting, no token.
"""

import io
import json
import re
import sys
import zlib
from calendar import timegm
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import feedparser

from bot.domain.errors import SourceError
from bot.limited_process import limit_resources
from bot.sources.feeds import parse_feed
from bot.sources.fields import text
from bot.text import clean_html

MEMORY = 80 * 1024 * 1024
"""Bytes, beside what is only mapped from files."""
SECONDS = 20
"""Of processor time."""
MOST = 4 * 1024 * 1024
"""Bytes of a feed once it is unpacked. The largest of journals have about 1 MB."""
ENTRIES = 500
LONGEST = 20_000
"""Characters of a field."""
_ENDS = (b"</rss>", b"</feed>", b"</rdf:rdf>", b"</atom:feed>")
_BARE_AMPERSAND = re.compile(rb"&(?![A-Za-z]\w{1,30};|#\w{1,8};)")
"""`AT&T` without its escape: feedparser makes `AT&T;` of it."""
NAMES = ("prism_doi", "dc_identifier", "id", "link", "feedburner_origlink")
"""Where feeds name the paper of an entry: identifiers first, then addresses."""


def unpacked(body: bytes, encoding: str) -> bytes:
    """The body as it was before it was compressed for the way. Raises SourceError for a bomb."""
    if encoding in ("", "identity"):
        whole = body
    elif encoding in ("gzip", "x-gzip", "deflate"):
        packer = zlib.decompressobj(wbits=47 if encoding != "deflate" else _deflate(body))
        try:
            whole = packer.decompress(body, MOST + 1)
        except zlib.error as error:
            raise SourceError(f"it can't be unpacked: {error}") from error
        if not packer.eof and len(whole) <= MOST:
            raise SourceError("it ends in the midst")
    else:
        raise SourceError(f"it is packed in a way that was not asked for: {encoding[:40]}")
    if len(whole) > MOST:
        raise SourceError(f"it has more than {MOST // 2**20} MB, which is not believed")
    return whole


def _deflate(body: bytes) -> int:
    """Servers send deflate with zlib's header, as the standard says, or without it."""
    return 47 if body[:1] in (b"\x78", b"\x58", b"\x08") else -15


def rows(body: bytes) -> list[dict[str, Any]]:
    """The feed's entries. Raises SourceError for what is no feed, or only the beginning of one."""
    feed = forgiving(body)
    return [row for entry in feed.entries[:ENTRIES] if (row := _row(entry))]


def forgiving(body: bytes) -> Any:
    """Feeds in the wild are seldom without faults: what is there to its end, and has entries, is taken."""
    try:
        return parse_feed(body, "the server")
    except SourceError:
        tail = body[-4096:].lower().rstrip()
        # A stream, for feedparser would take bytes for an address to open.
        whole = _BARE_AMPERSAND.sub(b"&amp;", body)
        feed = feedparser.parse(io.BytesIO(whole), sanitize_html=False, resolve_relative_uris=False)
        if feed.get("version") and feed.entries and tail.endswith(_ENDS):
            return feed
        raise


def _row(entry: Any) -> dict[str, Any] | None:
    title = clean_html(_short(entry.get("title")))
    link = text(entry.get("link"))
    if not title or not (link or text(entry.get("id"))):
        return None
    content = [_short(part.get("value")) for part in entry.get("content", ()) if isinstance(part, Mapping)]
    summary = max((clean_html(one) for one in (_short(entry.get("summary")), *content)), key=len)
    when = entry.get("published_parsed") or entry.get("updated_parsed")
    return {
        "id": text(entry.get("id"))[:LONGEST],
        "link": link[:LONGEST],
        "title": title,
        "abstract": summary,
        "authors": list(_authors(entry)),
        "published": datetime.fromtimestamp(timegm(when), UTC).isoformat() if when else None,
        "topics": [text(tag.get("term"))[:100] for tag in entry.get("tags", ())[:20]],
        "names": [text(entry.get(name))[:LONGEST] for name in NAMES],
    }


def _short(value: Any) -> str:
    return text(value)[:LONGEST]


def _authors(entry: Any) -> Iterator[str]:
    named = [text(author.get("name")) for author in entry.get("authors", ())[:100]]
    for name in [name for name in named if name] or [text(entry.get("author"))]:
        if plain := clean_html(name[:LONGEST]):
            yield plain


def main() -> None:
    """One body, preceded by a line that says how it is packed."""
    limit_resources(memory=MEMORY, cpu_seconds=SECONDS)
    encoding = sys.stdin.buffer.readline().decode("ascii", "replace").strip().lower()
    try:
        answer: dict[str, Any] = {"rows": rows(unpacked(sys.stdin.buffer.read(), encoding))}
    except SourceError as error:
        answer = {"error": str(error)}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
