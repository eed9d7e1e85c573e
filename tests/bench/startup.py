"""Measure how long `paperboy --help` takes, and how long `paperboy run` takes until it is ready.

    python -m tests.bench.startup --json

Baselines are an interpreter that does nothing, and the previous release with today's libraries. Figures are medians of
several starts: wall time, which is valid on an otherwise idle machine, and CPU time, which depends little on other
load.
"""

import argparse
import asyncio
import json
import os
import re
import statistics
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp

from tests.ports import free_port
from tests.program import ROOT, environment, processor, running

PACE = 0.01
"""Seconds between requests to /healthz."""


@dataclass(frozen=True, slots=True)
class Took:
    """Durations in wall and CPU time."""

    wall: float
    processor: float


def time_of(*words: str, source: Path = ROOT, python: str = sys.executable) -> Took:
    """Time one interpreter with these arguments."""
    begun, before = time.perf_counter(), os.times()
    subprocess.run((python, *words), cwd=source, check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return Took(time.perf_counter() - begun, used)


async def time_until_ready(folder: Path, source: Path = ROOT) -> Took:
    """Time `paperboy run`, with the terminal as its platform, from its start to the first answer of /healthz."""
    port = free_port()
    begun = time.perf_counter()
    env = environment(folder, PORT=str(port))
    async with running("run", env=env, source=source) as process, aiohttp.ClientSession() as session:
        while True:
            with suppress(aiohttp.ClientError):
                async with session.get(f"http://127.0.0.1:{port}/healthz") as response:
                    if response.status == 200:
                        took = Took(time.perf_counter() - begun, processor(process.pid))
                        process.terminate()  # a killed program would leave its server behind
                        await process.communicate()
                        return took
            await asyncio.sleep(PACE)


def release(folder: Path) -> str:
    """Extract the source of the previous release into `folder`. Returns its commit."""
    day = re.findall(r"^## \S+ – (\d{4}-\d\d-\d\d)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)[0]
    log = ("git", "log", "-1", "--format=%h", f"--before={day} 23:59:59 +0000")
    commit = subprocess.run(log, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()
    packed = subprocess.run(("git", "archive", commit), cwd=ROOT, check=True, capture_output=True).stdout
    subprocess.run(("tar", "-x", "-C", str(folder)), input=packed, check=True)
    return commit


def figures_of(source: Path, times: int) -> dict[str, float]:
    """Return the medians for the program in `source`."""
    helped = [time_of("-m", "bot", "--help", source=source) for _ in range(times)]
    ready = []
    for _ in range(times):
        with TemporaryDirectory() as folder:
            ready.append(asyncio.run(time_until_ready(Path(folder), source)))
    return {**_medians("help", helped), **_medians("ready", ready)}


def _medians(name: str, found: list[Took]) -> dict[str, float]:
    return {
        f"{name}_s": round(statistics.median(one.wall for one in found), 3),
        f"{name}_cpu_s": round(statistics.median(one.processor for one in found), 3),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.startup", description=__doc__)
    parser.add_argument("--times", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    figures: dict[str, object] = {
        **_medians("python", [time_of("-c", "pass") for _ in range(args.times)]),
        **figures_of(ROOT, args.times),
    }
    with TemporaryDirectory() as folder:
        commit = release(Path(folder))
        figures["previous_release"] = {"commit": commit, **figures_of(Path(folder), args.times)}
    figures["load"] = round(os.getloadavg()[0], 2)
    sys.stdout.write((json.dumps(figures) if args.json else json.dumps(figures, indent=2)) + "\n")


if __name__ == "__main__":
    main()
