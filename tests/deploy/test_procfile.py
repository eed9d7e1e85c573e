"""The Procfile under a process manager, on two "machines" with one database; one of them loses a process."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families
from redis.asyncio import Redis

from bot.domain.models import ChannelRef
from bot.store.subscriptions import Subscriptions
from tests.deploy.upstream import World, world
from tests.ports import free_ports
from tests.program import ROOT, environment
from tests.waiting import until

CHANNELS = ("100", "200", "300")
ROLES = ("web", "poller", "fanout", "delivery")
"""Roles in the Procfile's order: honcho assigns the n-th one the port base + 100 n."""


class Machine:
    """honcho, which starts some of the Procfile's lines, and stops all of them when one ends."""

    def __init__(self, process: Process, roles: tuple[str, ...], base: int) -> None:
        self._process = process
        self.ports = {role: base + 100 * n for n, role in enumerate(roles)}

    async def kill(self, role: str) -> None:
        """Send SIGKILL to the process of this role; the manager then stops the others and itself."""
        (victim,) = (pid for pid, command in self._children() if f"run\0{role}\0" in command)
        os.kill(victim, signal.SIGKILL)
        await self._process.wait()

    async def stop(self) -> str:
        """Send SIGTERM, and return the output until the end."""
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        out, _ = await self._process.communicate()
        return out.decode()

    def _children(self) -> Iterator[tuple[int, str]]:
        """Return every descendant of the manager with its command line."""
        left = [self._process.pid]
        while left:
            for listing in Path(f"/proc/{left.pop()}/task").glob("*/children"):
                for child in map(int, listing.read_text().split()):
                    left.append(child)
                    yield child, Path(f"/proc/{child}/cmdline").read_text()


@asynccontextmanager
async def machine(env: Mapping[str, str], *roles: str) -> AsyncIterator[Machine]:
    base = free_ports(len(roles), step=100)[0]
    command = (sys.executable, "-m", "honcho", "start", "-e", os.devnull, "-p", str(base), *roles)
    process = await asyncio.create_subprocess_exec(*command, env=env, cwd=ROOT, stdout=PIPE, stderr=PIPE)
    here = Machine(process, roles, base)
    try:
        yield here
    finally:
        await here.stop()


async def ready(session: aiohttp.ClientSession, port: int) -> bool:
    with suppress(aiohttp.ClientError):
        async with session.get(f"http://127.0.0.1:{port}/readyz") as response:
            return response.status == 200
    return False


async def scrape(session: aiohttp.ClientSession, port: int) -> dict[str, float]:
    """Return metric -> the sum of its samples."""
    async with session.get(f"http://127.0.0.1:{port}/metrics") as response:
        families = text_string_to_metric_families(await response.text())
    found: dict[str, float] = {}
    for family in families:
        for sample in family.samples:
            found[sample.name] = found.get(sample.name, 0.0) + sample.value
    return found


async def all_posted(upstream: World) -> None:
    wanted = {(channel, paper): 1 for channel in CHANNELS for paper in upstream.papers}

    async def are() -> bool:
        return set(upstream.posted()) == set(wanted)

    await until(are, "all posts", within=60)
    assert upstream.posted() == wanted


@pytest.mark.timeout(120)
async def test_two_machines_share_the_work_and_one_goes_on_alone(
    tmp_path: Path, valkey: str, redis: Redis
) -> None:
    subscriptions = Subscriptions(redis)
    for channel in CHANNELS:
        await subscriptions.add(ChannelRef("discord", "1", channel), "number", "now", "U1")
    async with world() as upstream, aiohttp.ClientSession() as session:
        upstream.papers = ["2605.00001", "2605.00002"]
        env = environment(
            tmp_path,
            upstream.url,
            REDIS_URL=valkey,
            DISCORD_TOKEN="planted-token",
            DISCORD_API_URL=f"{upstream.url}/discord",
            PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        )
        async with machine(env, "poller", "delivery") as spare:
            await until(lambda: ready(session, spare.ports["poller"]), "the spare poller", within=60)
            async with machine(env, *ROLES) as main:
                for port in (*main.ports.values(), *spare.ports.values()):
                    await until(partial(ready, session, port), f"port {port}", within=60)
                await all_posted(upstream)
                pollers = [await scrape(session, m.ports["poller"]) for m in (spare, main)]
                assert [found["paperboy_poller_leader"] for found in pollers] == [1, 0]
                workers = [await scrape(session, m.ports["delivery"]) for m in (spare, main)]
                assert sum(found.get("paperboy_deliveries_total", 0) for found in workers) == 6
                assert sum(found.get("paperboy_detection_to_post_seconds_count", 0) for found in workers) == 6

                upstream.papers.append("2605.00003")
                await spare.kill("delivery")
                await all_posted(upstream)
                assert not await ready(session, spare.ports["poller"])
                for port in main.ports.values():
                    assert await ready(session, port)
                left = await scrape(session, main.ports["poller"])
                assert left["paperboy_poller_leader"] == 1
                async with session.get(f"http://127.0.0.1:{main.ports['web']}/") as response:
                    assert "On the Number 2605.00003" in await response.text()
                output = await main.stop()
    assert all(f"{role}.1" in output for role in ROLES)
    assert "Traceback" not in output, output[output.index("Traceback") :][:12_000]
    assert "planted-token" not in output
