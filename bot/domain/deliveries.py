"""Deliveries: the values that the outbox stores and returns."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bot.domain.models import ChannelRef, MessageRef, Reason

PaperWithReasons = tuple[str, tuple[Reason, ...]]
"""A paper's id, and the reasons why the channel gets it."""
Scope = Literal["channel", "workspace"]
"""The extent of a pause or a rate limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """The budget that limits how many papers of a delivery are posted at once; the rest is folded into one message."""

    most: int
    """Maximum number of papers in any 24 hours."""
    fits: Mapping[str, float]
    """Paper id -> how well it fits; later budgets compare with it."""
    always: frozenset[str]
    """Papers that are posted regardless of the budget."""
    below: frozenset[str]
    """Papers that are folded even if there is room: better ones are likely to come."""
    label: str
    """The label of the message with the folded papers."""
    due: int
    """When that message is due, in milliseconds of Redis' clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedDelivery:
    """Papers to post in one channel, in one message."""

    channel: ChannelRef
    papers: tuple[PaperWithReasons, ...]
    due: int
    """When to post, in milliseconds of Redis' clock."""
    label: str
    """The message's name within its channel: plans with the same label become one message."""
    detected: int | None = None
    """When its paper was announced, in milliseconds of Redis' clock; None if it waits by design, as digests do."""
    digest_threshold: int = 0
    """Post separately while at most this many messages leave within `flood_window`."""
    flood_window: int = 0
    """Period in which messages are counted, in milliseconds; 0 if the papers stay in one message and aren't counted."""
    budget: Budget | None = None
    maybe_sent_since: int | None = None
    """Earliest time of a possible earlier post, in milliseconds of Redis' clock; if set, look it up before posting."""

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
    """`claimed`, or `unknown` if a look-up on the platform must show first whether it was posted."""
    token: str
    """Names the claim: a worker whose claim has expired can't change the delivery any more."""
    tries: int
    """Failed attempts so far."""
    since: datetime | None
    """Earliest time at which it may have been posted."""
    deaths: int = 0
    """Number of workers that crashed while sending it."""
    detected: datetime | None = None
    """When its paper was announced, if it was to be posted at once."""
    refusals: int = 0
    """Unexplained refusals so far; they don't count as failed attempts."""
    refused_alone: int = 0
    """Number of these that came although another post had succeeded since the previous one."""
    copy_of: ChannelRef | None = None
    """The channel whose post it copies to another address: the same papers, in the same order."""

    @property
    def label(self) -> str:
        """The delivery's name within its channel."""
        return self.key.partition("/")[2]


@dataclass(frozen=True, slots=True)
class Claims:
    """The result of a claim."""

    deliveries: tuple[Delivery, ...]
    next_look: Mapping[int, float | None]
    """Shard -> seconds until its next delivery is due; None if none waits."""
    forgot: Mapping[int, str]
    """Shards on a Redis server that may have lost its most recent writes. Announce recent papers again, then call
    `mark_replayed` with these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The outcome of an unconfirmed delivery."""

    state: Literal["pending", "unknown", "dead", "held", "folded"]
    why: str
    rest: str = ""
    """Folded: the label of the message that its papers join."""
    due: int = 0
    """Folded: when that message is due, in milliseconds of Redis' clock."""
    after: float = 0.0
    """Seconds until it is tried again."""
    counts: bool = False
    """Whether it is a failed attempt: several make a dead letter, and some in a row pause the channel."""
    limit: Scope | None = None
    """Post nothing in its channel, or workspace, for `after` seconds."""
    named: bool = False
    """The platform itself named `after`, so never retry sooner."""
    refused: Literal["channel", "platform"] | None = None
    """The refusal is unexplained and concerns at most this: if other posts succeed there, the card is at fault."""
    passed: float | None = None
    """Seconds since this process last posted on the platform."""


@dataclass(frozen=True, slots=True)
class Sent:
    """When and where a paper was posted."""

    at: datetime
    message: MessageRef
    label: str = ""
    """The digest's label, if it was in one."""
    place: int = 0
    """Its position in the message, from 1; 0 if unknown."""
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Post:
    """A paper, or an event of a paper, that was posted in a channel."""

    entry: str
    """The paper's id or the event's name, as in the outbox."""
    sent: Sent


@dataclass(frozen=True, slots=True)
class OpenDelivery:
    """A delivery that isn't done."""

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
        """The channel that gets it."""
        return channel_of(self.key)

    @property
    def label(self) -> str:
        """The delivery's name within its channel."""
        return self.key.partition("/")[2]


@dataclass(frozen=True, slots=True)
class ChannelStatus:
    """A channel's waiting messages, and its pause, if any."""

    waiting: int
    """Number of messages that will be posted without anyone's help."""
    dead_letters: int
    """Number of messages that wait for the operator's decision."""
    pause: "Pause | None"
    """The pause of the channel, else of its workspace; None if neither is paused."""

    @property
    def paused(self) -> str:
        """The reason for the pause; "" if the channel isn't paused."""
        return self.pause.why if self.pause else ""


@dataclass(frozen=True, slots=True)
class Pause:
    """A paused channel or workspace: nothing is posted there except an occasional probe."""

    scope: Scope
    name: str
    """The channel as `platform:workspace:channel`, or the workspace as `platform:workspace`."""
    why: str
    since: datetime | None
    next_probe: datetime | None
    """When the next post is tried, if one is waiting."""


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
    """Return the channel of the delivery with this key. Raises ValueError if it isn't a delivery's key."""
    return ChannelRef.parse(key.partition("/")[0])
