"""Discord in the contract suite of all platforms."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import discord as library
from discord.gateway import DiscordWebSocket
from redis.asyncio import Redis

from adapters.discord.platform import DiscordPlatform
from bot.domain.models import ChannelRef
from tests.adapters.discord.double.payloads import GUILD
from tests.adapters.discord.double.service import DiscordDouble
from tests.platform_place import Place


@asynccontextmanager
async def place(redis: Redis) -> AsyncIterator[Place]:
    base, gateway = library.http.Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    async with DiscordDouble(buckets=False).serve() as double:
        library.http.Route.BASE = double.url
        double.gone.add(4040)
        platform = DiscordPlatform(double.token, redis)
        yield Place(
            platform,
            ChannelRef("discord", str(GUILD), "2000"),
            lambda: [_read(message.body) for message in double.messages],
            lambda: double.weather.queue.append("lose"),
            nowhere="4040",
        )
        await platform.close()
    library.http.Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = base, gateway


def _read(body: object) -> str:
    """Return all texts of a payload as Discord renders their Markdown."""
    match body:
        case dict():
            return " ".join(_read(value) for key, value in body.items() if key in {"components", "content"})
        case list():
            return " ".join(map(_read, body))
        case _:
            return re.sub(r"\\([^\w\s])|\u200b", r"\1", str(body or ""))
