"""A search over papers on a real Redis server."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bot.search.search import Search
from bot.store.papers import Papers

NOW = datetime(2026, 3, 10, tzinfo=UTC)


@pytest.fixture
def papers(redis: Redis) -> Papers:
    """The store of papers."""
    return Papers(redis)


@pytest.fixture
async def search(papers: Papers) -> AsyncIterator[Search]:
    """A search with its index in memory."""
    searching = Search(papers, None, lambda: NOW)
    yield searching
    await searching.close()


@pytest.fixture
async def stored_search(papers: Papers, tmp_path: Path) -> AsyncIterator[Search]:
    """A search with its index in a folder of the test, written by a separate process."""
    searching = Search(papers, tmp_path / "search", lambda: NOW)
    yield searching
    await searching.close()
