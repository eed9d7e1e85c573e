"""The real adapter and discord.py, with SimCord's servers and people."""

import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import discord
import simcord
from redis.asyncio import Redis

from adapters.discord.client import GatewayClient
from adapters.discord.platform import DiscordPlatform
from adapters.discord.responses import Responder
from bot.clock import wall_clock
from bot.commands.parser import parse_line
from bot.commands.table import find
from bot.domain.models import ChannelRef, Command, User
from bot.ports import Core
from tests.adapters.discord.double.openapi import judged
from tests.platform_harness import Seen, wired

if TYPE_CHECKING:
    from bot.wiring import Bot

PATIENT = Responder(patience=2.0)
"""A responder that waits two seconds before it defers, so that answers look the same on a busy machine."""


class DiscordHarness:
    """Joe, who can manage channels, in the channel #papers."""

    def __init__(self, redis: Redis, now: Callable[[], datetime] = wall_clock) -> None:
        self._redis = redis
        self._now = now
        self.bot: Bot
        self.client: GatewayClient
        self.env: simcord.Env
        self.server: simcord.GuildHandle
        self.papers: simcord.ChannelHandle
        self.joe: simcord.MemberActor

    @property
    def channel(self) -> ChannelRef:
        return ref(self.papers)

    async def say(self, line: str) -> Seen:
        return await self.say_in(self.papers, line)

    async def say_in(
        self,
        channel: simcord.ChannelHandle,
        line: str,
        person: simcord.MemberActor | simcord.UserHandle | None = None,
    ) -> Seen:
        """Run a command line in any channel, as Joe or another person. Return the answer."""
        command = parse_line(line, User("1", "joe"), self.channel).command
        spec = find(command.name)
        assert spec is not None
        offered = {option.name for option in spec.options if not option.hidden}
        options: dict[str, Any] = {name: value for name, value in command.options.items() if name in offered}
        numbers = {option.name for option in spec.options if option.kind == "integer"}
        options = {name: int(value) if name in numbers else value for name, value in options.items()}
        if isinstance(person, simcord.UserHandle):
            result = await person.slash(f"paper {spec.name}", **options)
        else:
            result = await (person or self.joe).slash(channel, f"paper {spec.name}", **options)
        seen = shown(result)
        if options.keys() == command.options.keys():
            return seen
        # Hidden options can't be typed: press the button that has them. Without such a button, they aren't needed.
        matching = (label for label, line in buttons(seen.raw) if self._runs(line, command))
        label = next(matching, None)
        return await self.press(seen, label) if label else seen

    async def say_alone(self, line: str) -> Seen:
        """Run a command in the direct messages with Paperboy. Return the answer."""
        return await self.say_in(self.joe.user.dm_channel, line, self.joe.user)

    def direct(self) -> Sequence[Seen]:
        """Return Paperboy's direct messages to Joe."""
        return [seen for seen in self.posted_in(self.joe.user.dm_channel) if not seen.private]

    async def press(self, seen: Seen, label: str) -> Seen:
        real = seen.raw.message if isinstance(seen.raw, simcord.ResponseMessage) else seen.raw
        alone = real.channel.id == self.joe.user.dm_channel.id
        presser = self.joe.user if alone else self.joe
        option = next((line for name, line in options(seen.raw) if name == label), None)
        result = (
            await presser.click(seen.raw, label=label)
            if option is None
            else await presser.select(seen.raw, [option])
        )
        if result.response is None and not result.followups:
            return seen_of(seen.raw)
        return shown(result)

    async def posted(self) -> Sequence[Seen]:
        return self.posted_in(self.papers)

    def posted_in(self, channel: simcord.ChannelHandle) -> Sequence[Seen]:
        """Return the posts in a channel; in a forum, the first message of every post."""
        threads = channel.threads if channel._channel.type == discord.ChannelType.forum.value else [channel]
        return [
            seen_of(message)
            for place in threads
            for message in place.history()
            if message.author.id == self.client.user.id and not message.flags.ephemeral  # type: ignore[union-attr]
        ]

    async def restart(self) -> None:
        async with wired(self._redis, (self._platform(),), self._now) as self.bot:
            self.client = self._listening(self.bot.core)
            await self.env.restart_bot(self.client)
            self._connect()

    def _runs(self, line: str, command: Command) -> bool:
        parsed = parse_line(line, User("1", "joe"), self.channel).command
        return (parsed.name, dict(parsed.options)) == (command.name, dict(command.options))

    def _platform(self) -> DiscordPlatform:
        return DiscordPlatform("token", self._redis, now=self._now)

    def _listening(self, core: Core) -> GatewayClient:
        return GatewayClient(core, self._redis, PATIENT, settle=0.0)

    def _connect(self) -> None:
        """Let the platform post with the only client that SimCord supports."""
        for platform in self.bot.platforms:
            if isinstance(platform, DiscordPlatform):
                platform._rest = self.client
                platform._listening[:] = [self.client]


