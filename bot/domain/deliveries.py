"""What the outbox holds and answers, as values, and how its scripts write them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from bot.domain.models import ChannelRef, MessageRef, Reason

NO_URL = "-"
"""In the place of a message's address, where it has none."""

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
    apart: int = 0
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
    set_aside: int
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


def delivery_record(offer: PlannedDelivery) -> dict[str, Any]:
    """As the scripts read it."""
    papers = [[paper, list(map(_reason, why))] for paper, why in offer.papers]
    values: dict[str, Any] = {
        "key": offer.key,
        "due": offer.due,
        "apart": offer.digest_threshold,
        "papers": papers,
    }
    moments = {"since": offer.maybe_sent_since, "detected": offer.detected}
    return values | {name: at for name, at in moments.items() if at is not None}


def _reason(reason: Reason) -> list[int | str]:
    return [reason.number, reason.query, *([reason.note] if reason.note else [])]


def wanted(papers: str) -> tuple[PaperWithReasons, ...]:
    """The papers of a delivery as its record holds them."""
    return tuple(
        # Lua writes an empty list as {}
        (paper, tuple(Reason(int(number), *words) for number, *words in why or []))
        for paper, why in json.loads(papers)
    )


def channel_of(key: str) -> ChannelRef:
    """Where the delivery of this key goes."""
    return ChannelRef.parse(key.partition("/")[0])


def delivery_of(token: str, found: Sequence[str]) -> Delivery:
    """What a claim with this token answered."""
    key, state, papers, tries, since, deaths, detected = found
    return Delivery(
        key=key,
        channel=channel_of(key),
        papers=wanted(papers),
        state=state,
        token=token,
        tries=int(tries),
        since=_moment(since),
        deaths=int(deaths),
        detected=_moment(detected),
    )


def _moment(ms: str) -> datetime | None:
    return datetime.fromtimestamp(float(ms) / 1000, UTC) if ms else None


def sent_of(text: str) -> Sent:
    """From the record of what was sent."""
    at, message, url, label = f"{text}   ".split(" ")[:4]  # moved from another channel it names no message
    where = MessageRef(message, None if url in {"", NO_URL} else url)
    return Sent(datetime.fromtimestamp(int(at) / 1000, UTC), where, label)


def open_delivery_of(key: str, record: Mapping[str, str]) -> OpenDelivery:
    """From the record of a delivery that is not done."""
    return OpenDelivery(
        key=key,
        papers=wanted(record["papers"]),
        state=record["state"],
        due=datetime.fromtimestamp(float(record["due"]) / 1000, UTC),
        why=record.get("error", ""),
        maybe_sent="since" in record,
    )
