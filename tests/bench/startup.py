"""How long a person waits for `paperboy --help`, and how long until `paperboy run` is ready.

    python -m tests.bench.startup --json

In the same run, an interpreter that does nothing. Wall time: the median of several starts, on a machine without other load.
"""

import argparse
import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp

from tests.program import ROOT, environment, running

PACE = 0.01
"""Seconds between two looks at /healthz."""


def seconds_of(*words: str) -> float:
    """Wall time of one interpreter with these arguments."""
    begun = time.perf_counter()
    subprocess.run((sys.executable, *words), cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


async def seconds_until_ready(folder: Path) -> float:
    """Wall time from the start of `paperboy run`, with the terminal as its platform, to the first answer of /healthz."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    begun = time.perf_counter()
    async with running("run", env=environment(folder, PORT=str(port))), aiohttp.ClientSession() as session:
        while True:
            with suppress(aiohttp.ClientError):
                async with session.get(f"http://127.0.0.1:{port}/healthz") as response:
                    if response.status == 200:
                        return time.perf_counter() - begun
            await asyncio.sleep(PACE)


def _median(times: list[float]) -> float:
    return round(statistics.median(times), 3)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.startup", description=__doc__)
    parser.add_argument("--times", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    times = range(asked.times)
    figures = {
        "python_s": _median([seconds_of("-c", "pass") for _ in times]),
        "help_s": _median([seconds_of("-m", "paperboy", "--help") for _ in times]),
    }
    ready = []
    for _ in times:
        with TemporaryDirectory() as folder:
            ready.append(asyncio.run(seconds_until_ready(Path(folder))))
    figures |= {"ready_s": _median(ready), "load": round(os.getloadavg()[0], 2)}
    sys.stdout.write((json.dumps(figures) if asked.json else json.dumps(figures, indent=2)) + "\n")


if __name__ == "__main__":
    main()
