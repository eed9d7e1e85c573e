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
"""Characters of an address. Slack takes 3,000, Discord 2,048."""
MAX_COUNT = 1_000_000_000
"""Upvotes or stars; more is a fault of the upstream, and the search index could not store it."""
MAX_DIGITS = 100_000
"""Characters of a number in a header or field that are looked at."""

Row = TypeVar("Row")
Value = TypeVar("Value")


def text(value: Any) -> str:
    """`value` if it is a string, else an empty one."""
    return value if isinstance(value, str) else ""


def count(value: Any) -> int | None:
    """A whole number from 0 to a billion; None for anything else."""
    return value if type(value) is int and 0 <= value <= MAX_COUNT else None


def bounded(written: str, most: int) -> int | None:
    """The number that `written` spells in ASCII digits, at most `most`; None for anything else.

    Python refuses to read numbers of more than 4,300 digits, so that they are cut before they are read.
    """
    digits = written.strip() if len(written) <= MAX_DIGITS else ""
    if not (digits.isascii() and digits.isdecimal()):
        return None
    digits = digits.lstrip("0") or "0"
    return most if len(digits) > len(str(most)) else min(int(digits), most)


def mapping(value: Any) -> dict[str, Any]:
    """`value` if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def read_json(body: bytes, upstream: str) -> Any:
    """`body` as JSON. Raises SourceError."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise SourceError(f"{upstream} sent something that is not JSON ({len(body)} bytes)") from error


def web_url(value: Any) -> str | None:
    """`value` if it is an address that a link may lead to: http(s), with a host and no blanks; None for anything else."""
    url = text(value).strip()
    if len(url) > MAX_URL or not url.isprintable() or " " in url:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and parts.hostname else None


def moment(value: Any) -> datetime:
    """The ISO 8601 time `value` in UTC, which it is assumed to be in without a zone. Raises ValueError for anything else."""
    parsed = datetime.fromisoformat(text(value))
    return parsed.replace(tzinfo=parsed.tzinfo or UTC).astimezone(UTC)


def read_rows(
    upstream: str, rows: Iterable[Row], read: Callable[[Row], Value], skipped: Counter[str] | None = None
) -> list[Value]:
    """`read` of each row. A row for which it raises ValueError or OverflowError is skipped, logged once, and counted.

    `skipped` counts such rows by reason.

    Raises SourceError if no row can be read: then the format has changed.
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
    """A row that stays in a list is read at every poll; the log names it the first time."""
    log.warning("row_skipped", upstream=upstream, reason=reason, row=row[:200])
