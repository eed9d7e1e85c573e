"""Slack for tests that run on every platform: the double, the adapter, and one person in a channel."""

from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

from redis.asyncio import Redis

from adapters.slack.manifest import manifest
from adapters.slack.platform import SlackPlatform
from bot.clock import wall_clock
from bot.domain.models import ChannelRef
from bot.settings import SettingsGroup
from bot.wiring import Bot
from tests.adapters.slack.double import Channel, Message, Person, Slack, View, Workspace
from tests.adapters.slack.double.people import Surface, actions, words
from tests.adapters.slack.running import Running
from tests.platform_harness import Seen


class SlackHarness:
    """Ada in #papers of the workspace “lab”, in Socket Mode."""

    def __init__(
        self,
        slack: Slack,
        redis: Redis,
        now: Callable[[], datetime] = wall_clock,
        groups: Sequence[SettingsGroup] = (),
    ) -> None:
        self.slack = slack
        self.workspace: Workspace = slack.workspace("lab")
        self.person: Person = slack.person(self.workspace, "ada")
        self.room: Channel = slack.channel(self.workspace, "papers", self.person)
        self.channel = ChannelRef("slack", self.workspace.id, self.room.id)
        self._running: Running
        self._token = slack.world.install(self.workspace, self.person.user).value
        self.room.members.add(self.workspace.bot_user)
        self._redis = redis
        self._now = now
        self._groups = groups

    @property
    def bot(self) -> Bot:
        """The running bot."""
        return self._running.bot

    @property
    def platform(self) -> SlackPlatform:
        """The adapter."""
        return self._running.platform

    async def settled(self) -> None:
        """Wait until everything that Slack sent has been handled."""
        await self._running.settled()

    async def start(self) -> None:
        """Run the bot, and wait until it is connected."""
        self._running = Running(self.slack, self._redis, self._now)
        await self._running.start(self._running.socket(self._token), *self._groups)

    async def stop(self) -> None:
        """Stop the bot."""
        await self._running.stop()

    async def say(self, line: str) -> Seen:
        """Type `/paper …` in the channel. Return the answer."""
        return await self._answer(self.person.type(self.room, line.removeprefix("/paper").strip()))

    async def press(self, seen: Seen, label: str) -> Seen:
        """Press a button of a message or modal. Return the answer."""
        return await self._answer(self.person.press(seen.raw, label))

    async def say_alone(self, line: str) -> Seen:
        """Type `/paper …` in the app's Messages tab. Return the answer."""
        direct = self.slack.world.direct(self.workspace, self.person.user)
        return await self._answer(self.person.type(direct, line.removeprefix("/paper").strip()))

    def direct(self) -> Sequence[Seen]:
        """Return the app's direct messages to the person, without threads."""
        return [_seen(m) for m in self.person.direct() if m.only_for is None and m.thread_ts is None]

    async def answer(self, trigger: str) -> Seen:
        """Return the final answer to the action with this trigger."""
        await self._running.settled()
        return _seen(self.person.answers(trigger)[-1])

    async def posted(self) -> Sequence[Seen]:
        """Return the messages that everyone sees, without threads."""
        return [_seen(m) for m in self.room.messages if m.only_for is None and m.thread_ts is None]

    async def restart(self) -> None:
        """Restart the process: only the state in Redis and Slack survives."""
        await self.stop()
        await self.start()

    async def _answer(self, action: Coroutine[Any, Any, str]) -> Seen:
        threads, modals = {message.ts for message in self._threads()}, len(self.person.modals())
        sent = len(self._files())
        trigger = await action
        await self._running.settled()
        found: list[Surface] = [*self.person.answers(trigger)]
        found += [message for message in self._threads() if message.ts not in threads]
        found += self.person.modals()[modals:]
        files = self._files()[sent:]
        return replace(_seen(found[-1]), file=files[-1] if files else "")

    def _files(self) -> list[str]:
        """Return the text of each file that the person received."""
        stored = [m.options["file"]["data"] for m in self.person.direct() if "file" in m.options]
        return [data.decode() for data in stored]

    def _threads(self) -> list[Message]:
        direct = [message for message in self.person.direct() if "file" not in message.options]
        return [message for message in (*self.room.messages, *direct) if message.thread_ts is not None]


@asynccontextmanager
async def slack_harness(
    redis: Redis, now: Callable[[], datetime] = wall_clock, groups: Sequence[SettingsGroup] = ()
) -> AsyncIterator[SlackHarness]:
    """Yield a running bot in a Slack channel; `groups` are settings other than the defaults."""
    async with Slack(manifest("socket")).serve() as slack:
        harness = SlackHarness(slack, redis, now, groups)
        await harness.start()
        try:
            yield harness
        finally:
            await harness.stop()


def _seen(surface: Surface) -> Seen:
    blocks = surface.view["blocks"] if isinstance(surface, View) else surface.blocks
    text = words(blocks) or (surface.text if isinstance(surface, Message) else "")
    private = isinstance(surface, View) or surface.only_for is not None
    return Seen(text, tuple(label for label, _ in actions(blocks)), private, raw=surface)
