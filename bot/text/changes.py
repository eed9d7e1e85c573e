"""Compares two texts word by word."""

from difflib import SequenceMatcher

from bot.text.sentences import shorten

MAX_WORDS = 500
"""Maximum number of words compared. An abstract has about 200, and a long one at most 400."""
MAX_CHANGES = 3
"""Maximum number of changes shown."""
MAX_PART = 60
"""Maximum length in characters of each side of a change."""


def word_changes(old: str, new: str) -> list[str]:
    """Return the changed words in order: `“at most” → “at least”`; `added “…”`; `removed “…”`.

    The list is empty if only case or punctuation differ.
    """
    before, after = old.split()[:MAX_WORDS], new.split()[:MAX_WORDS]
    matcher = SequenceMatcher(None, list(map(_folded, before)), list(map(_folded, after)), autojunk=False)
    found = []
    for tag, a, b, c, d in matcher.get_opcodes():
        removed, added = (shorten(" ".join(words), MAX_PART) for words in (before[a:b], after[c:d]))
        if tag == "replace":
            found.append(f"“{removed}” → “{added}”")
        elif tag == "insert":
            found.append(f"added “{added}”")
        elif tag == "delete":
            found.append(f"removed “{removed}”")
    return found


def in_words(changes: list[str]) -> str:
    """Return the first changes, and the number of the others."""
    more = len(changes) - MAX_CHANGES
    return "; ".join(changes[:MAX_CHANGES]) + (f"; and {more} more" if more > 0 else "")


def _folded(word: str) -> str:
    return "".join(c for c in word.casefold() if c.isalnum()) or word
