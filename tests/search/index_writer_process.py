"""A process that follows what is written of papers, to be killed."""

import asyncio
from multiprocessing.connection import Connection
from pathlib import Path

from redis.asyncio import Redis

from bot.search import Search
from bot.store.papers import Papers
from tests.search.conftest import NOW


def follow(url: str, folder: str, committed: Connection) -> None:
    """Take in changes as fast as they come, and say so after each time, until killed."""
    asyncio.run(_follow(url, Path(folder), committed))


async def _follow(url: str, folder: Path, committed: Connection) -> None:
    redis = Redis.from_url(url, decode_responses=True)
    search = Search(Papers(redis), folder, lambda: NOW)
    while True:
        committed.send(await search.catch_up())
