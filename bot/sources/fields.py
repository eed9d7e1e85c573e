"""What a field of an upstream's answer has to be before it is let in."""

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

import structlog

from bot.domain.errors import SourceError

log = structlog.get_logger(__name__)

MAX_URL = 2048

Row = TypeVar("Row")
Value = TypeVar("Value")


def text(value: Any) -> str:
    """A string as it is; anything else is no text."""
    return value if isinstance(value, str) else ""


def count(value: Any) -> int | None:
    """A whole number of 0 or more; anything else is unknown."""
    return value if type(value) is int and value >= 0 else None


def mapping(value: Any) -> dict[str, Any]:
    """An object as it is; anything else is an empty one."""
    return value if isinstance(value, dict) else {}


def read_json(body: bytes, upstream: str) -> Any:
    """`body` as JSON. Raises SourceError."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise SourceError(f"{upstream} sent something that is not JSON ({len(body)} bytes)") from error


def web_url(value: Any) -> str | None:
    """An address that may stand behind a link: http(s), with a host and no blanks. Anything else is none."""
    url = text(value).strip()
    if len(url) > MAX_URL or not url.isprintable() or " " in url:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and parts.hostname else None


def moment(value: Any) -> datetime:
    """An ISO 8601 time in UTC; without a zone it is taken for UTC. Raises ValueError for anything else."""
    parsed = datetime.fromisoformat(text(value))
    return parsed.replace(tzinfo=parsed.tzinfo or UTC).astimezone(UTC)


def read_rows(upstream: str, rows: Iterable[Row], read: Callable[[Row], Value]) -> list[Value]:
    """What `read` makes of each row; one for which it raises ValueError is left out, and logged.

    One broken row must not hold up a day's papers. If every row is broken the format has changed: SourceError.
    """
    values, broken = [], 0
    for row in rows:
        try:
            values.append(read(row))
        except ValueError as error:
            broken += 1
            log.warning("row left out", upstream=upstream, reason=str(error), row=repr(row)[:200])
    if broken and not values:
        raise SourceError(
            f"{upstream} sent {broken} papers, none of which can be read: its format has changed"
        )
    return values
