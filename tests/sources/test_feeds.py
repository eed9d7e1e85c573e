"""Whatever is not a whole feed is an error."""

import pytest

from bot.domain.errors import SourceError
from bot.sources.feeds import parse_feed
from tests.sources.upstreams import Announced, rss

BOMB = b"""<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "aaaaaaaaaa">%s]>
<rss version="2.0"><channel><title>&a8;</title></channel></rss>""" % b"".join(
    b'<!ENTITY a%d "%s">' % (n, b"&a%s;" % (b"%d" % (n - 1) if n else b"") * 10) for n in range(9)
)


def test_a_whole_feed_is_read() -> None:
    feed = parse_feed(rss(Announced("2605.00001"), title="all well"), "Somebody")
    assert (feed.feed.title, len(feed.entries)) == ("all well", 1)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"<html><body>Sign in first</body></html>",
        rss(Announced("2605.00001"))[:-200],
        b"https://example.org/feed.xml",
        b"/etc/passwd",
        BOMB,
    ],
)
def test_what_is_no_whole_feed_is_an_error(body: bytes) -> None:
    with pytest.raises(SourceError, match=r"^Somebody sent"):
        parse_feed(body, "Somebody")


def test_a_wrong_charset_is_mended() -> None:
    body = rss(Announced("2605.00001", authors="André Weil")).decode().encode("latin-1")
    assert parse_feed(body, "Somebody").entries[0].author == "André Weil"
