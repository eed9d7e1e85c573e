"""The terminal as a chat platform with one channel."""

import asyncio
import sys
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Literal

from adapters.console.lines import is_exit, lines
from adapters.console.screen import ScreenClosed
from adapters.console.toolbar import Toolbar
from bot.cards import Card
from bot.domain.errors import ChannelGone, LookupUnsupported, RetryLater
from bot.domain.models import ChannelRef, MessageRef, User
from bot.ports import Core, Rates, Screen

CHANNEL = ChannelRef("console", "local", "terminal")
USER = User("terminal", "you")


class ConsolePlatform:
    """Shows cards on a screen and reads commands from standard input, or from a prompt if that is a terminal."""

    name = "console"
    channel = CHANNEL
    user = USER
    rates = Rates()
    on_uncertain: Literal["resend", "hold"] = "resend"

    def __init__(
        self, screen: Screen, *, descriptor: int = 0, interactive: bool = False, history: Path | None = None
    ) -> None:
        self.screen = screen
        self.interactive = interactive
        self._descriptor = descriptor
        self._history = history
        self._toolbar = Toolbar()
        self._left = asyncio.Event()

    async def run(self, core: Core) -> None:
        """Answer typed lines until cancelled. Returns after the person has left, or the output was closed.

        If the input isn't a terminal, the program continues after its end, since papers keep coming.
        """
        async with asyncio.TaskGroup() as tasks:
            listening = tasks.create_task(self._listen(core))
            await self._left.wait()
            listening.cancel()

    async def answer_input(self, core: Core) -> None:
        """Run every line of standard input as a command, until its end or a line that asks to leave."""
        await self._answer_lines(core)

    def working(self, what: str) -> None:
        """Show below the prompt what is going on in the background."""
        self._toolbar.show(what)

    async def send(self, to: ChannelRef, card: Card, key: str) -> MessageRef:
        """Show a card. Raises RetryLater if the output is closed, so that the card waits for the next start."""
        if to != CHANNEL:
            raise ChannelGone(f"{to} is not this terminal")
        try:
            self.screen.post(card)
        except ScreenClosed as error:
            self._left.set()
            raise RetryLater(str(error), scope="platform", counts=False) from error
        return MessageRef(key)

    async def find(self, to: ChannelRef, key: str, since: datetime) -> MessageRef | None:
        """Raise LookupUnsupported: a terminal can't tell what it has shown."""
        raise LookupUnsupported(f"a terminal can't say whether {key} was shown on {to} since {since:%H:%M}")

    async def close(self) -> None:
        """Nothing to close."""

    async def _listen(self, core: Core) -> None:
        try:
            if not self.interactive:
                if await self._answer_lines(core):
                    self._left.set()
                return
            async for line in self._prompted():
                await self._answer(line, core, echo=False)
        except ScreenClosed:
            pass
        self._left.set()

    async def _answer_lines(self, core: Core) -> bool:
        """Run lines of standard input as commands. Returns whether one of them asked to leave."""
        async for line in lines(self._descriptor):
            if is_exit(line):
                return True
            await self._answer(line, core, echo=True)
        return False

    async def _answer(self, line: str, core: Core, *, echo: bool) -> None:
        if not line.strip():
            return
        if echo:
            self.screen.typed(line)
        reply = await core.handle_text(line, USER, CHANNEL)
        self.screen.reply(reply.card)
        if reply.file is not None:
            self.screen.file(reply.file)
        if reply.later is not None and (fuller := await reply.later()) is not None:
            self.screen.reply(fuller)

    def _prompted(self) -> AsyncIterator[str]:
        # Imported only here, so that scripts and servers don't load the prompt's libraries.
        from adapters.console.prompt import prompted  # noqa: PLC0415

        return prompted(self._history, self._toolbar)


def on_terminal() -> bool:
    """Return whether both input and output are a terminal."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()
