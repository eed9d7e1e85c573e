"""A process that keeps an index up to date, to be killed."""

import asyncio
import os
from multiprocessing.connection import Connection
from pathlib import Path

from redis.asyncio import Redis

from bot.search.search import Search
from bot.store.papers import Papers
from tests.search.conftest import NOW


def follow(url: str, folder: str, committed: Connection) -> None:
    """Index changes as fast as they come and report each commit, until killed together with the writer process."""
    os.setsid()
    asyncio.run(_follow(url, Path(folder), committed))


async def _follow(url: str, folder: Path, committed: Connection) -> None:
    redis = Redis.from_url(url, decode_responses=True)
    search = Search(Papers(redis), folder, lambda: NOW)
    while True:
        committed.send(await search.catch_up())
