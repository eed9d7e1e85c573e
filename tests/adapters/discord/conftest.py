"""The double of Discord, and the platform that speaks to it."""

from collections.abc import AsyncIterator, Iterator

import discord
import pytest
from discord.gateway import DiscordWebSocket
from redis.asyncio import Redis

from adapters.discord import DiscordPlatform
from tests.adapters.discord.double.service import DiscordDouble


@pytest.fixture(autouse=True)
def _discord_stays_itself() -> Iterator[None]:
    """discord.py keeps its addresses in classes."""
    base, gateway = discord.http.Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    yield
    discord.http.Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = base, gateway


@pytest.fixture
async def double() -> AsyncIterator[DiscordDouble]:
    """Discord, on the loopback, without its limits."""
    async with DiscordDouble(buckets=False).serve() as service:
        discord.http.Route.BASE = service.url
        yield service


@pytest.fixture
async def platform(double: DiscordDouble, redis: Redis) -> AsyncIterator[DiscordPlatform]:
    """Connected to the double."""
    platform = DiscordPlatform(double.token, redis)
    yield platform
    await platform.close()
