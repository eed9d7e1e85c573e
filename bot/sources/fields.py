"""Reads the fields of an upstream's answer: wrong types and impossible values become empty ones."""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar
from urllib.parse import urlsplit

import structlog

from bot.domain.errors import SourceError

log = structlog.get_logger(__name__)

MAX_URL = 2048
"""Maximum length of an address in characters. Slack takes 3,000, Discord 2,048."""
MAX_COUNT = 1_000_000_000
"""Maximum number of upvotes or stars; more is an upstream's error, and the search index could not store it."""
MAX_DIGITS = 100_000
"""Maximum length of a number in a header or field; a longer one is ignored."""

Row = TypeVar("Row")
Value = TypeVar("Value")


def text(value: Any) -> str:
    """Return `value` if it is a string, else an empty one."""
    return value if isinstance(value, str) else ""


def count(value: Any) -> int | None:
    """Return a whole number from 0 to a billion; None for anything else."""
    return value if type(value) is int and 0 <= value <= MAX_COUNT else None


def bounded(value: str, most: int) -> int | None:
    """Parse a number in ASCII digits, capped at `most`; None for anything else.

    Python refuses to parse numbers of more than 4,300 digits, so numbers that are too long are capped unparsed.
    """
    digits = value.strip() if len(value) <= MAX_DIGITS else ""
    if not (digits.isascii() and digits.isdecimal()):
        return None
    digits = digits.lstrip("0") or "0"
    return most if len(digits) > len(str(most)) else min(int(digits), most)


def mapping(value: Any) -> dict[str, Any]:
    """Return `value` if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def read_json(body: bytes, upstream: str) -> Any:
    """Parse `body` as JSON. Raises SourceError."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise SourceError(f"{upstream} sent something that is not JSON ({len(body)} bytes)") from error


def web_url(value: Any) -> str | None:
    """Return `value` if a link can lead to it: an http(s) address with a host and no blanks; None for anything else."""
    url = text(value).strip()
    if len(url) > MAX_URL or not url.isprintable() or " " in url:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and parts.hostname else None


def moment(value: Any) -> datetime:
    """Parse an ISO 8601 time to UTC; without a zone it is taken as UTC. Raises ValueError for anything else."""
    parsed = datetime.fromisoformat(text(value))
    return parsed.replace(tzinfo=parsed.tzinfo or UTC).astimezone(UTC)


def read_rows(
    upstream: str, rows: Iterable[Row], read: Callable[[Row], Value], skipped: Counter[str] | None = None
) -> list[Value]:
    """Apply `read` to each row. Rows for which it raises ValueError or OverflowError are skipped and logged once.

    `skipped` counts such rows by reason. Raises SourceError if no row can be read: then the format has changed.
    """
    values, broken = [], 0
    for row in rows:
        try:
            values.append(read(row))
        except (ValueError, OverflowError) as error:
            broken += 1
            if skipped is not None:
                skipped[str(error)] += 1
            _log_once(upstream, str(error), repr(row))
    if broken and not values:
        raise SourceError(
            f"{upstream} sent {broken} papers, none of which can be read: its format has changed"
        )
    return values


@lru_cache(maxsize=1000)
def _log_once(upstream: str, reason: str, row: str) -> None:
    """Log a skipped row only once, since a row that stays in a list is read at every poll."""
    log.warning("row_skipped", upstream=upstream, reason=reason, row=row[:200])
