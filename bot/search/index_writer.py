"""Writes the index in a process with low priority, so that indexing never delays an answer.

`writing(index)` starts the process and hands it papers as they are stored in Redis; run as a script, this module is
that process. An index in memory can only be written by the process that holds it.
"""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol, Self

from bot.limited_process import INHERITED, NICENESS, ROOT
from bot.search.index import Index
from bot.store import records

END_WITHIN = 10.0
"""Seconds that the process gets to finish its work. Commits are atomic, so it is safe to kill it."""


class IndexBusy(Exception):
    """Another process is writing this index."""


class IndexWriterFailed(OSError):
    """The process that writes the index ended early; the next attempt resumes from the last commit."""


class IndexWriter(Protocol):
    """Changes an index. Each call is one commit, which is on disk once the call returns."""

    async def write(self, stored: Sequence[str], removed: Sequence[str], position: int) -> None:
        """Add or replace the papers of these records, remove those with the ids `removed`, and store the position."""

    async def clear(self) -> None:
        """Remove everything."""


@asynccontextmanager
async def writing(index: Index) -> AsyncIterator[IndexWriter]:
    """Yield a writer for `index`. Raises IndexBusy; the writer's methods raise IndexWriterFailed."""
    if index.folder is None:
        index.become_writer()
        yield _InMemory(index)
        return
    writer = await _Process.start(index.folder.parent)
    try:
        if not await writer.can_write():
            raise IndexBusy(str(index.folder))
        yield writer
    finally:
        await writer.end()


class _InMemory:
    def __init__(self, index: Index) -> None:
        self._index = index

    async def write(self, stored: Sequence[str], removed: Sequence[str], position: int) -> None:
        await asyncio.to_thread(self._index.write, records.load_readable(stored), removed, position)

    async def clear(self) -> None:
        await asyncio.to_thread(self._index.clear)


class _Process:
    """The writer process (`main`), as seen by its parent."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, folder: Path) -> Self:
        environment = {name: os.environ[name] for name in INHERITED if name in os.environ}
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
        # -P: the script's folder isn't searched for modules.
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", __file__, str(folder), stdin=PIPE, stdout=PIPE, env=environment
        )
        return cls(process)

    async def can_write(self) -> bool:
        """Whether the process has become the index's writer. Call this once: it reads the process's first line."""
        return bool((await self._answer())["writer"])

    async def write(self, stored: Sequence[str], removed: Sequence[str], position: int) -> None:
        head = json.dumps({"records": len(stored), "gone": list(removed), "position": position})
        await self._ask("\n".join((head, *stored)))

    async def clear(self) -> None:
        await self._ask(json.dumps({"clear": True}))

    async def end(self) -> None:
        """Let the process finish its work, and kill it after END_WITHIN."""
        _input(self._process).close()
        try:
            async with asyncio.timeout(END_WITHIN):
                await self._process.wait()
        except TimeoutError:
            pass
        finally:
            if self._process.returncode is None:
                self._process.kill()
                await self._process.wait()

    async def _ask(self, text: str) -> None:
        try:
            _input(self._process).write(f"{text}\n".encode())
            await _input(self._process).drain()
        except ConnectionError as error:
            raise IndexWriterFailed("the process that writes the search index ended") from error
        await self._answer()

    async def _answer(self) -> Mapping[str, Any]:
        assert self._process.stdout is not None  # noqa: S101  # the process is started with a pipe
        line = await self._process.stdout.readline()
        if not line:
            raise IndexWriterFailed("the process that writes the search index ended")
        answer: Mapping[str, Any] = json.loads(line)
        return answer


def _input(process: asyncio.subprocess.Process) -> asyncio.StreamWriter:
    assert process.stdin is not None  # noqa: S101  # the process is started with a pipe
    return process.stdin


def serve(index: Index, lines: Iterable[str], answer: Callable[[object], None]) -> None:
    """Carry out the tasks in `lines` until they end. A task is a line of JSON, then as many records as it says."""
    rest = iter(lines)
    for head in rest:
        task = json.loads(head)
        if task.get("clear"):
            index.clear()
        else:
            stored = [next(rest) for _ in range(task["records"])]
            index.write(records.load_readable(stored), task["gone"], task["position"])
        answer({"papers": index.papers})


def _print(answer: object) -> None:
    sys.stdout.write(f"{json.dumps(answer)}\n")
    sys.stdout.flush()


def main() -> None:
    """Write the index in the folder of the first argument until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes; the parent ends this one
    os.nice(NICENESS)
    index = Index(Path(sys.argv[1]))
    try:
        writer = index.folder is not None and index.become_writer()
        _print({"writer": writer})
        if writer:
            serve(index, sys.stdin, _print)
    finally:
        index.close()


if __name__ == "__main__":
    main()
