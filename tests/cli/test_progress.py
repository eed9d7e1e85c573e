"""Progress of commands is shown on a terminal; a pipe gets only the command's output."""

import asyncio
import json
import os
import pty
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest

from tests.program import ROOT, environment


async def at_a_terminal(words: list[str], env: Mapping[str, str], *, output_too: bool) -> tuple[str, str]:
    """Run a command. Returns the text on the terminal, and in the pipe if standard output is one."""
    ours, theirs = pty.openpty()
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", *words,
            env={**env, "TERM": "xterm"}, cwd=ROOT, stdin=DEVNULL, stdout=theirs if output_too else PIPE, stderr=theirs,
        )  # fmt: skip
    finally:
        os.close(theirs)
    reading = asyncio.create_task(asyncio.to_thread(read_all, ours))
    out, _ = await process.communicate()
    seen = await reading
    os.close(ours)
    return seen, (out or b"").decode()


def read_all(terminal: int) -> str:
    seen = b""
    with suppress(OSError):  # EIO: the program has ended
        while more := os.read(terminal, 65_536):
            seen += more
    return seen.decode()


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    file = tmp_path / "papers.jsonl"
    paper = {"id": "2605.00001", "title": "A paper", "abstract": "On it.", "authors": "Ada"}
    file.write_text(json.dumps({**paper, "published": "2026-05-01T00:00:00Z"}))
    return file


@pytest.mark.parametrize(
    ("words", "shown", "printed"),
    [
        (["doctor", "--json"], "Checking …", "["),
        (["status"], "Reading the status …", "Paperboy at"),
        (["deliveries", "list"], "Looking for posts …", "No posts need a decision."),
        (["import"], "Opening the database …", "Imported: nothing."),
        (["run", "--once"], "Reading the sources …", ""),
        (["backfill", "--from", "{papers}"], "Reading papers.jsonl", "1 new papers"),
    ],
)
async def test_progress_is_shown_on_the_terminal_only(
    words: list[str], shown: str, printed: str, tmp_path: Path, papers: Path
) -> None:
    words = [word.format(papers=papers) for word in words]
    seen, out = await at_a_terminal(words, environment(tmp_path / "data"), output_too=False)
    assert shown in seen
    assert out.startswith(printed)
    assert "\x1b" not in out


async def test_findings_are_shown_above_the_progress_line(tmp_path: Path) -> None:
    seen, _ = await at_a_terminal(["doctor"], environment(tmp_path / "data"), output_too=True)
    assert "Checking …" in seen
    lines = [line.rpartition("\x1b[2K")[2] for line in seen.splitlines()]
    assert any(line.startswith("ok    redis: ") for line in lines), seen
    assert any(line.startswith("FAIL  network: ") for line in lines), seen
