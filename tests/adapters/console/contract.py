"""The terminal, for the contract tests of all platforms."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import StringIO

from redis.asyncio import Redis
from rich.console import Console

from adapters.console import CHANNEL, ConsolePlatform
from adapters.console.render import render
from bot.cards import Card
from tests.platform_place import Place


@asynccontextmanager
async def place(_redis: Redis) -> AsyncIterator[Place]:
    shown: list[str] = []

    class FakeScreen:
        def post(self, card: Card) -> None:
            output = StringIO()
            Console(file=output, width=500).print(render(card, links=False))
            shown.append(output.getvalue())

        reply = note = typed = post

    yield Place(ConsolePlatform(FakeScreen()), CHANNEL, lambda: shown)  # type: ignore[arg-type]  # only posts are shown
