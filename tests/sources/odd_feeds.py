"""Feeds with typical faults, and the number of readable entries of each."""

import gzip
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from tests.sources.feed_answers import Entry, journal

A, B, C = (Entry(title=f"On {name}", guid=name, link=f"https://journal.example.org/{name}") for name in "ABC")
WHOLE = journal(A, B, C)
ATOM = (
    b'<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom"><title>Lab</title><updated>2026-05-20T06:00:00Z</updated>'
    + b"".join(
        b'<entry><id>tag:lab.example,2026:%d</id><title>On %d</title><link href="/p/%d"/><updated>2026-05-20T06:00:00Z</updated><author><name>Ada Lovelace</name></author></entry>'
        % (n, n, n)
        for n in range(3)
    )
    + b"</feed>"
)
RDF = (
    b'<?xml version="1.0"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">'
    b'<channel rdf:about="https://j.example/"><title>J</title></channel>'
    + b"".join(
        b'<item rdf:about="https://j.example/%d"><title>On %d</title><link>https://j.example/%d</link><dc:creator>Ada Lovelace</dc:creator><dc:date>2026-05-20</dc:date></item>'
        % (n, n, n)
        for n in range(3)
    )
    + b"</rdf:RDF>"
)


@dataclass(frozen=True)
class Odd:
    """A faulty feed, with the number of its papers, the number of readable ones, and a reason if they differ."""

    body: bytes
    entries: int = 3
    readable: int = 3
    headers: Mapping[str, str] = field(default_factory=dict)


def within(replaced: bytes, by: bytes, body: bytes = WHOLE) -> bytes:
    """Return `body` with the first `replaced` in its first entry replaced with `by`."""
    assert replaced in body
    return body.replace(replaced, by, 1)


