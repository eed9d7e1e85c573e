"""A role that crashes is restarted, the others go on, and `/readyz` says so."""

import asyncio
from dataclasses import dataclass, field

import pytest
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application
from prometheus_client import REGISTRY
from redis.asyncio import Redis
from structlog.testing import capture_logs

from bot.clock import wall_clock
from bot.domain.errors import ConfigurationError
from bot.observability.role_status import RoleStatus
from bot.store import worker_loop
from bot.store.outbox.outbox import Outbox
from bot.supervisor import Role, cancel, keep_running
from bot.web.probes import Probes
from tests.waiting import until


@dataclass
class Crashing:
    """A role that crashes the first `crashes` times, and then runs."""

    crashes: int
    starts: int = 0
    running: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        self.starts += 1
        if self.starts <= self.crashes:
            raise ValueError(f"crash {self.starts}")
        self.running.set()
        await asyncio.Event().wait()


@pytest.fixture
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_loop, "FIRST_BACKOFF", 0.0)


@pytest.mark.usefixtures("_soon")
async def test_a_role_that_crashes_five_times_is_restarted_and_the_others_go_on() -> None:
    crashing, healthy, status = Crashing(5), Crashing(0), RoleStatus()
    before = REGISTRY.get_sample_value("paperboy_role_restarts_total", {"role": "fanout"}) or 0
    with capture_logs() as logs:
        tasks = {
            asyncio.create_task(keep_running(Role("fanout", crashing.run), status)),
            asyncio.create_task(keep_running(Role("poller", healthy.run), status)),
        }
        async with asyncio.timeout(5):
            await crashing.running.wait()
        assert not any(task.done() for task in tasks)
        await cancel(tasks)
    crashes = [log for log in logs if log["event"] == "role_crashed"]
    assert [(log["role"], log["crashes"]) for log in crashes] == [("fanout", n) for n in range(1, 6)]
    assert healthy.starts == 1
    assert status.problem("fanout") is None
    assert REGISTRY.get_sample_value("paperboy_role_restarts_total", {"role": "fanout"}) == before + 5
    assert REGISTRY.get_sample_value("paperboy_role_up", {"role": "fanout"}) == 1


async def test_readyz_names_a_role_that_is_down(redis: Redis) -> None:
    status, crashing = RoleStatus(), Crashing(1)
    probes = Probes(redis, Outbox(redis), (), wall_clock)
    app = Application()
    app.add_routes(probes.routes(frozenset({"fanout"}), status))
    running = asyncio.create_task(keep_running(Role("fanout", crashing.run), status))
    async with TestClient(TestServer(app)) as client:
        await until(lambda: crashing.starts, "a start")
        answer = await client.get("/readyz")
        assert answer.status == 503
        assert "ValueError: crash 1" in (await answer.json())["role fanout"]
        status.started("fanout")
        assert (await client.get("/readyz")).status == 200
    await cancel({running})


@pytest.mark.usefixtures("_soon")
async def test_a_role_that_returns_is_restarted_unless_it_is_allowed_to_end() -> None:
    starts = []

    async def returns() -> None:
        starts.append(1)
        if len(starts) > 3:
            await asyncio.Event().wait()

    running = asyncio.create_task(keep_running(Role("slack", returns), RoleStatus()))
    await until(lambda: len(starts) >= 4, "the fourth start")
    assert not running.done()
    await cancel({running})
    starts.clear()
    await keep_running(Role("console", returns, may_end=True), RoleStatus())
    assert len(starts) == 1


@pytest.mark.parametrize("grouped", [False, True])
async def test_wrong_configuration_ends_the_bot(*, grouped: bool) -> None:
    async def misconfigured() -> None:
        error = ConfigurationError("the token is wrong")
        raise ExceptionGroup("two tasks", [OSError(), error]) if grouped else error

    with pytest.raises(ConfigurationError, match="the token is wrong"):
        await keep_running(Role("slack", misconfigured), RoleStatus())
