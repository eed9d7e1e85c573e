"""What the commands work with. Passed in, so that a test or the tour can bring its own clock and server."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.models import ChannelRef, Every, Paper, Subscription


class Subscriptions(Protocol):
    """What channels follow."""

    async def add(
        self, channel: ChannelRef, query: str, every: Every, created_by: str
    ) -> tuple[Subscription, bool]:
        """The channel's subscription to the canonical `query`, and whether it is new.

        Raises UserError where the channel has as many as it may have.
        """

    async def remove(self, channel: ChannelRef, number: int) -> Subscription | None:
        """End a subscription; what it was, or None where there is no such number."""

    async def of(self, channel: ChannelRef) -> Sequence[Subscription]:
        """The channel's subscriptions by number."""


class Papers(Protocol):
    """What was seen."""

    async def since(self, moment: datetime) -> Sequence[Paper]:
        """Every paper seen from then on."""

    async def trending(self) -> Sequence[Paper]:
        """The trending papers, first one first."""


class Channels(Protocol):
    """Whether channels can be posted to."""

    async def pause(self, channel: ChannelRef, reason: str) -> None:
        """Post nothing there for now."""

    async def resume(self, channel: ChannelRef) -> None:
        """Post there again."""


@dataclass(frozen=True, slots=True)
class Services:
    """What a command may use."""

    subscriptions: Subscriptions
    papers: Papers
    channels: Channels
    now: Callable[[], datetime]
