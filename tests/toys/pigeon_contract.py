"""Carrier pigeons in the contract of platforms: copied to `tests/adapters/pigeon/contract.py`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import Redis

from bot.domain.models import ChannelRef
from tests.platform_place import Place
from tests.toys.pigeon import PigeonPlatform


@asynccontextmanager
async def place(_redis: Redis) -> AsyncIterator[Place]:
    """Yield the channel of a pigeon platform with one empty loft."""
    roof: dict[str, str] = {}
    yield Place(
        PigeonPlatform({"roof": roof}), ChannelRef("pigeon", "home", "roof"), lambda: list(roof.values())
    )
