"""The webhook platform, for the contract tests of all platforms."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import Redis

from tests.adapters.webhook.listener import Taken
from tests.adapters.webhook.scene import open_scene
from tests.platform_place import Place


@asynccontextmanager
async def place(redis: Redis) -> AsyncIterator[Place]:
    async with open_scene(redis) as scene:
        copy = await scene.add()
        yield Place(
            scene.platform,
            copy.to,
            lambda: list(map(_titles, scene.listener.taken)),
            lambda: scene.listener.faults.append("lose"),
        )


def _titles(taken: Taken) -> str:
    """Return the titles of the papers in a request."""
    return " ".join(entry["paper"]["title"] for entry in taken.json["data"]["papers"])
