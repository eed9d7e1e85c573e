"""Repairs faults that would make a whole feed unreadable. Each repair leaves everything else unchanged. Pure."""

import html
import re
import zlib
from html.entities import html5

from bot.domain.errors import SourceError

MAX_BODY = 4 * 1024 * 1024
"""Maximum size of an uncompressed feed in bytes. The largest feeds of journals have about 1 MB."""

_ROOT_ENDS = re.compile(rb"</(?:[a-z]{1,10}:)?(?:rss|feed|rdf)\s{0,100}>", re.IGNORECASE)
_START = re.compile(rb"<(?:\?xml|rss|feed|rdf:RDF|!--|[a-z]{1,10}:feed)", re.IGNORECASE)
_MAX_LEAD = 10_000
"""Maximum number of bytes before the feed begins: blank lines, or the warnings of a script."""
_REFERENCE = re.compile(
    rb"&(?:#(?P<number>[0-9]{1,10}|[xX][0-9a-fA-F]{1,8});?|(?P<name>[A-Za-z][A-Za-z0-9]{0,30});)?"
)
_SURROGATES = re.compile(rb"&#([0-9]{5});&#([0-9]{5});")
_STRAY = re.compile(
    rb"<(?![!?/]|[A-Za-z_][\w:.-]{0,60}+"
    rb"(?:\s++[A-Za-z_][\w:.-]{0,60}+\s*+=\s*+(?:\"[^\"]{0,2000}+\"|'[^']{0,2000}+'|[^\s\"'<>]++))*+\s*+/?>)"
)
"""A `<` that doesn't begin a tag, comment or declaration."""
_XML_NAMES = frozenset((b"amp", b"lt", b"gt", b"quot", b"apos"))
_CONTROLS = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f]")
"""Bytes that XML forbids, in ASCII-compatible charsets. ESC isn't included: ISO-2022-JP needs it."""


def decompress(body: bytes, encoding: str) -> bytes:
    """Undo the compression for transport.

    The beginning of the body decides, not the header: servers name charsets or `none` as the encoding, or compress
    without saying so. Raises SourceError for an unknown compression and for more than `MAX_BODY` bytes.
    """
    if body[:2] == b"\x1f\x8b":
        plain = _inflate(body, 47)
    elif _is_text(body):
        plain = body
    elif "deflate" in encoding:
        # With zlib's header, as the standard says, or without it.
        plain = _inflate(body, 47 if body[:1] in (b"\x78", b"\x58", b"\x08") else -15)
    elif encoding in ("", "identity", "none"):
        plain = body
    else:
        raise SourceError(f"it is compressed in a way that was not asked for: {encoding[:40]}")
    if len(plain) > MAX_BODY:
        raise SourceError(f"it has more than {MAX_BODY // 2**20} MB, which is more than we read")
    return plain


def _is_text(body: bytes) -> bool:
    start = body[:200].replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    return start.startswith(b"<")


def _inflate(body: bytes, window: int) -> bytes:
    unpacker = zlib.decompressobj(wbits=window)
    try:
        plain = unpacker.decompress(body, MAX_BODY + 1)
    except zlib.error as error:
        raise SourceError(f"it can't be decompressed: {error}") from error
    if not unpacker.eof and len(plain) <= MAX_BODY:
        raise SourceError("it is cut off")
    return plain


def repair(body: bytes) -> bytes:
    """Remove text around the feed, and characters that XML forbids.

    A truncated feed stays truncated. Charsets that aren't ASCII-compatible are left alone.
    """
    if b"\x00" in body[:4]:  # UTF-16 or UTF-32
        return body
    start = _START.search(body, 0, _MAX_LEAD)
    ends = [found.end() for found in _ROOT_ENDS.finditer(body)]
    return repair_characters(body[start.start() if start else 0 : ends[-1] if ends else len(body)])


def repair_characters(body: bytes) -> bytes:
    """Replace references and remove characters that XML forbids."""
    first, *sections = body.split(b"<![CDATA[")
    parts = [_with_valid_references(first)]
    for section in sections:
        inside, closing, outside = section.partition(b"]]>")
        parts.append(b"<![CDATA[" + inside + closing + _with_valid_references(outside))
    return _CONTROLS.sub(b"", b"".join(parts))


def is_complete(body: bytes) -> bool:
    """Whether the body ends with a feed's closing tag."""
    tail = body[-200:].rstrip()
    ends = list(_ROOT_ENDS.finditer(tail))
    return bool(ends) and ends[-1].end() == len(tail)


def escape_stray_brackets(body: bytes) -> bytes:
    """Escape each `<` that doesn't begin a tag, as in "a<b and c>d": a parser would swallow the words after it."""
    first, *sections = body.split(b"<![CDATA[")
    parts = [_STRAY.sub(b"&lt;", first)]
    for section in sections:
        inside, closing, outside = section.partition(b"]]>")
        parts.append(b"<![CDATA[" + inside + closing + _STRAY.sub(b"&lt;", outside))
    return b"".join(parts)


def _with_valid_references(markup: bytes) -> bytes:
    return _REFERENCE.sub(_valid, _SURROGATES.sub(_joined, markup))


def _joined(pair: re.Match[bytes]) -> bytes:
    """Join the references to the two halves of a character that UTF-16 programs write."""
    high, low = int(pair[1]), int(pair[2])
    if 0xD800 <= high < 0xDC00 <= low < 0xE000:
        return b"&#%d;" % (0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
    return pair[0]


def _valid(reference: re.Match[bytes]) -> bytes:
    """Return the reference if XML knows it; HTML's named ones as numbers; invalid characters as `�`; else `&amp;`."""
    name, number = reference["name"], reference["number"]
    if name:
        if name in _XML_NAMES:
            return reference[0]
        characters = html5.get(f"{name.decode()};")
        return _numbered(characters) if characters else b"&amp;" + reference[0][1:]
    if number:
        return _numbered(html.unescape(f"&#{number.decode()};").translate(_FORBIDDEN) or "\ufffd")
    return b"&amp;"


def _numbered(characters: str) -> bytes:
    return b"".join(b"&#%d;" % ord(character) for character in characters)


_FORBIDDEN = dict.fromkeys(
    [*range(9), 11, 12, *range(14, 32), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF], "\ufffd"
)
"""Characters that XML 1.0 has no reference to: https://www.w3.org/TR/xml/#charsets."""
