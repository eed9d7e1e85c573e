"""A channel of any platform as a person sees it, so that one story can run on all platforms.

`console_harness` is here; the other platforms' harnesses are in the folders of their tests. All of them run the same
bot, built by `wired`, on a real server, with papers that a test lets `arrive`.
"""

import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from io import StringIO
from typing import Any, Protocol

import aiohttp
from pydantic import SecretStr
from redis.asyncio import Redis
from rich.console import Console

from adapters.console import CHANNEL, ConsolePlatform
from adapters.console.render import render
from bot.cards import Actions, Card, PaperBlock
from bot.clock import wall_clock
from bot.domain.models import ChannelRef, Paper
from bot.ports import Batch, File, Platform
from bot.settings import Settings
from bot.wiring import Bot, wire
from tests.adapters.webhook.scene import webhook_platform
from tests.program import NOWHERE
from tests.scenario import Clock

PUBLIC_URL = "https://papers.example.org"
"""Base URL of the web pages."""

ZOTERO = ContextVar("ZOTERO", default=NOWHERE)
"""Base URL of Zotero for bots that are wired from now on."""


def zotero_settings() -> dict[str, Any]:
    """Return the settings of a bot that sends papers to Zotero."""
    return {"zotero_url": ZOTERO.get(), "secret_key": SecretStr("a key that can't be guessed")}


@dataclass(frozen=True, slots=True)
class Seen:
    """A message as a person sees it."""

    text: str
    """The whole text, in reading order."""
    buttons: tuple[str, ...] = ()
    """Labels of the buttons that trigger an action; links aren't included."""
    private: bool = True
    """Only the person who asked sees it."""
    file: str = ""
    """Text of the attached file."""
    raw: Any = field(default=None, repr=False)
    """The platform's own representation, for its harness."""


class PlatformHarness(Protocol):
    """One person in one channel, to which Paperboy was added."""

    @property
    def bot(self) -> Bot:
        """The bot that answers in the channel."""

    @property
    def channel(self) -> ChannelRef:
        """The channel."""

    async def say(self, line: str) -> Seen:
        """Give the command `/paper …` as the person would, and return the answer; the last one, if several follow."""

    async def press(self, seen: Seen, label: str) -> Seen:
        """Press a button of a message, and return the answer."""

    async def posted(self) -> Sequence[Seen]:
        """Return Paperboy's messages that everyone in the channel sees, the oldest first."""

    async def restart(self) -> None:
        """Restart the bot: messages shown before must still work."""


@asynccontextmanager
async def wired(
    redis: Redis, platforms: tuple[Platform, ...], now: Callable[[], datetime] = wall_clock
) -> AsyncIterator[Bot]:
    """Yield a bot with these platforms; nothing runs in the background, and its sources are never polled."""
    async with aiohttp.ClientSession() as session:
        defaults = {name: field.default for name, field in Settings.model_fields.items()}
        nowhere = {"huggingface_url": NOWHERE, "arxiv_api_url": NOWHERE, "public_url": PUBLIC_URL}
        settings = Settings.model_construct(**(defaults | nowhere | zotero_settings()))
        webhooks = webhook_platform(redis)
        try:
            yield wire(settings, redis, session, (*platforms, webhooks), durable=False, now=now)
        finally:
            await webhooks.close()


async def arrive(bot: Bot, *papers: Paper, trending: tuple[str, ...] | None = None) -> None:
    """Ingest papers, match them, and post what is due."""
    await bot.papers.ingest("test", Batch(papers, "cursor", trending=trending), 0)
    await deliver(bot)


async def deliver(bot: Bot) -> None:
    """Match and post all that is due now."""
    await bot.fanout.match_all()
    for deliveries in bot.deliveries:
        await deliveries.deliver_due()
    for editor in bot.card_updaters:
        await editor.edit_all()


async def pass_on(bot: Bot, clock: Clock, posts: int) -> None:
    """Post what is due, at intervals of five seconds, which satisfy every platform's rate limit."""
    for _ in range(posts):
        await clock.set(clock.now + timedelta(seconds=5))
        await deliver(bot)


class ConsoleHarness:
    """The terminal."""

    channel = CHANNEL

    def __init__(self, redis: Redis, now: Callable[[], datetime] = wall_clock) -> None:
        self.screen = _Screen()
        self._redis = redis
        self._now = now
        self.bot: Bot

    async def say(self, line: str) -> Seen:
        files = len(self.screen.files)
        reading, writing = os.pipe()
        os.write(writing, f"{line}\n".encode())
        os.close(writing)
        try:
            await ConsolePlatform(self.screen, descriptor=reading).answer_input(self.bot.core)
        finally:
            os.close(reading)
        file = self.screen.files[-1].text if len(self.screen.files) > files else ""
        return replace(_seen(self.screen.replies[-1], private=True), file=file)

    async def press(self, seen: Seen, label: str) -> Seen:
        return await self.say(_commands(seen.raw)[label])

    async def posted(self) -> Sequence[Seen]:
        return [_seen(card, private=False) for card in self.screen.posts]

    async def restart(self) -> None:
        async with wired(self._redis, (ConsolePlatform(self.screen),), self._now) as self.bot:
            pass


@asynccontextmanager
async def console_harness(
    redis: Redis, now: Callable[[], datetime] = wall_clock
) -> AsyncIterator[ConsoleHarness]:
    """Yield the terminal's harness."""
    harness = ConsoleHarness(redis, now)
    async with wired(redis, (ConsolePlatform(harness.screen),), now) as harness.bot:
        yield harness


class _Screen:
    """Records what a terminal would show."""

    def __init__(self) -> None:
        self.posts: list[Card] = []
        self.replies: list[Card] = []
        self.files: list[File] = []

    def post(self, card: Card) -> None:
        self.posts.append(card)

    def reply(self, card: Card) -> None:
        self.replies.append(card)

    def note(self, card: Card) -> None:
        raise AssertionError(f"unexpected note: {card.notice}")

    def file(self, file: File) -> None:
        self.files.append(file)

    def typed(self, line: str) -> None:
        """Do nothing: the line is on the screen already."""


def _seen(card: Card, *, private: bool) -> Seen:
    paper = StringIO()
    Console(file=paper, width=500).print(render(card, links=False))
    return Seen(paper.getvalue(), tuple(_commands(card)), private, raw=card)


def _commands(card: Card) -> dict[str, str]:
    """Return label -> command of every button. A terminal shows no buttons of papers; their commands can be typed."""
    rows = [block.buttons for block in card.blocks if isinstance(block, Actions)]
    rows += [block.actions for block in card.blocks if isinstance(block, PaperBlock)]
    return {button.label: button.command for row in rows for button in row if button.command}
