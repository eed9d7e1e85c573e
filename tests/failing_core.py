"""A core whose methods all fail; a test overrides those that it expects to be called."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from bot.cards import Card, Choice
from bot.domain.models import ChannelRef, ChannelSettings, Command, Paper, Subscription, User
from bot.ports import Reply


class FailingCore:
    """Implements `bot.ports.Core`; every call raises AssertionError."""

    async def handle(self, command: Command) -> Reply:
        raise AssertionError(command)

    async def handle_text(self, line: str, user: User, channel: ChannelRef) -> Reply:
        raise AssertionError(line, user, channel)

    async def complete(
        self, command: str, option: str, typed: str, user: User, channel: ChannelRef
    ) -> Sequence[Choice]:
        raise AssertionError(command, option, typed, user, channel)

    async def settings(self, channel: ChannelRef) -> ChannelSettings:
        raise AssertionError(channel)

    async def subscriptions(
        self, channels: Iterable[ChannelRef]
    ) -> Mapping[ChannelRef, Sequence[Subscription]]:
        raise AssertionError(channels)

    async def saved(self, user: User, channel: ChannelRef) -> Sequence[Paper]:
        raise AssertionError(user, channel)

    async def show_links(
        self,
        links: Sequence[str],
        channel: ChannelRef,
        show: Callable[[Mapping[str, Card]], Awaitable[None]],
    ) -> None:
        raise AssertionError(links, channel, show)

    async def greeting(self, channel: ChannelRef, everywhere: str = "") -> Card:
        raise AssertionError(channel, everywhere)

    async def pause(self, channel: ChannelRef, reason: str) -> None:
        raise AssertionError(channel, reason)

    async def resume(self, channel: ChannelRef) -> None:
        raise AssertionError(channel)

    async def pause_workspace(self, platform: str, workspace: str, reason: str) -> None:
        raise AssertionError(platform, workspace, reason)

    async def resume_workspace(self, platform: str, workspace: str) -> None:
        raise AssertionError(platform, workspace)

    async def move(self, old: ChannelRef, new: ChannelRef) -> None:
        raise AssertionError(old, new)

    async def forget(self, channel: ChannelRef) -> None:
        raise AssertionError(channel)