DATE = b"Wed, 20 May 2026 06:00:00 GMT"
ODD: dict[str, Odd] = {
    "plain RSS": Odd(WHOLE),
    "plain Atom": Odd(ATOM),
    "plain RDF": Odd(RDF),
    "an impossible date": Odd(within(DATE, b"Wed, 99 Foo 99999 99:99:99 +99999")),
    "a date of the year 1": Odd(within(DATE, b"0001-01-01T00:00:00Z")),
    "a date of 1970": Odd(within(DATE, b"Thu, 01 Jan 1970 00:00:00 GMT")),
    "a date in seconds": Odd(within(DATE, b"1795737600")),
    "a date of the year 99999": Odd(within(DATE, b"99999-01-01T00:00:00Z")),
    "a reference beyond Unicode": Odd(within(b"On A", b"On A &#x110000;")),
    "a reference to NUL": Odd(within(b"On A", b"On A &#0;&#1;&#xB;")),
    "a reference to half a surrogate": Odd(within(b"On A", b"On A &#xD800;&#55357;")),
    "a huge reference": Odd(within(b"On A", b"On A &#9999999999;")),
    "a pair of surrogates": Odd(within(b"On A", b"On &#55357;&#56832; A")),
    "inequalities": Odd(within(b"On A", b"On $a<b$ then $c>d$ and a <b and c> d")),
    "a closing of CDATA": Odd(within(b"On A", b"On ]]> A")),
    "an old document type": Odd(WHOLE.replace(b"?>", b'?><!DOCTYPE rss PUBLIC "-//Netscape//DTD RSS 0.91//EN" "http://host.example/rss.dtd">', 1)),
    "XML 1.1": Odd(WHOLE.replace(b'version="1.0"', b'version="1.1"', 1)),
    "two declarations": Odd(b'<?xml version="1.0"?>' + WHOLE),
    "chunks of HTTP behind the end": Odd(WHOLE + b"\r\n0\r\n\r\n"),
    "an unfinished reference": Odd(within(b"On A", b"On A &#12 &amp &#x; &#")),
    "entities of HTML": Odd(within(b"On A", b"On A&nbsp;&eacute;&hellip;&mdash;&Aacute;")),
    "unknown entities": Odd(within(b"On A", b"On A &journal; &T;")),
    "an ampersand": Odd(within(b"On A", b"AT&T & A")),
    "an ampersand in a link": Odd(within(b"https://journal.example.org/A<", b"https://journal.example.org/x?a=1&b=2&copy=3<")),
    "control characters": Odd(within(b"On A", b"On\x00\x01\x08\x0b\x1f A")),
    "text behind the end": Odd(WHOLE + b"\n<!-- 0.123 s -->\nGenerated in 0.1 s"),
    "a script behind the end": Odd(WHOLE + b"<script>if (a < b && c > d) track('&x')</script>"),
    "a page behind the end": Odd(ATOM + b"<html><body><br>x</body></html>"),
    "a second feed behind the end": Odd(WHOLE + b"\n" * 500),
    "blank lines before the beginning": Odd(b"\n\n  \r\n" + WHOLE),
    "a warning before the beginning": Odd(b"<br />\n<b>Warning</b>:  x() expects y in <b>/z.php</b><br />\n" + WHOLE),
    "a byte order mark": Odd(b"\xef\xbb\xbf" + WHOLE),
    "Latin-1 that says so": Odd(journal(Entry(title="Café"), B, C, charset="latin-1")),
    "Latin-1 that says UTF-8": Odd(journal(Entry(title="Café"), B, C, charset="latin-1", declared="utf-8")),
    "UTF-16": Odd(journal(Entry(title="Café"), B, C, charset="utf-16")),
    "an unknown charset": Odd(WHOLE.replace(b'"utf-8"', b'"x-unknown"', 1)),
    "broken UTF-8": Odd(within(b"On A", b"On \xff\xfe A")),
    "a tag that is not closed": Odd(within(b"On A", b"On <i>A")),
    "a tag that is closed twice": Odd(within(b"On A", b"On A</b>")),
    "a prefix without a namespace": Odd(within(b"<guid>A</guid>", b"<guid>A</guid><media:thumbnail url='x'/>")),
    "an attribute without quotes": Odd(within(b"<guid>", b"<guid isPermaLink=false>")),
    "no title, but a text": Odd(within(b"<title>On A</title>", b"")),
    "an empty title": Odd(within(b"On A", b"<![CDATA[ <b></b> ]]>")),
    "neither title nor text": Odd(journal(replace(A, title="", summary=""), B, C), readable=2),
    "no link and no guid": Odd(within(b"<link>https://journal.example.org/A</link><guid>A</guid>", b""), readable=2),
    "a link to a script": Odd(within(b"https://journal.example.org/A<", b"javascript:alert(1)<"), readable=2),
    "a DOI without a link": Odd(within(b"<link>https://journal.example.org/A</link><guid>A</guid>", b"<dc:identifier>doi:10.1234/abc</dc:identifier>")),
    "relative links": Odd(WHOLE.replace(b"<link>https://journal.example.org/", b"<link>/p/").replace(b"<guid>", b"<guid isPermaLink='false'>")),
    "links without a scheme": Odd(WHOLE.replace(b"<link>https://", b"<link>//")),
    "links with blanks": Odd(WHOLE.replace(b"<link>https://journal.example.org/", b"<link>\n  https://journal.example.org/some thing/")),
    "one guid for all": Odd(journal(*(Entry(title=f"On {n}", guid="same", link=f"https://j.example/{n}") for n in range(3)))),
    "one DOI for all": Odd(journal(*(Entry("10.1234/journal", title=f"On {n}", guid=f"g{n}", link=f"https://j.example/{n}") for n in range(3)))),
    "one link for all": Odd(journal(*(Entry(title=f"On {n}", guid="", link="https://doi.org/10.1234/journal") for n in range(3)))),
    "no guid": Odd(journal(*(Entry(title=f"On {n}", link=f"https://j.example/?t={n}") for n in range(3)))),
    "gzip": Odd(gzip.compress(WHOLE), headers={"Content-Encoding": "gzip"}),
    "gzip that doesn't say so": Odd(gzip.compress(WHOLE)),
    "gzip that isn't": Odd(WHOLE, headers={"Content-Encoding": "gzip"}),
    "deflate": Odd(zlib.compress(WHOLE), headers={"Content-Encoding": "deflate"}),
    "encoding none": Odd(WHOLE, headers={"Content-Encoding": "none"}),
    "encoding UTF-8": Odd(WHOLE, headers={"Content-Encoding": "UTF-8"}),
    "encoding binary": Odd(WHOLE, headers={"Content-Encoding": "binary, 8bit"}),
    "an empty encoding": Odd(WHOLE, headers={"Content-Encoding": ""}),
    "a long header": Odd(WHOLE, headers={"Content-Security-Policy": "x" * 100_000}),
    "a malformed Link header": Odd(WHOLE, headers={"Link": "<<https://[::1>; rel=="}),
    "a malformed ETag": Odd(WHOLE, headers={"ETag": '"' + "é" * 400, "Last-Modified": "soon"}),
    "a text/plain feed": Odd(WHOLE, headers={"Content-Type": "text/plain; charset=\\"}),
    "a hundred thousand Retry-Afters": Odd(WHOLE, headers={"Retry-After": "9" * 400}),
}  # fmt: skip

BROKEN: dict[str, Odd] = {
    "cut off in an entry": Odd(WHOLE[:-200], readable=0),
    "cut off before the end": Odd(WHOLE[: WHOLE.index(b"</channel>")], readable=0),
    "cut off gzip": Odd(gzip.compress(WHOLE)[:-20], readable=0, headers={"Content-Encoding": "gzip"}),
    "cut off Atom": Odd(ATOM[:-30], readable=0),
    "a page": Odd(b"<!DOCTYPE html><html><body>Bad gateway</body></html>", entries=0, readable=0),
    "nothing": Odd(b"", entries=0, readable=0),
    "Brotli": Odd(b"\x1b\x05\x00\xf8", entries=0, readable=0, headers={"Content-Encoding": "br"}),
}
"""Bodies that must be errors, and never count as an empty or shortened feed."""