@asynccontextmanager
async def discord_harness(
    redis: Redis, now: Callable[[], datetime] = wall_clock
) -> AsyncIterator[DiscordHarness]:
    """Yield a server that Joe added Paperboy to."""
    harness = DiscordHarness(redis, now)
    platform = DiscordPlatform("token", redis, now=now)
    async with wired(redis, (platform,), now) as harness.bot:
        harness.client = harness._listening(harness.bot.core)
        with judged():
            async with simcord.run(harness.client, settle_timeout=20) as harness.env:
                harness._connect()
                harness.server = harness.env.create_guild("Reading group")
                harness.papers = harness.server.create_text_channel("papers")
                managers = harness.server.create_role(
                    "managers", permissions=discord.Permissions(manage_channels=True)
                )
                harness.joe = harness.server.add_member(harness.env.create_user("joe"), roles=[managers])
                await harness.env.settle()
                yield harness


def ref(channel: simcord.ChannelHandle) -> ChannelRef:
    """Return the core's reference to a channel."""
    assert channel.guild is not None
    return ChannelRef("discord", str(channel.guild.id), str(channel.id))


def shown(result: simcord.InteractionResult) -> Seen:
    """Return what a person sees at the end: the answer, or the last follow-up."""
    assert result.acknowledged
    file = ""
    messages = []
    for message in (result.response, *result.followups):
        if message is not None and message.attachments:
            [attached] = message.attachments
            file = (result._env.backend.cdn.get(attached.url) or b"").decode()
        elif message is not None:
            messages.append(message)
    return replace(seen_of(messages[-1]), file=file)


def seen_of(message: discord.Message | simcord.ResponseMessage) -> Seen:
    """Return a message's text and buttons."""
    real = message.message if isinstance(message, simcord.ResponseMessage) else message
    words = [
        real.content,
        *(text for embed in real.embeds for text in _embed(embed)),
        *_texts(real.components),
    ]
    labels = tuple(label for label, _ in (*buttons(message), *options(message)))
    return Seen("\n".join(filter(None, words)), labels, real.flags.ephemeral, raw=message)


def buttons(message: discord.Message | simcord.ResponseMessage) -> list[tuple[str, str]]:
    """Return the label and command of each button, without link buttons."""
    real = message.message if isinstance(message, simcord.ResponseMessage) else message
    return [
        (
            part.label or "",
            part.custom_id.partition(" ")[2] if part.custom_id.startswith("~") else part.custom_id,
        )
        for part in walk(real.components)
        if isinstance(part, discord.Button) and part.custom_id
    ]


def options(message: discord.Message | simcord.ResponseMessage) -> list[tuple[str, str]]:
    """Return the label and command of each option of the menus."""
    real = message.message if isinstance(message, simcord.ResponseMessage) else message
    return [
        (option.label, option.value)
        for part in walk(real.components)
        if isinstance(part, discord.SelectMenu)
        for option in part.options
    ]


def walk(parts: Iterable[Any]) -> Iterator[Any]:
    """Yield every component, including nested ones."""
    for part in parts:
        yield part
        yield from walk(getattr(part, "children", ()))
        if accessory := getattr(part, "accessory", None):
            yield accessory


def _texts(parts: Iterable[Any]) -> list[str]:
    return [plain(part.content) for part in walk(parts) if isinstance(part, discord.TextDisplay)]


def _embed(embed: discord.Embed) -> list[str]:
    return [plain(text) for text in (embed.title, embed.description, embed.footer.text) if text]


def plain(markdown: str) -> str:
    """Return Markdown as plain text, so that a test can compare it."""
    return re.sub(
        r"\\([^\w\s])", r"\1", re.sub(r"(?<!\\)(\*\*|`)|^(### |-# )", "", markdown, flags=re.MULTILINE)
    )
