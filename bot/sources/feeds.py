"""RSS and Atom by feedparser, with an error for whatever is not a whole feed. Slow: not for the event loop."""

import io
from typing import Any

import feedparser

from bot.domain.errors import SourceError

Feed = Any
"""What feedparser returns: `feed` and `entries`, whose fields are attributes and keys."""


def parse_feed(body: bytes, upstream: str) -> Feed:
    """`body` as a feed. Raises SourceError for one that is no feed, or not all of one.

    feedparser drops entity declarations, and expat caps what they expand to.
    """
    # A stream, for feedparser would take bytes or text for an address to open.
    feed = feedparser.parse(io.BytesIO(body), sanitize_html=False, resolve_relative_uris=False)
    if feed.bozo and not isinstance(feed.bozo_exception, feedparser.CharacterEncodingOverride):
        raise SourceError(f"{upstream} sent a feed that can't be read: {feed.bozo_exception}")
    if not feed.get("version"):
        raise SourceError(f"{upstream} sent something that is not a feed ({len(body)} bytes)")
    return feed
