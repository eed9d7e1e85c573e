"""Slack in the contract that every platform is held to."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import Redis

from adapters.slack.manifest import manifest
from tests.adapters.slack.double import Slack
from tests.adapters.slack.double.people import words
from tests.adapters.slack.test_posting import Desk
from tests.platform_place import Place


@asynccontextmanager
async def place(redis: Redis) -> AsyncIterator[Place]:
    async with Slack(manifest("socket")).serve() as double:
        desk = Desk(double, redis)
        yield Place(
            desk.platform,
            desk.to,
            lambda: [words(message.blocks) for message in desk.room.messages],
            lambda: double.faults.next("chat.postMessage", "lose"),
        )
        await desk.platform.close()
