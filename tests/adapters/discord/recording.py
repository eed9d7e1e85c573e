"""A core that records its calls, and a platform connected to the gateway with it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from adapters.discord.platform import DiscordPlatform
from bot.cards import Card, Choice
from bot.domain.models import ChannelRef, Command, User
from bot.ports import Core, Reply
from tests.failing_core import FailingCore

TURNS = "pb:{rate:discord:identify:any}:slots"
"""Redis key of the rate limit of identifies. Tests delete it to avoid a wait of five seconds before the next one."""


@dataclass
class RecordingCore(FailingCore):
    """A core that records its calls."""

    events: list[str] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    ready: asyncio.Event = field(default_factory=asyncio.Event)
    private: bool = True

    def __post_init__(self) -> None:
        self.ready.set()

    async def handle(self, command: Command) -> Reply:
        await self.ready.wait()
        return Reply(Card("reply", f"{command.name} by {command.user.name}"), private=self.private)

    async def handle_text(self, line: str, user: User, channel: ChannelRef) -> Reply:
        return Reply(Card("reply", f"{line} by {user.name} in {channel.channel}"))

    async def complete(
        self, command: str, option: str, typed: str, user: User, channel: ChannelRef
    ) -> Sequence[Choice]:
        return (Choice(typed, f"{command} {option} {user.name} {channel.channel}"),)

    async def subscriptions(self, channels: Any) -> Any:
        return {channel: () for channel in channels if channel in self.events}

    async def pause_workspace(self, platform: str, workspace: str, reason: str) -> None:
        self._note(f"pause {platform} {workspace}: {reason}")

    async def resume_workspace(self, platform: str, workspace: str) -> None:
        self._note(f"resume {platform} {workspace}")

    async def forget(self, channel: ChannelRef) -> None:
        self._note(f"forget {channel.channel}")

    async def until(self, count: int) -> None:
        while len(self.events) < count:
            self.changed.clear()
            await self.changed.wait()

    def _note(self, event: str) -> None:
        self.events.append(event)
        self.changed.set()


@asynccontextmanager
async def listening(platform: DiscordPlatform, core: Core) -> AsyncIterator[asyncio.Task[None]]:
    """Run the platform at the gateway, and stop it as SIGTERM does."""
    running = asyncio.create_task(platform.run(core))
    try:
        yield running
    finally:
        running.cancel()
        await asyncio.wait({running})
