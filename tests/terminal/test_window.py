"""Closing the window of a terminal in which Paperboy runs."""

import asyncio
import os
import pty
import sys
from pathlib import Path

from tests.program import ROOT, environment, servers


async def test_closing_the_window_ends_the_program_and_its_server(tmp_path: Path) -> None:
    window, inside = pty.openpty()
    env = {**environment(tmp_path), "PAPERBOY_CONSOLE_FORMAT": "rich", "TERM": "xterm"}
    bot = await asyncio.create_subprocess_exec(
        "env", "--default-signal=HUP", "setsid", "--ctty", sys.executable, "-m", "bot", "run",
        stdin=inside, stdout=inside, stderr=inside, env=env, cwd=ROOT,
    )  # fmt: skip
    os.close(inside)
    try:
        async with asyncio.timeout(30):
            shown = await _read_until(window, b"Or begin with one of these:")
        assert b"New research papers appear here" in shown
        assert len(servers(tmp_path)) == 1
        os.close(window)
        async with asyncio.timeout(15):
            await bot.wait()  # any exit code: Python can no longer flush its output
        assert servers(tmp_path) == []
    finally:
        if bot.returncode is None:
            bot.kill()
            await bot.wait()


async def _read_until(window: int, wanted: bytes) -> bytes:
    shown = b""
    while wanted not in shown:
        shown += await asyncio.to_thread(os.read, window, 65536)
    return shown
