"""Polls of sources: their papers and their results."""

import json
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, Self

from bot.domain.models import Paper

_TIMES = ("at", "next_at", "succeeded_at", "new_at")


@dataclass(frozen=True, slots=True)
class PaperChange:
    """A paper that is new or has changed."""

    paper: Paper
    before: Paper | None
    """The paper before the change; None if it is new."""
    first_seen: int | None = None
    """Milliseconds since 1970; only for a paper that is announced again because Redis may have lost its posts."""


@dataclass(frozen=True, slots=True)
class Poll:
    """The new and changed papers of one poll of one source."""

    entry: str
    """The id of its entry in the stream."""
    news: tuple[PaperChange, ...]

    @property
    def at(self) -> int:
        """The time of the announcement, in milliseconds of Redis' clock."""
        return int(self.entry.partition("-")[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class PollResult:
    """The result of one poll of one source. Times are aware."""

    source: str
    at: datetime
    next_at: datetime
    """When the source is polled next."""
    new: int = 0
    """Number of papers that no source had listed before."""
    changed: int = 0
    """Number of known papers that changed."""
    found: int = 0
    """Number of papers that this source was the first to list, over all its polls."""
    alarm: str | None = None
    """A warning for the operator, although the poll succeeded."""
    skipped: int = 0
    """Number of unreadable rows in the source's current list."""
    skipped_reason: str = ""
    """The most frequent reason for unreadable rows."""
    error: str | None = None
    """What went wrong, as a sentence for the operator."""
    refused: bool = False
    failures: int = 0
    """Number of failed polls in a row, including this one."""
    succeeded_at: datetime | None = None
    """When a poll last succeeded, including this one."""
    new_at: datetime | None = None
    """When a poll last found a new paper."""

    def __str__(self) -> str:
        return json.dumps(asdict(self), default=datetime.isoformat)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse the output of `str`; fields that a newer version added are ignored.

        Raises ValueError, KeyError or TypeError for anything else.
        """
        stored: dict[str, Any] = json.loads(text)
        values = {field.name: stored[field.name] for field in fields(cls) if field.name in stored}
        return cls(**values | {name: _time(values.get(name)) for name in _TIMES})


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
