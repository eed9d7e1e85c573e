"""Parses hostile input in a separate process with little memory, little time, and no secrets.

The parent calls `run_limited`; the script that it starts calls `limit_resources` before it reads its input.
"""

import asyncio
import contextlib
import os
import resource
import sys
from asyncio.subprocess import DEVNULL, PIPE
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parents[1]
"""The folder from which `bot` is imported."""
INHERITED = ("PATH", "LD_LIBRARY_PATH")
"""Environment variables that the process gets: no settings, so no secrets."""
NICENESS = 10
"""Added to the process's nice value: parsing can wait, but a person's command can't."""


class LimitExceeded(Exception):
    """The process didn't finish within its limits, or crashed. `str()` says which."""


async def run_limited(module: str, data: bytes, *, seconds: float) -> bytes:
    """Run the file of `module` as a script with `data` on standard input, and return what it prints.

    The file is run by its path, so that the packages around it aren't imported: the process starts in a fraction of the
    time. Raises LimitExceeded after `seconds`, and if the process ends with an error.
    """
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(module)
    environment = {name: os.environ[name] for name in INHERITED if name in os.environ}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    # -P: the script's folder isn't searched for modules, where a platform.py would hide Python's own.
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", spec.origin, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=environment
    )
    try:
        async with asyncio.timeout(seconds):
            out, _ = await process.communicate(data)
    except TimeoutError as error:
        raise LimitExceeded(f"it took longer than {seconds:g} s") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise LimitExceeded(
            f"it needed too much memory or time, or crashed (exit status {process.returncode})"
        )
    return out


def limit_resources(*, memory: int, cpu_seconds: int) -> None:
    """Limit this process to `memory` bytes of private memory and to `cpu_seconds` of processor time."""
    limits = (
        (resource.RLIMIT_DATA, memory),
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_CORE, 0),
    )
    for kind, most in limits:
        with contextlib.suppress(ValueError, OSError):  # some systems lack some limits
            resource.setrlimit(kind, (most, most))
    with contextlib.suppress(OSError):
        os.nice(NICENESS)
