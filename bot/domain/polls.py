"""Polls of sources: what one brought, and how it went."""

import json
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, Self

from bot.domain.models import Paper

_TIMES = ("at", "next_at", "succeeded_at", "new_at")


@dataclass(frozen=True, slots=True)
class PaperChange:
    """A paper that is new, or that changed."""

    paper: Paper
    before: Paper | None
    """The paper before the change; None if it is new."""
    first_seen: int | None = None
    """Milliseconds since 1970; only for a paper that is announced again, because Redis may have forgotten its posts."""


@dataclass(frozen=True, slots=True)
class Poll:
    """What one poll of one source brought."""

    entry: str
    """The id of its entry in the stream."""
    news: tuple[PaperChange, ...]

    @property
    def at(self) -> int:
        """When it was announced, in milliseconds of Redis' clock."""
        return int(self.entry.partition("-")[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class PollResult:
    """The outcome of one poll of one source. Times are aware."""

    source: str
    at: datetime
    next_at: datetime
    """When the source is polled next."""
    new: int = 0
    """Papers that no source had listed before."""
    changed: int = 0
    """Known papers that changed."""
    found: int = 0
    """Papers that this source was the first to list, over all its polls."""
    alarm: str | None = None
    """What an operator should know although the poll succeeded."""
    skipped: int = 0
    """Rows of the source's present list that can't be read."""
    skipped_reason: str = ""
    """Why most of them can't."""
    error: str | None = None
    """What went wrong, as a sentence for the operator."""
    refused: bool = False
    failures: int = 0
    """Failed polls in a row, this one included."""
    succeeded_at: datetime | None = None
    """When a poll last succeeded, this one included."""
    new_at: datetime | None = None
    """When a poll last brought a new paper."""

    def __str__(self) -> str:
        return json.dumps(asdict(self), default=datetime.isoformat)

    @classmethod
    def parse(cls, written: str) -> Self:
        """The inverse of `str`; fields that a newer version added are ignored.

        Raises ValueError, KeyError or TypeError for anything else.
        """
        stored: dict[str, Any] = json.loads(written)
        values = {field.name: stored[field.name] for field in fields(cls) if field.name in stored}
        return cls(**values | {name: _time(values.get(name)) for name in _TIMES})


def _time(written: str | None) -> datetime | None:
    return None if written is None else datetime.fromisoformat(written)
