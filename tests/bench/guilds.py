"""Measure a bot in 10,000 Discord servers of 20 channels: memory and time of the start, and bursts of events.

    python -m tests.bench.guilds --json

Discord's double runs in a second process; the bot is `paperboy run discord` on its own server. `cpu` is the bot's
processor time, which depends little on other load. The baseline is a bot in one server. `…_reads` is the number of
requests to Redis for channels to which the bot can't post.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

from aiohttp import ClientSession, ClientTimeout, web
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.domain.errors import ConfigurationError
from bot.store.connect import connect
from bot.store.embedded import EmbeddedServer
from tests.adapters.discord.double.payloads import guild_payload
from tests.adapters.discord.double.service import DiscordDouble
from tests.program import environment, running
from tests.replay import serve

GUILDS, CHANNELS = 10_000, 20
PER_SHARD = 2_500
"""Discord's limit of servers per shard."""
FIRST = 1_000_000_000
"""The first server's id without the lower 22 bits, which don't affect the shard."""
REORDERED = 1_000
"""Number of servers whose roles are reordered at the same time."""
ROLES = 25
"""Number of events per reordering."""
PATIENCE = 900.0
CHECK_EVERY = 0.1
"""Seconds between two checks of the bot."""

_spawn = get_context("spawn")


def serve_double(guilds: int, started: Connection) -> None:
    """Run the double until the process is killed."""
    asyncio.run(_serve_double(guilds, started))


