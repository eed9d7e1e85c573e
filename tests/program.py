"""Paperboy as a separate program, started as a person or cron would."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
NOWHERE = "http://127.0.0.1:9"
"""The discard port: nothing listens there."""
CLOCK = ("LD_PRELOAD", "FAKETIME")
"""How faketime reaches a program, for tests on another date (tests/dates.py)."""


def environment(folder: Path, upstream: str = NOWHERE, **settings: str) -> Mapping[str, str]:
    """The settings of a program that keeps its data in `folder` and knows no other upstream."""
    return {
        **{name: os.environ[name] for name in ("PATH", *CLOCK) if name in os.environ},
        "PAPERBOY_DATA_DIR": str(folder),
        "PAPERBOY_HUGGINGFACE_URL": upstream,
        "PAPERBOY_ARXIV_RSS_URL": NOWHERE,
        "PAPERBOY_ARXIV_OAI_URL": NOWHERE,
        "PAPERBOY_ARXIV_API_URL": NOWHERE,
        "PAPERBOY_ARXIV_CATEGORIES": "cs.CL",
        "PAPERBOY_CONSOLE_FORMAT": "json",
        "PAPERBOY_LOG_FORMAT": "json",
        **settings,
    }


async def start(*words: str, env: Mapping[str, str], source: Path = ROOT) -> Process:
    """`paperboy` with these words, with pipes for everything."""
    command = (sys.executable, "-m", "bot", *words)
    return await asyncio.create_subprocess_exec(
        *command, env=env, cwd=source, stdin=PIPE, stdout=PIPE, stderr=PIPE
    )


async def run_once(folder: Path, upstream: str, commands: str = "") -> tuple[int, list[dict[str, Any]], str]:
    """`paperboy run --once`: its exit code, what it printed as objects, and its log."""
    process = await start("run", "--once", env=environment(folder, upstream))
    out, log = await process.communicate(commands.encode())
    return process.returncode or 0, [json.loads(line) for line in out.splitlines()], log.decode()


@asynccontextmanager
async def running(*words: str, env: Mapping[str, str], source: Path = ROOT) -> AsyncIterator[Process]:
    """A program that is killed in the end, should it still run."""
    process = await start(*words, env=env, source=source)
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


def processor(pid: int) -> float:
    """Seconds of the processor that a program has had, with those of its children that ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


async def objects(process: Process) -> AsyncIterator[dict[str, Any]]:
    """What it prints, line by line."""
    assert process.stdout is not None
    async for line in process.stdout:
        yield json.loads(line)


async def first(process: Process, kind: str) -> dict[str, Any]:
    """The first object of that kind."""
    async for thing in objects(process):
        if thing["kind"] == kind:
            return thing
    raise AssertionError(f"it ended without a {kind}")


def servers(folder: Path) -> list[int]:
    """The Valkey servers that use this folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if str(folder).encode() in path.read_bytes() and b"valkey-server" in path.read_bytes():
                found.append(int(path.parent.name))
    return found
