"""Polls: what one brought, and how it went."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Self

from bot.domain.models import Paper

_TIMES = ("at", "next_at", "succeeded_at", "new_at")


@dataclass(frozen=True, slots=True)
class PaperChange:
    """A paper that is new, or that changed."""

    paper: Paper
    before: Paper | None
    """What it was; None for a paper that is new."""
    first_seen: int | None = None
    """In ms; None but where it is announced again, because posts of it may have been forgotten."""


@dataclass(frozen=True, slots=True)
class Poll:
    """What one poll of one source brought."""

    entry: str
    """Its id in the stream."""
    news: tuple[PaperChange, ...]

    @property
    def at(self) -> int:
        """When it was announced, in ms of the server's clock."""
        return int(self.entry.partition("-")[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class PollResult:
    """The outcome of one poll of one source. Times are aware."""

    source: str
    at: datetime
    next_at: datetime
    """When it is asked again."""
    new: int = 0
    """Papers never seen before."""
    changed: int = 0
    """Known papers of which something changed."""
    found: int = 0
    """Papers that this source was the first to announce, over all its polls."""
    alarm: str | None = None
    """What an operator should know, although the poll went well."""
    skipped: int = 0
    """Rows of the source's present list that can't be read."""
    skipped_reason: str = ""
    """Why most of them can't."""
    error: str | None = None
    """What went wrong, as a sentence for the operator."""
    refused: bool = False
    failures: int = 0
    """In a row, this one included."""
    succeeded_at: datetime | None = None
    """When a poll last went well, this one included."""
    new_at: datetime | None = None
    """When one last brought a new paper."""

    def __str__(self) -> str:
        return json.dumps(asdict(self), default=datetime.isoformat)

    @classmethod
    def parse(cls, written: str) -> Self:
        """The inverse of `str`."""
        fields: dict[str, Any] = json.loads(written)
        times: dict[str, Any] = {name: _time(fields.pop(name, None)) for name in _TIMES}
        return cls(**fields, **times)


def _time(written: str | None) -> datetime | None:
    return None if written is None else datetime.fromisoformat(written)
