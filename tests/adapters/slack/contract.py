"""Slack in the contract suite of all platforms."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import Redis

from adapters.slack.manifest import manifest
from tests.adapters.slack.double import Slack
from tests.adapters.slack.double.people import words
from tests.adapters.slack.test_posting import Poster
from tests.platform_place import Place


@asynccontextmanager
async def place(redis: Redis) -> AsyncIterator[Place]:
    async with Slack(manifest("socket")).serve() as double:
        poster = Poster(double, redis)
        yield Place(
            poster.platform,
            poster.to,
            lambda: [words(message.blocks) for message in poster.room.messages],
            lambda: double.faults.next("chat.postMessage", "lose"),
        )
        await poster.platform.close()
