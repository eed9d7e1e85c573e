"""A background worker survives all exceptions of its work."""

import asyncio

import pytest
from prometheus_client import REGISTRY
from redis.exceptions import ConnectionError as RedisConnectionError
from structlog.testing import capture_logs

from bot.domain.errors import ConfigurationError
from bot.store import worker_loop
from bot.store.worker_loop import backoff, run_worker
from bot.supervisor import cancel

ERRORS = (
    RedisConnectionError("away"),
    OSError("reset"),
    TimeoutError(),
    ValueError("a bad record"),
    KeyError("x"),
)


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_loop, "FIRST_BACKOFF", 0.0)


@pytest.mark.parametrize("error", ERRORS, ids=repr)
async def test_an_error_is_logged_and_counted_and_work_goes_on(error: Exception) -> None:
    worked, calls, failures = asyncio.Event(), 0, 0

    async def work() -> None:
        nonlocal calls
        calls += 1
        if calls <= 3:
            raise error
        worked.set()
        await asyncio.Event().wait()

    def on_failure() -> None:
        nonlocal failures
        failures += 1

    labels = {"worker": "a test", "error": type(error).__name__}
    before = REGISTRY.get_sample_value("paperboy_worker_failures_total", labels) or 0
    with capture_logs() as logs:
        worker = asyncio.create_task(run_worker("a test", work, on_failure=on_failure))
        await worked.wait()
        await cancel({worker})
    assert [log["failures"] for log in logs] == [1, 2, 3]
    assert {log["worker"] for log in logs} == {"a test"}
    assert failures == 3
    assert REGISTRY.get_sample_value("paperboy_worker_failures_total", labels) == before + 3


async def test_wrong_configuration_ends_the_worker() -> None:
    async def work() -> None:
        raise ConfigurationError("set the port")

    with pytest.raises(ConfigurationError):
        await run_worker("a test", work)


async def test_a_worker_stops_on_request() -> None:
    calls = []

    async def work() -> None:
        calls.append(1)

    await run_worker("a test", work, until=lambda: len(calls) == 3)
    assert len(calls) == 3


def test_pauses_double_up_to_a_bound_and_are_never_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_loop, "FIRST_BACKOFF", 1.0)
    for failures, most in ((1, 1.0), (2, 2.0), (3, 4.0), (10, 60.0), (10_000, 60.0)):
        waits = {backoff(failures, 60.0) for _ in range(20)}
        assert all(0.75 * most <= wait <= most for wait in waits)
        assert len(waits) > 10
