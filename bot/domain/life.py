"""What happens to a paper after it appeared: events, and what a record on arXiv says about it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

EventKind = Literal["version", "accepted", "published", "code", "withdrawn", "milestone", "cited"]

EVENT_KINDS: tuple[EventKind, ...] = get_args(EventKind)
IMPORTANT: frozenset[EventKind] = frozenset(("withdrawn", "accepted", "code"))
MAX_EVENTS = 20
"""Events that are stored with a paper; the oldest are dropped."""
ENTRY = "life:"
"""Begins the name of an event in the outbox, `life:<key>:<paper>`, where a paper has its id."""
LIFE = "life@"
"""Begins the label of a delivery of events."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a paper."""

    kind: EventKind
    key: str
    """Names it among the paper's events, without colons or spaces: `v2`, `accepted-icml-2026`."""
    at: datetime
    """When Paperboy learned of it."""
    text: str
    """What happened, as a sentence in plain text."""

    def entry(self, paper_id: str) -> str:
        """Its name in the outbox."""
        return f"{ENTRY}{self.key}:{paper_id}"


@dataclass(frozen=True, slots=True)
class Watch:
    """A channel or person wants to hear of a paper's events."""

    events: frozenset[EventKind]
    by: str
    """The `signature` of the person who watches, or made the channel watch."""
    at: datetime
    """Since when."""
    by_saving: bool = False
    """It came with saving the paper, and ends when the paper is removed from the list."""


def paper_of(entry: str) -> str:
    """The id of the paper that an entry of the outbox is about: a paper, or an event of one."""
    return entry.split(":", 2)[2] if entry.startswith(ENTRY) else entry
