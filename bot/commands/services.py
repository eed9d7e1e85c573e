"""What the commands work with. Passed in, so that a test or the tour can bring its own clock and server."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.models import ChannelRef
from bot.store.papers import Papers
from bot.store.subscriptions import Subscriptions


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
