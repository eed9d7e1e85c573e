"""Measure how fast commands are acknowledged while 1,000 deliveries are sent, polls run and papers are indexed.

    python -m tests.bench.ack --json

Four programs run besides the one that measures: `paperboy run` and its server, the platform's double with the recorded
upstream, and a process that adds papers as polls do (`ack_processes`). A Slack command is timed from the request to
the bot until the bot's answer. A Discord command goes through the double, over the gateway and back as a callback, so
its time includes the double's: `discord_double_ms_…` is a request to the double alone, in the same seconds.
Baselines are the same commands while nothing else happens (`…_idle_ms_…`), and the machine's load before the run.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from itertools import cycle
from multiprocessing import get_context
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

from aiohttp import ClientConnectionError, ClientSession, ClientTimeout

from adapters.slack.http import EVENTS
from tests.adapters.slack.double.links import encoded, signed
from tests.bench.ack_processes import DOUBLES, poll_papers, posted, serve_double
from tests.conftest import SHARED_DATA
from tests.ports import free_port
from tests.program import environment, running

LINES = ("search diffusion", "list")
EVERY = 0.05
"""Seconds between two commands."""
COMMANDS, IDLE = 1000, 200
"""Numbers of commands while the bot is busy, and while it is idle."""
DELIVERIES = 1000
"""Minimum number of deliveries in that time."""
WARM_UP = 20
"""Number of warm-up commands."""
PATIENCE = 180.0
"""Seconds after which a step counts as failed."""
QUIET = 2.0
"""Seconds without a post after which the queue counts as empty."""

_spawn = get_context("spawn")

Ask = Callable[[str], Awaitable[float]]
"""A function that gives a command, and returns the seconds until it was acknowledged."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A running bot and its platform's double."""

    platform: str
    folder: Path
    session: ClientSession
    control: str
    settings: Mapping[str, str]
    port: int
    logged: Counter[str]
    """The bot's warnings and errors -> how often each was logged."""

    async def ask(self, line: str) -> float:
        """Give a command on this platform."""
        return await (self._ask_slack(line) if self.platform == "slack" else self._timed("/typed", line))

    async def ask_double(self, _line: str = "") -> float:
        """Send the double a request that doesn't involve the bot."""
        return await self._timed("/posted")

    async def posted(self) -> int:
        return await posted(self.session, self.control)

    async def _timed(self, path: str, line: str | None = None) -> float:
        began = monotonic()
        async with self.session.request(
            "GET" if line is None else "POST", self.control + path, data=line
        ) as answer:
            await answer.read()
            answer.raise_for_status()
        return monotonic() - began

    async def _ask_slack(self, line: str) -> float:
        async with self.session.post(f"{self.control}/typed", data=line) as answer:
            body, content = encoded("slash_commands", await answer.json())
        headers = {"Content-Type": content, **signed(self.settings["SLACK_SIGNING_SECRET"], body)}
        began = monotonic()
        async with self.session.post(
            f"http://127.0.0.1:{self.port}{EVENTS}", data=body, headers=headers
        ) as answer:
            answer.raise_for_status()
        return monotonic() - began


@asynccontextmanager
async def scene(platform: str, folder: Path) -> AsyncIterator[Scene]:
    """Start the double, then the bot; stop both and the bot's server at the end."""
    receiver, sender = _spawn.Pipe(duplex=False)
    with _process(serve_double, platform, folder, sender):
        async with asyncio.timeout(PATIENCE):
            while not receiver.poll():  # noqa: ASYNC110  # another process writes
                await asyncio.sleep(EVERY)
        control, upstream, settings = receiver.recv()
        port = free_port()
        env = environment(folder, upstream, PORT=str(port), **settings)
        async with ClientSession(timeout=ClientTimeout(PATIENCE)) as session, running("run", env=env) as bot:
            assert bot.stderr is not None
            logged: Counter[str] = Counter()
            reading = asyncio.create_task(_read_log(bot.stderr, logged))
            here = Scene(platform, folder, session, control, settings, port, logged)
            try:
                await _answering(here, bot)
                yield here
            finally:
                with suppress(ProcessLookupError):
                    bot.terminate()  # its server ends with it
                await bot.wait()
                reading.cancel()


