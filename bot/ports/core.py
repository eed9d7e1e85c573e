"""The core's interface for platforms."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.cards import Card, Choice, Form
from bot.domain.models import ChannelRef, ChannelSettings, Command, Paper, Subscription, User


@dataclass(frozen=True, slots=True)
class File:
    """A text file for the person who gave the command."""

    name: str
    mime: str
    text: str


@dataclass(frozen=True, slots=True)
class Reply:
    """The reply to a command."""

    card: Card
    private: bool = True
    """Shown only to the person who gave the command, if the platform can do that."""
    thread: bool = False
    """Posted in the thread of the message whose button was pressed, if the platform has threads."""
    form: Form | None = None
    """Opened instead of the card, if the platform can do that."""
    later: Callable[[], Awaitable[Card | None]] | None = None
    """Returns a better card that replaces the first one, or None. It may take seconds."""
    file: File | None = None
    """Sent with the card."""


class Core(Protocol):
    """The core, as platforms see it."""

    async def handle(self, command: Command) -> Reply:
        """Run a command. Never raises because of user input: the reply says what is wrong."""

    async def handle_text(self, line: str, user: User, channel: ChannelRef) -> Reply:
        """Run a command line as typed, with or without its `/paper`."""

    async def complete(
        self, command: str, option: str, typed: str, user: User, channel: ChannelRef
    ) -> Sequence[Choice]:
        """Return suggestions for an option while it is typed: at most 25, the likeliest first."""

    async def settings(self, channel: ChannelRef) -> ChannelSettings:
        """Return the channel's settings."""

    async def subscriptions(
        self, channels: Iterable[ChannelRef]
    ) -> Mapping[ChannelRef, Sequence[Subscription]]:
        """Return the subscriptions of each channel, sorted by number; channels without any are left out."""

    async def saved(self, user: User, channel: ChannelRef) -> Sequence[Paper]:
        """Return the papers that the person has saved in the channel's workspace, the latest first."""

    async def show_links(
        self,
        links: Sequence[str],
        channel: ChannelRef,
        show: Callable[[Mapping[str, Card]], Awaitable[None]],
    ) -> None:
        """Call `show` once, within about a second, with a card for each link in a message that leads to a paper.

        There are no cards if the channel has turned them off. A paper that no upstream returns in time gets no card; it
        is stored for next time. If a server doesn't answer, `show` isn't called.
        """

    async def greeting(self, channel: ChannelRef, everywhere: str = "") -> Card:
        """Return the greeting for a channel that Paperboy was just added to.

        If it was added to a whole server or workspace, `everywhere` is the name of that.
        """

    async def pause(self, channel: ChannelRef, reason: str) -> None:
        """Stop posting in the channel: the platform reported that it is impossible for now. Subscriptions stay."""

    async def resume(self, channel: ChannelRef) -> None:
        """Post in the channel again: the platform reported a change there."""

    async def pause_workspace(self, platform: str, workspace: str, reason: str) -> None:
        """Stop posting in a whole workspace, for example because the app was uninstalled."""

    async def resume_workspace(self, platform: str, workspace: str) -> None:
        """Post in the workspace again: the app is back."""

    async def move(self, old: ChannelRef, new: ChannelRef) -> None:
        """Move a channel's subscriptions, settings and sent records after the platform changed its id."""

    async def forget(self, channel: ChannelRef) -> None:
        """Delete everything stored about a channel: subscriptions, settings, waiting posts and sent records."""
