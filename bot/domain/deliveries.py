"""Deliveries: the values that the outbox stores and returns."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bot.domain.models import ChannelRef, MessageRef, Reason

PaperWithReasons = tuple[str, tuple[Reason, ...]]
"""A paper's id, and why the channel gets it."""
Scope = Literal["channel", "workspace"]
"""What is paused or limited."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How many papers of a delivery may be posted at once; the rest is folded into one message."""

    most: int
    """Papers in any 24 hours."""
    fits: Mapping[str, float]
    """How well each paper fits: later budgets compare with it."""
    always: frozenset[str]
    """Papers that are posted even so."""
    below: frozenset[str]
    """Papers that are folded though there may be room: better ones are likely to come."""
    label: str
    """The label of the message of folded papers."""
    due: int
    """When that is due, in milliseconds of Redis' clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedDelivery:
    """Papers to post in one channel, in one message."""

    channel: ChannelRef
    papers: tuple[PaperWithReasons, ...]
    due: int
    """When to post, in milliseconds of Redis' clock."""
    label: str
    """The message's name within its channel: plans of the same label become one message."""
    detected: int | None = None
    """When its paper was announced, in the same; None if the message is meant to wait, as a digest does."""
    digest_threshold: int = 0
    """Post separately while at most this many messages leave within `flood_window`."""
    flood_window: int = 0
    """Milliseconds in which messages are counted; 0 if the papers stay in one message and aren't counted."""
    budget: Budget | None = None
    maybe_sent_since: int | None = None
    """When it may have been posted at the earliest, in the same; then the platform is asked first."""

    @property
    def key(self) -> str:
        """The delivery's name, `channel/label`; it travels with the message."""
        return f"{self.channel}/{self.label}"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery that a worker has claimed."""

    key: str
    channel: ChannelRef
    papers: tuple[PaperWithReasons, ...]
    state: str
    """`claimed`, or `unknown` if the platform must be asked first whether it was posted."""
    token: str
    """Names the claim: a worker whose claim has expired can't change the delivery any more."""
    tries: int
    """Failed attempts so far."""
    since: datetime | None
    """When it may have been posted at the earliest."""
    deaths: int = 0
    """Workers that died while they sent it."""
    detected: datetime | None = None
    """When its paper was announced, if it was to be posted at once."""
    refusals: int = 0
    """Unexplained refusals so far; they are no failed attempts."""
    refused_alone: int = 0
    """How many of those came although another post had got through since the one before."""

    @property
    def label(self) -> str:
        """The delivery's name within its channel."""
        return self.key.partition("/")[2]


@dataclass(frozen=True, slots=True)
class Claims:
    """The answer to a claim."""

    deliveries: tuple[Delivery, ...]
    next_look: Mapping[int, float | None]
    """Shard -> seconds until something there is due; None if nothing waits."""
    forgot: Mapping[int, str]
    """Shards of a server that may have forgotten its last moments. Recent papers have to be announced again, and then
    `mark_replayed` called with these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The outcome of a delivery that was not confirmed."""

    state: Literal["pending", "unknown", "dead", "held", "folded"]
    why: str
    rest: str = ""
    """Folded: the label of the message that its papers join."""
    due: int = 0
    """Folded: when that is due, in milliseconds of Redis' clock."""
    after: float = 0.0
    """Seconds until it is tried again."""
    counts: bool = False
    """Whether it is a failed attempt: several make a dead letter, and some in a row give the channel a break."""
    limit: Scope | None = None
    """Nothing may be posted in its channel, or workspace, for `after` seconds."""
    named: bool = False
    """The platform itself named `after`: nothing makes it sooner."""
    refused: Literal["channel", "platform"] | None = None
    """The refusal is unexplained, and about no more than this: posts that get through there show that it is the card."""
    passed: float | None = None
    """Seconds since this process posted something on the platform."""


@dataclass(frozen=True, slots=True)
class Sent:
    """When and where a paper was posted."""

    at: datetime
    message: MessageRef
    label: str = ""
    """The digest's label, if it was in one."""
    place: int = 0
    """Its place in the message, from 1; 0 if that isn't known."""
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Post:
    """A paper or an event of one that was posted in a channel."""

    entry: str
    """As in the outbox: the paper's id, or the event's name."""
    sent: Sent


@dataclass(frozen=True, slots=True)
class OpenDelivery:
    """A delivery that is not done."""

    key: str
    papers: tuple[PaperWithReasons, ...]
    state: str
    due: datetime
    why: str
    """Why the last attempt failed."""
    maybe_sent: bool
    """It is unknown whether it was posted."""

    @property
    def channel(self) -> ChannelRef:
        """The channel that it is for."""
        return channel_of(self.key)

    @property
    def label(self) -> str:
        """The delivery's name within its channel."""
        return self.key.partition("/")[2]


@dataclass(frozen=True, slots=True)
class ChannelStatus:
    """How many messages wait for a channel, and why it is paused if it is."""

    waiting: int
    """Messages that will be posted without anyone doing anything."""
    dead_letters: int
    """Messages that wait for the operator's decision."""
    pause: "Pause | None"
    """The pause of the channel, else of its workspace; None if neither is paused."""

    @property
    def paused(self) -> str:
        """Why nothing is posted in the channel; "" if it isn't paused."""
        return self.pause.why if self.pause else ""


@dataclass(frozen=True, slots=True)
class Pause:
    """A channel or a workspace in which nothing is posted but a probe now and then."""

    scope: Scope
    name: str
    """The channel as `platform:workspace:channel`, or the workspace as `platform:workspace`."""
    why: str
    since: datetime | None
    next_probe: datetime | None
    """When a post is tried again, if one waits by then."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A channel whose posts the platform refuses with an error that it doesn't document."""

    channel: ChannelRef
    why: str
    since: datetime


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A delivery that waits for the operator's decision: `dead`, or `held` if it is unknown whether it was posted."""

    key: str
    channel: ChannelRef
    papers: tuple[PaperWithReasons, ...]
    state: str
    why: str
    since: datetime


def channel_of(key: str) -> ChannelRef:
    """The channel of the delivery of this key. Raises ValueError if it is no such key."""
    return ChannelRef.parse(key.partition("/")[0])