async def measure(platform: str) -> dict[str, float]:
    """Return the figures of one platform."""
    with TemporaryDirectory(prefix="paperboy-bench-") as name:
        folder = Path(name)
        async with scene(platform, folder) as here:
            await timed(here.ask, WARM_UP)
            with _process(poll_papers, folder):
                async with asyncio.timeout(PATIENCE):
                    while not await here.posted():  # noqa: ASYNC110  # another process counts
                        await asyncio.sleep(0.05)
                began, before = monotonic(), await here.posted()
                busy, double = await asyncio.gather(
                    timed(here.ask, COMMANDS), timed(here.ask_double, COMMANDS)
                )
                while (sent := await here.posted() - before) < DELIVERIES and monotonic() - began < PATIENCE:
                    busy += await timed(here.ask, WARM_UP)
                seconds = monotonic() - began
            await _quiet(here)
            idle = await timed(here.ask, IDLE)
    if sent < DELIVERIES:
        raise SystemExit(f"only {sent} deliveries in {seconds:.0f} s; logged: {here.logged.most_common(20)}")
    return {
        **percentiles(f"{platform}_ack_ms", busy),
        **percentiles(f"{platform}_ack_idle_ms", idle),
        **percentiles(f"{platform}_double_ms", double),
        f"{platform}_commands": len(busy),
        f"{platform}_deliveries": sent,
        f"{platform}_seconds": round(seconds, 1),
    }


async def timed(ask: Ask, times: int) -> list[float]:
    """Give commands at regular intervals, whether or not the last one was answered. Returns the seconds of each."""
    asking: list[asyncio.Task[float]] = []
    lines = cycle(LINES)
    for _ in range(times):
        asking.append(asyncio.ensure_future(ask(next(lines))))
        await asyncio.sleep(EVERY)
    return list(await asyncio.gather(*asking))


def percentiles(name: str, seconds: list[float]) -> dict[str, float]:
    """Return percentiles in milliseconds."""
    cuts = quantiles(seconds, n=100, method="inclusive")
    return {f"{name}_p50": round(1000 * cuts[49], 1), f"{name}_p99": round(1000 * cuts[98], 1)}


@contextmanager
def _process(work: Callable[..., None], *args: Any) -> Any:
    process = _spawn.Process(target=work, args=args, daemon=True)
    process.start()
    try:
        yield
    finally:
        process.terminate()
        process.join(10)
        if process.is_alive():
            process.kill()


async def _answering(here: Scene, bot: asyncio.subprocess.Process) -> None:
    """Wait until the bot answers a command."""
    async with asyncio.timeout(PATIENCE):
        while bot.returncode is None:
            with suppress(ClientConnectionError):
                await here.ask(LINES[0])
                return
            await asyncio.sleep(0.1)
    raise SystemExit(f"the bot ended with {bot.returncode}")


async def _quiet(here: Scene) -> None:
    """Wait until no more posts arrive."""
    before = -1
    while (now := await here.posted()) != before:
        before = now
        await asyncio.sleep(QUIET)


async def _read_log(stream: asyncio.StreamReader, logged: Counter[str]) -> None:
    async for line in stream:
        with suppress(ValueError):
            event = json.loads(line)
            if event.get("level") in {"warning", "error"}:
                logged[f"{event.get('event')} {event.get('reason') or event.get('error') or ''}"[:120]] += 1


async def run(platforms: list[str]) -> dict[str, float]:
    """Measure one platform after the other, so that each has the machine to itself."""
    found = {"load_before": round(os.getloadavg()[0], 1)}
    for platform in platforms:
        found |= await measure(platform)
    return found


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("platforms", nargs="*", default=list(DOUBLES), help=f"of {', '.join(DOUBLES)}")
    parser.add_argument("--json", action="store_true", help="only the figures, as one line")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that its child processes end, too
    if not SHARED_DATA.is_dir():
        raise SystemExit("recorded data is missing (expected in ../shared/data)")
    sys.stdout.write(json.dumps(asyncio.run(run(options.platforms))) + "\n")


if __name__ == "__main__":
    main()
