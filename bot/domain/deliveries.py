"""Deliveries: what the outbox holds and answers, as values."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bot.domain.models import ChannelRef, MessageRef, Reason

PaperWithReasons = tuple[str, tuple[Reason, ...]]
"""A paper's id, and why the channel gets it."""
Scope = Literal["channel", "workspace"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedDelivery:
    """Papers that a channel wants in one message."""

    channel: ChannelRef
    papers: tuple[PaperWithReasons, ...]
    due: int
    """Milliseconds of the server's clock."""
    label: str
    """What the message is called within its channel: offers of the same label become one message."""
    detected: int | None = None
    """When its paper was announced, in the same; None where the message is to wait for something else."""
    digest_threshold: int = 0
    """Where no more of the papers than that are new to the channel, each goes out as a message of its own."""
    maybe_sent_since: int | None = None
    """It may have been posted already, at that time at the earliest: ask the platform first."""

    @property
    def key(self) -> str:
        """The delivery's name; it holds the channel's, and travels with the message."""
        return f"{self.channel}/{self.label}"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery in the hands of a worker."""

    key: str
    channel: ChannelRef
    papers: tuple[PaperWithReasons, ...]
    state: str
    """`claimed`, or `unknown` where it must be found out first whether it was posted."""
    token: str
    tries: int
    """Failed attempts so far."""
    since: datetime | None
    """When it may have been posted at the earliest."""
    deaths: int = 0
    """Workers that died while they sent it."""
    detected: datetime | None = None
    """When its paper was announced, where it was to be posted at once."""

    @property
    def label(self) -> str:
        """What it is called within its channel."""
        return self.key.partition("/")[2]


@dataclass(frozen=True, slots=True)
class Claims:
    """What a claim gave."""

    deliveries: tuple[Delivery, ...]
    next_look: Mapping[int, float | None]
    """Shard -> seconds until something there is due; None where nothing waits."""
    forgot: Mapping[int, str]
    """Shards of a server that may have forgotten its last moments: what it was to remember is to be offered again,
    and then `mark_replayed` called with these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a delivery that was not confirmed goes back."""

    state: Literal["pending", "unknown", "dead", "held"]
    why: str
    after: float = 0.0
    """Seconds until it is tried again."""
    counts: bool = False
    """A failed attempt: `TRIES` of them end it, and some in a row stop its channel for a while."""
    limit: Scope | None = None
    """Nothing at all may be posted in its channel, or workspace, for `after` seconds."""
    named: bool = False
    """The platform itself named that time: nothing makes it sooner."""


@dataclass(frozen=True, slots=True)
class Sent:
    """When and where a paper was posted."""

    at: datetime
    message: MessageRef
    label: str = ""
    """The digest's, where it was in one."""


@dataclass(frozen=True, slots=True)
class OpenDelivery:
    """A delivery that is not done."""

    key: str
    papers: tuple[PaperWithReasons, ...]
    state: str
    due: datetime
    why: str
    """What went wrong at the last attempt."""
    maybe_sent: bool
    """Nobody knows."""

    @property
    def channel(self) -> ChannelRef:
        """Where it goes."""
        return channel_of(self.key)

    @property
    def label(self) -> str:
        """What it is called within its channel."""
        return self.key.partition("/")[2]


@dataclass(frozen=True, slots=True)
class ChannelStatus:
    """What is owed to a channel, and why it is not posted."""

    waiting: int
    """Messages that will go out by themselves."""
    dead_letters: int
    """Messages that wait for a person to decide."""
    paused: str
    """Why nothing is posted in the channel or its workspace; "" where it is."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A delivery that waits for a person to decide: `dead`, or `held` because it is unclear whether it was posted."""

    key: str
    channel: ChannelRef
    papers: tuple[PaperWithReasons, ...]
    state: str
    why: str
    since: datetime


def channel_of(key: str) -> ChannelRef:
    """Where the delivery of this key goes."""
    return ChannelRef.parse(key.partition("/")[0])
