"""The port of chat platforms, where cards are posted."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from bot.cards import Card
from bot.domain.models import ChannelRef, MessageRef
from bot.ports.core import Core


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `count` posts in `per` seconds."""

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
        """The platform's rate limits for posts."""

    @property
    def on_uncertain(self) -> Literal["resend", "hold"]:
        """The default for an unconfirmed post: post it again, or hold it for the operator."""

    async def run(self, core: Core) -> None:
        """Listen until cancelled. Raises ConfigurationError if it can never work."""

    async def send(self, to: ChannelRef, card: Card, key: str) -> MessageRef:
        """Post `card` once; `key` names this delivery and travels with the message.

        Raises a SendError, whose class says what to do.
        """

    async def find(self, to: ChannelRef, key: str, since: datetime) -> MessageRef | None:
        """Find the message of delivery `key`; None if it certainly wasn't posted.

        Raises LookupUnsupported if the platform has no such look-up.
        """

    async def close(self) -> None:
        """Close connections. No method is called afterwards."""
