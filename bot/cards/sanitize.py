"""Sanitizes text and links for cards, so that they can't control a terminal or a chat."""

import re
from urllib.parse import quote, urlsplit

MAX_URL = 512
"""Maximum length of a button's link, the smallest limit of the supported platforms."""

_BREAK = re.compile("[\t\r\v\f\x1c-\x1f\x85\u2028\u2029]")
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\ufffe\uffff\ud800-\udfff\ue000-\uf8ff\U000e0000-\U000e0fff\U000f0000-\U0010ffff]"
)
"""Control characters, bidirectional overrides, zero-width marks, tags, private use characters, lone surrogates.

Joiners stay, because Persian, Indic scripts and emoji need them.
"""
_URL_SAFE = "%/:=&?~#+!$,;'@()*[]-._"


def plain(text: str) -> str:
    """Return `text` in one line, without control, bidirectional, invisible or unencodable characters."""
    line = " ".join(text.split())
    if line.isascii() and line.isprintable():  # most texts, and a page cleans hundreds
        return line
    return " ".join(_UNSEEN.sub("", _BREAK.sub(" ", text)).split())


def visible(text: str) -> str:
    """Clean `text` like `plain`, but leave line breaks and repeated spaces."""
    return _UNSEEN.sub("", _BREAK.sub(" ", text))


def link(url: str | None) -> str | None:
    """Return `url`, percent-encoded, if it is a web address that is safe to link; else None."""
    try:
        parts = urlsplit(plain(url or ""))
        if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
            return None
        safe = quote(parts.geturl(), safe=_URL_SAFE)
    except (ValueError, UnicodeError):
        return None
    return safe if len(safe) <= MAX_URL else None
