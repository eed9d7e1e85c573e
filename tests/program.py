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
"""Environment variables that faketime needs, for tests on another date (tests/dates.py)."""


def environment(folder: Path, upstream: str = NOWHERE, **settings: str) -> Mapping[str, str]:
    """Return the environment of a program that stores its data in `folder` and reads only `upstream`."""
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
    """Start `paperboy` with these arguments; stdin, stdout and stderr are pipes."""
    command = (sys.executable, "-m", "bot", *words)
    return await asyncio.create_subprocess_exec(
        *command, env=env, cwd=source, stdin=PIPE, stdout=PIPE, stderr=PIPE
    )


async def run_once(folder: Path, upstream: str, commands: str = "") -> tuple[int, list[dict[str, Any]], str]:
    """Run `paperboy run --once`. Returns its exit code, the JSON objects that it printed, and its log."""
    process = await start("run", "--once", env=environment(folder, upstream))
    out, log = await process.communicate(commands.encode())
    return process.returncode or 0, [json.loads(line) for line in out.splitlines()], log.decode()


@asynccontextmanager
async def running(*words: str, env: Mapping[str, str], source: Path = ROOT) -> AsyncIterator[Process]:
    """Start `paperboy`, and kill it at the end if it still runs."""
    process = await start(*words, env=env, source=source)
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


def processor(pid: int) -> float:
    """Return the processor seconds that a program and its ended children have used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


async def objects(process: Process) -> AsyncIterator[dict[str, Any]]:
    """Yield the JSON objects that the program prints, one per line."""
    assert process.stdout is not None
    async for line in process.stdout:
        yield json.loads(line)


async def first(process: Process, kind: str) -> dict[str, Any]:
    """Return the first object of that kind. Fails if the program ends without one."""
    async for found in objects(process):
        if found["kind"] == kind:
            return found
    raise AssertionError(f"the program ended without a {kind}")


def servers(folder: Path) -> list[int]:
    """Return the process ids of the Valkey servers that use this folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if str(folder).encode() in path.read_bytes() and b"valkey-server" in path.read_bytes():
                found.append(int(path.parent.name))
    return found
