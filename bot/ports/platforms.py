"""Where cards go: what every chat platform does."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from bot.cards import Card
from bot.domain.models import ChannelRef, MessageRef
from bot.ports.core import Core


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `count` posts in any `per` seconds."""

    count: int
    per: float


@dataclass(frozen=True, slots=True)
class Rates:
    """A platform's rate limits, None for no limit. All replicas share them."""

    platform: Rate | None = None
    """For the whole bot."""
    workspace: Rate | None = None
    channel: Rate | None = None


class Platform(Protocol):
    """A chat platform."""

    @property
    def name(self) -> str:
        """The value of `ChannelRef.platform`."""

    @property
    def rates(self) -> Rates:
        """How fast we may post."""

    @property
    def on_uncertain(self) -> Literal["resend", "hold"]:
        """The default for a post that can't be confirmed: post it again, or hold it for the operator."""

    async def run(self, core: Core) -> None:
        """Listen until cancelled. Raises ConfigurationError if it can never work."""

    async def send(self, to: ChannelRef, card: Card, key: str) -> MessageRef:
        """Post `card` once; `key` names this delivery and travels with the message.

        Raises a SendError, whose class says what is to be done.
        """

    async def find(self, to: ChannelRef, key: str, since: datetime) -> MessageRef | None:
        """The message that delivery `key` became, or None if it was certainly not posted.

        Raises Unknowable where the platform can't say.
        """

    async def close(self) -> None:
        """Close connections. Nothing is called afterwards."""
