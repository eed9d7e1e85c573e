"""Measure the processor time and memory of an idle `paperboy run`, including its own server.

    python -m tests.bench.idle --subs 10000 --seconds 60 --json

The baseline is the same program without subscriptions.
"""

import argparse
import asyncio
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.domain.models import ChannelRef
from bot.store.connect import connect
from bot.store.embedded import EmbeddedServer
from bot.store.subscriptions import Subscriptions

SETTLE = 20
"""Seconds after the start that aren't measured: loading, and the first polls."""
AT_ONCE = 200
WORDS = (
    "diffusion",
    "agents",
    "robot",
    "speech",
    "protein",
    "retrieval",
    "attention",
    "graph",
    "privacy",
    "video",
)
NOWHERE = "http://127.0.0.1:9"
TICKS = os.sysconf("SC_CLK_TCK")


async def subscribe(folder: Path, count: int) -> None:
    """Give `count` channels a subscription each."""
    async with EmbeddedServer(folder) as server:
        redis = await connect(server.url)
        subscriptions = Subscriptions(redis)
        for start in range(0, count, AT_ONCE):
            numbers = range(start, min(start + AT_ONCE, count))
            await asyncio.gather(*(_subscribe(subscriptions, number) for number in numbers))
        await redis.aclose()


async def _subscribe(subscriptions: Subscriptions, number: int) -> None:
    channel = ChannelRef("console", "bench", str(number))
    await subscriptions.add(channel, f"{WORDS[number % 10]} w{number % 997}", "now", "bench")


async def measure(folder: Path, seconds: float) -> dict[str, float]:
    """Run the bot. Returns percent of a core and megabytes, including the server's."""
    environment = os.environ | {
        "PAPERBOY_DATA_DIR": str(folder),
        "PAPERBOY_HUGGINGFACE_URL": NOWHERE,
        "PAPERBOY_ARXIV_RSS_URL": NOWHERE,
        "PAPERBOY_ARXIV_OAI_URL": NOWHERE,
        "PAPERBOY_ARXIV_API_URL": NOWHERE,
    }
    bot = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "run", env=environment, stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL
    )
    await asyncio.sleep(SETTLE)
    pids = [bot.pid, int((folder / "valkey" / "valkey.pid").read_text())]
    before = sum(map(cpu, pids))
    await asyncio.sleep(seconds)
    used = sum(map(cpu, pids)) - before
    figures = {"cpu_percent": round(100 * used / seconds, 2), "memory_mb": round(sum(map(memory, pids)), 1)}
    bot.terminate()
    await bot.communicate()
    return figures


def cpu(pid: int) -> float:
    """Return the processor seconds used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory(pid: int) -> float:
    """Return the proportional set size in megabytes: pages shared with other processes count in part."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


async def run(subs: int, seconds: float) -> dict[str, object]:
    """Make both measurements."""
    with TemporaryDirectory() as empty, TemporaryDirectory() as full:
        await subscribe(Path(full), subs)
        without, with_ = await asyncio.gather(measure(Path(empty), seconds), measure(Path(full), seconds))
    return {"subs": subs, "seconds": seconds, **with_, "without_subs": without}


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subs", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--json", action="store_true", help="only the figures, as one line")
    options = parser.parse_args()
    figures = asyncio.run(run(options.subs, options.seconds))
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