async def _serve_double(guilds: int, started: Connection) -> None:
    shards = -(-guilds // PER_SHARD)
    double = DiscordDouble(shards=shards)
    numbers = [n << 22 for n in range(FIRST, FIRST + guilds)]
    for shard in range(shards):
        double.gateway.guilds[shard] = [server(n) for n in numbers if (n >> 22) % shards == shard]

    async def reorder(_request: web.Request) -> web.Response:
        for number in numbers[:REORDERED]:
            role = {"guild_id": str(number), "role": server(number)["roles"][0]}
            for _ in range(ROLES):
                await double.gateway.dispatch("GUILD_ROLE_UPDATE", role, (number >> 22) % shards)
        return web.Response()

    async def outage(_request: web.Request) -> web.Response:
        """Make all servers unavailable for a moment."""
        for number in numbers:
            unavailable = {"id": str(number), "unavailable": True}
            await double.gateway.dispatch("GUILD_DELETE", unavailable, (number >> 22) % shards)
        for number in numbers:
            await double.gateway.dispatch("GUILD_CREATE", server(number), (number >> 22) % shards)
        return web.Response()

    control = web.Application()
    control.add_routes([web.post("/reorder", reorder), web.post("/outage", outage)])
    async with double.serve(), serve(control) as address:
        started.send((address, {"DISCORD_TOKEN": double.token, "DISCORD_API_URL": double.url}))
        await asyncio.Event().wait()


def server(number: int) -> dict[str, Any]:
    """Return a server as the gateway describes it."""
    facts = guild_payload()
    channels = [
        {
            "id": str(number * 100 + n),
            "type": 0,
            "name": f"channel-{n}",
            "position": n,
            "permission_overwrites": [],
            "guild_id": str(number),
            "topic": "What we read and what we think of it",
        }
        for n in range(CHANNELS)
    ]
    return facts | {
        "id": str(number),
        "unavailable": False,
        "roles": [facts["roles"][0] | {"id": str(number)}],
        "channels": channels,
    }


@dataclass
class Scene:
    """A bot at the double's gateway."""

    session: ClientSession
    control: str
    pid: int
    redis: Redis

    async def reads(self) -> int:
        """Return the number of the bot's requests to Redis for channels to which it can't post."""
        stats: dict[str, Any] = await self.redis.info("commandstats")
        return int(stats.get("cmdstat_hmget", {}).get("calls", 0))

    async def burst(self, path: str, reads: int) -> dict[str, float]:
        """Let the double send events, and wait until the bot has checked its servers `reads` times."""
        began, cpu, before = monotonic(), self.cpu(), await self.reads()
        async with self.session.post(self.control + path) as answer:
            answer.raise_for_status()
        sent = monotonic() - began
        async with asyncio.timeout(PATIENCE):
            while await self.reads() - before < reads:  # noqa: ASYNC110  # another process counts
                await asyncio.sleep(CHECK_EVERY)
        seconds = monotonic() - began
        await asyncio.sleep(10 * CHECK_EVERY)  # time for surplus reads
        return {
            "seconds": round(seconds, 1),
            "sent_after": round(sent, 1),
            "cpu": round(self.cpu() - cpu, 1),
            "reads": await self.reads() - before,
        }

    def cpu(self) -> float:
        """Return the bot's processor time in seconds."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> float:
        """Return the bot's memory in MB, now and at its peak."""
        return self._status("VmRSS")

    def peak(self) -> float:
        """Return the bot's peak memory in MB."""
        return self._status("VmHWM")

    def _status(self, name: str) -> float:
        status = Path(f"/proc/{self.pid}/status").read_text()
        return round(int(status.partition(f"{name}:")[2].split()[0]) / 1024, 1)


@asynccontextmanager
async def scene(guilds: int, folder: Path) -> AsyncIterator[tuple[Scene, float]]:
    """Start a bot. Yields it once it has received all its servers, with the seconds that this took."""
    receiver, sender = _spawn.Pipe(duplex=False)
    double = _spawn.Process(target=serve_double, args=(guilds, sender), daemon=True)
    double.start()
    try:
        async with asyncio.timeout(PATIENCE):
            while not receiver.poll():  # noqa: ASYNC110  # another process writes
                await asyncio.sleep(CHECK_EVERY)
        control, settings = receiver.recv()
        began = monotonic()
        env = environment(folder, **settings)
        async with (
            ClientSession(timeout=ClientTimeout(PATIENCE)) as session,
            running("run", "discord", env=env) as bot,
        ):
            assert bot.stderr is not None
            reading = asyncio.create_task(_discard(bot.stderr))
            redis = await _redis(folder)
            here = Scene(session, control, bot.pid, redis)
            async with asyncio.timeout(PATIENCE):
                while await here.reads() < guilds:
                    if bot.returncode is not None:
                        raise SystemExit(f"the bot ended with {bot.returncode}")
                    await asyncio.sleep(CHECK_EVERY)
            yield here, monotonic() - began
            await redis.aclose()
            bot.terminate()  # its server ends with it
            await bot.wait()
            reading.cancel()
    finally:
        double.terminate()
        double.join(10)


async def _redis(folder: Path) -> Redis:
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                return await connect(EmbeddedServer(folder).url)
            except (ConfigurationError, RedisError, OSError):  # not started yet
                await asyncio.sleep(CHECK_EVERY)


async def _discard(stream: asyncio.StreamReader) -> None:
    while await stream.read(65_536):
        continue


async def measure(guilds: int) -> dict[str, float]:
    """Return the figures of a bot in this many servers."""
    with TemporaryDirectory(prefix="paperboy-bench-") as name:
        async with scene(guilds, Path(name)) as (here, seconds):
            figures: dict[str, float] = {
                "guilds": guilds,
                "start_seconds": round(seconds, 1),
                "start_cpu": round(here.cpu(), 1),
                "start_reads": await here.reads(),
                "memory_mb": here.memory(),
            }
            reordered = min(REORDERED, guilds)
            figures |= _named("reorder", await here.burst("/reorder", reordered))
            figures |= _named("outage", await here.burst("/outage", guilds))
            return figures | {"memory_after_mb": here.memory(), "peak_mb": here.peak()}


def _named(name: str, figures: dict[str, float]) -> dict[str, float]:
    return {f"{name}_{key}": value for key, value in figures.items()}


async def run(guilds: int) -> dict[str, Any]:
    """Measure a bot in many servers, and one in a single server."""
    load = round(os.getloadavg()[0], 1)
    return {"load_before": load, "many": await measure(guilds), "one": await measure(1)}


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--guilds", type=int, default=GUILDS)
    parser.add_argument("--json", action="store_true", help="only the figures, as one line")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that its child processes end, too
    figures = asyncio.run(run(options.guilds))
    sys.stdout.write((json.dumps(figures) if options.json else json.dumps(figures, indent=2)) + "\n")


if __name__ == "__main__":
    main()
