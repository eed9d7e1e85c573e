"""The two ports: where papers come from and where cards go."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.cards import Card
from bot.models import ChannelRef, Command, MessageRef, Paper, User


@dataclass(frozen=True, slots=True)
class Batch:
    """What a source had to say at one poll."""

    papers: tuple[Paper, ...]
    """Listed now; whichever are unseen are matched and posted."""
    cursor: str
    """Given back at the next `fetch`; stored together with the papers or not at all."""
    history: tuple[Paper, ...] = ()
    """Remembered for search and back-tests, never posted."""
    trending: tuple[str, ...] | None = None
    """Ids in the source's trending order; None where it has none or could not be asked."""


class Source(Protocol):
    """An upstream that lists papers."""

    @property
    def name(self) -> str:
        """Unique among sources; what comes before a colon is what `source:` matches (`arxiv:cs.CL`)."""

    async def fetch(self, cursor: str | None) -> Batch:
        """What is listed now, and since `cursor`; None at the very first poll.

        Raises SourceError. A body that can't be read is an error, never "no papers".
        """

    def next_poll(self, now: datetime) -> datetime:
        """When to ask again after a poll that succeeded at `now`."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a command answers."""

    card: Card
    private: bool = True
    """Only for whoever asked, where the platform can do that."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that `paperboy doctor` looked at."""

    name: str
    ok: bool
    message: str
    todo: str = ""
    """What to do about it, where it is not right."""


class Core(Protocol):
    """What a platform may ask of the core."""

    async def handle(self, command: Command) -> Reply:
        """Carry out a command. Never raises for what a person typed: the reply says what is wrong."""

    async def handle_text(self, line: str, user: User, channel: ChannelRef) -> Reply:
        """The same for a line as typed, with or without its `/paper`."""

    async def pause(self, channel: ChannelRef, reason: str) -> None:
        """The platform reported that nothing can be posted there for now. Subscriptions are kept."""

    async def resume(self, channel: ChannelRef) -> None:
        """The platform reported that posting there works again."""


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `count` posts in any `per` seconds."""

    count: int
    per: float


@dataclass(frozen=True, slots=True)
class Rates:
    """What a platform allows, None where it sets no bound. All replicas keep to it together."""

    platform: Rate | None = None
    """For the whole bot."""
    workspace: Rate | None = None
    channel: Rate | None = None


class Platform(Protocol):
    """A chat platform."""

    @property
    def name(self) -> str:
        """What `ChannelRef.platform` says: `slack`, `discord`, `console`, …"""

    @property
    def rates(self) -> Rates:
        """How fast it may be posted to."""

    async def run(self, core: Core) -> None:
        """Listen until cancelled. Raises ConfigurationError where it can never work."""

    async def send(self, to: ChannelRef, card: Card, key: str) -> MessageRef:
        """Post `card` once; `key` names this delivery and travels with the message.

        Raises a SendError, whose class says what is to be done.
        """

    async def find(self, to: ChannelRef, key: str, since: datetime) -> MessageRef | None:
        """The message that delivery `key` became, or None where it was certainly not posted.

        Raises Unknowable where the platform can't say.
        """
