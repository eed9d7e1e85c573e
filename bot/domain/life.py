"""The life of a paper after it appeared: its events, and who watches for them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

EventKind = Literal["version", "accepted", "published", "code", "withdrawn", "milestone", "cited"]

EVENT_KINDS: tuple[EventKind, ...] = get_args(EventKind)
IMPORTANT: frozenset[EventKind] = frozenset(("withdrawn", "accepted", "code"))
MAX_EVENTS = 20
"""Maximum number of events stored with a paper; the oldest are dropped."""
ENTRY = "life:"
"""Prefix of an event's name in the outbox, `life:<key>:<paper>`. It takes the place of a paper's id."""
LIFE = "life@"
"""Prefix of the label of a delivery of events."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a paper."""

    kind: EventKind
    key: str
    """Unique among the paper's events, without colons or spaces: `v2`, `accepted-icml-2026`."""
    at: datetime
    """When Paperboy learned of it."""
    text: str
    """What happened, as a sentence in plain text."""

    def entry(self, paper_id: str) -> str:
        """Return the event's name in the outbox."""
        return f"{ENTRY}{self.key}:{paper_id}"


@dataclass(frozen=True, slots=True)
class Watch:
    """A channel's or person's request to be notified of a paper's events."""

    events: frozenset[EventKind]
    by: str
    """The `signature` of the person who watches, or made the channel watch."""
    at: datetime
    """When the watch began."""
    by_saving: bool = False
    """Created by saving the paper; ends when the paper is removed from the saved list."""


def paper_of(entry: str) -> str:
    """Return the paper's id of an outbox entry, which is a paper or an event of one."""
    return entry.split(":", 2)[2] if entry.startswith(ENTRY) else entry
