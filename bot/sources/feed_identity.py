"""Identifies the papers of a feed's entries. Pure.

An entry that names its paper (an arXiv address, a DOI, …) gets that paper's id, the same as from every other source.
Other entries get an id that is unique within their feed.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any
from urllib.parse import urljoin, urlsplit

from bot.sources.fields import text, web_url
from bot.text.identity import is_arxiv, paper_id

Row = Mapping[str, Any]
"""An entry as `bot.sources.feed_worker` writes it."""

_VOLATILE = re.compile(
    r"[?&;](?:jsessionid|phpsessid|aspsessionid|sid|session(?:_?id)?|[a-z]{0,10}_?token|nonce|sig|signature|expires|ts|timestamp|rnd|rand)=",
    re.IGNORECASE,
)
"""Query parameters that change with each request."""


def identify(rows: Sequence[Row], feed_url: str) -> Iterator[str]:
    """Yield the ids of the rows, in order.

    A name that several different entries share identifies none of them, even if the feed calls it an id.
    """
    links = [address_of(row, feed_url) or text(row["link"]) for row in rows]
    ambiguous = _ambiguous(
        (name, links[n]) for n, row in enumerate(rows) for name in {*row["names"], row["id"]}
    )
    shared_links = _ambiguous((link, row["title"]) for row, link in zip(rows, links, strict=True))
    alike = _ambiguous((_words(row), links[n].partition("?")[0]) for n, row in enumerate(rows))
    for row, link in zip(rows, links, strict=True):
        names = (*row["names"], link)
        own_names = (name for name in names if name not in ambiguous and name not in shared_links)
        known = [found for name in own_names if (found := paper_id(name))]
        yield min(known, key=_rank) if known else f"feed:{_digest(_own_id(row, link, ambiguous, alike))}"


def address_of(row: Row, feed_url: str) -> str | None:
    """Return an entry's address, resolved against the feed's; None if it has none."""
    for value in (text(row["link"]), text(row["id"])):
        compact = re.sub(r"[\t\r\n]", "", value).strip().replace(" ", "%20")
        is_address = value is row["link"] or "://" in compact
        try:
            found = web_url(urljoin(feed_url, compact)) if compact and is_address else None
        except ValueError:
            found = None
        if found:
            return found
    named = next((found for name in row["names"] if (found := paper_id(name))), "")
    if named.startswith("doi:"):
        return web_url(f"https://doi.org/{named.removeprefix('doi:')}")
    return f"https://arxiv.org/abs/{named}" if named and is_arxiv(named) else None


def _own_id(row: Row, link: str, ambiguous: frozenset[str], alike: frozenset[str]) -> str:
    guid = str(row["id"])
    if guid and guid not in ambiguous and not _VOLATILE.search(guid):
        return guid
    words = _words(row)
    # Entries with one title, such as "Editorial", are distinguished by the stable part of their links.
    return f"{words}\n{urlsplit(link).path}" if words in alike else words


def _words(row: Row) -> str:
    """Return title and authors as one text, regardless of spacing and case."""
    return " ".join("\n".join((row["title"], *row["authors"])).casefold().split())


def _ambiguous(pairs: Iterable[tuple[str, str]]) -> frozenset[str]:
    """Return the names that stand for more than one thing."""
    things: dict[str, set[str]] = defaultdict(set)
    for name, thing in pairs:
        things[name].add(thing)
    return frozenset(name for name, found in things.items() if len(found) > 1)


def _digest(value: str) -> str:
    return sha256(value.encode("utf-8", "replace")).hexdigest()[:20]


def _rank(canonical: str) -> int:
    """Rank an id: sources agree most often on arXiv's ids, then on DOIs."""
    return 0 if is_arxiv(canonical) else 1 if canonical.startswith("doi:") else 2
