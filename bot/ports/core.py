"""What a platform calls."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.cards import Card, Choice, Form
from bot.domain.models import ChannelRef, ChannelSettings, Command, Paper, Subscription, User


@dataclass(frozen=True, slots=True)
class File:
    """A text file for the person who asked."""

    name: str
    mime: str
    text: str


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a command."""

    card: Card
    private: bool = True
    """Shown only to the person who asked, if the platform can do that."""
    thread: bool = False
    """Posted in the thread of the message whose button was pressed, if the platform has threads."""
    form: Form | None = None
    """Opened instead of the card, if the platform can do that."""
    later: Callable[[], Awaitable[Card | None]] | None = None
    """Returns a better card that replaces the first one, or None. It may take seconds."""
    file: File | None = None
    """Handed over with the card."""


class Core(Protocol):
    """What a platform calls."""

    async def handle(self, command: Command) -> Reply:
        """Carry out a command. Never raises because of what a person typed: the reply says what is wrong."""

    async def handle_text(self, line: str, user: User, channel: ChannelRef) -> Reply:
        """The same for a line as typed, with or without its `/paper`."""

    async def complete(
        self, command: str, option: str, typed: str, user: User, channel: ChannelRef
    ) -> Sequence[Choice]:
        """Suggestions for an option while it is typed; the likeliest first, at most 25."""

    async def settings(self, channel: ChannelRef) -> ChannelSettings:
        """The channel's settings."""

    async def subscriptions(
        self, channels: Iterable[ChannelRef]
    ) -> Mapping[ChannelRef, Sequence[Subscription]]:
        """The subscriptions of each channel, by number; channels without any are left out."""

    async def saved(self, user: User, channel: ChannelRef) -> Sequence[Paper]:
        """The papers that the person has saved in the channel's workspace, the latest first."""

    async def show_links(
        self,
        links: Sequence[str],
        channel: ChannelRef,
        show: Callable[[Mapping[str, Card]], Awaitable[None]],
    ) -> None:
        """Call `show` once, within about a second, with a card for each of the links in a message that lead to a paper.

        There are none where the channel doesn't want cards. A paper that no upstream names in time gets none; it is stored
        for the next time. If something doesn't answer, `show` isn't called.
        """

    async def greeting(self, channel: ChannelRef, everywhere: str = "") -> Card:
        """What to say in a channel that Paperboy was just added to.

        If it was added to a whole server or workspace, `everywhere` is that one's name.
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
        """The platform gave a channel another id: its subscriptions, settings and sent records go with it."""

    async def forget(self, channel: ChannelRef) -> None:
        """Delete everything stored about a channel: subscriptions, settings, waiting posts and sent records."""
