"""Converts papers to Zotero items.

An item's key is derived from its paper's id, so that a paper sent twice is one item.
See https://www.zotero.org/support/dev/web_api/v3/write_requests.
"""

from hashlib import sha256
from typing import Any

from bot.text.bibliography import Listed, csl_entry

ALPHABET = "23456789ABCDEFGHIJKLMNPQRSTUVWXYZ"
"""The characters of a key."""
KEY_LENGTH = 8
MAX_TITLE = 1000
"""Maximum number of characters of a title. Zotero rejects a request with a longer one, including its valid items."""


def key_for(name: str) -> str:
    """Return a key for this name: one of 10^12, so that two papers of a library hardly ever share one."""
    number = int.from_bytes(sha256(f"paperboy {name}".encode()).digest())
    characters = []
    for _ in range(KEY_LENGTH):
        number, rest = divmod(number, len(ALPHABET))
        characters.append(ALPHABET[rest])
    return "".join(characters)


def item_of(listing: Listed, collection: str) -> dict[str, Any]:
    """Return a new item in a collection. Its version is 0, so Zotero rejects it if an item with its key exists."""
    entry = csl_entry(listing)
    year, month, day = entry["issued"]["date-parts"][0]
    extra = (
        ("Published in", entry.get("container-title", "")),
        ("arXiv version", entry.get("version", "")),
        ("Citation Key", entry["id"]),
        ("Note", listing.note),
    )
    values = {
        "title": entry.get("title", "")[:MAX_TITLE],
        "creators": [_creator(name) for name in entry.get("author", ())],
        "abstractNote": entry.get("abstract", ""),
        "repository": "arXiv" if entry.get("number") else "",
        "archiveID": entry.get("number", ""),
        "date": f"{year:04}-{month:02}-{day:02}",
        "DOI": entry.get("DOI", ""),
        "url": entry.get("URL", ""),
        "extra": "\n".join(f"{name}: {text}" for name, text in extra if text),
        "tags": [{"tag": tag} for tag in listing.tags],
    }
    return {
        "key": key_for(listing.paper.id),
        "version": 0,
        "itemType": "preprint",
        "collections": [collection],
        **{name: value for name, value in values.items() if value},
    }


def _creator(name: dict[str, str]) -> dict[str, str]:
    if "literal" in name:
        return {"creatorType": "author", "name": name["literal"]}
    return {"creatorType": "author", "firstName": name["given"], "lastName": name["family"]}
