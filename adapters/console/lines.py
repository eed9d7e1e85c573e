"""Lines of standard input as they arrive, from a pipe, a file, a terminal, or nothing at all."""

import asyncio
import codecs
import os
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from threading import Thread

CHUNK = 65_536
_EXIT = frozenset({"exit", "quit", "bye", ":q"})


def is_exit(line: str) -> bool:
    """Whether a typed line asks to leave."""
    return line.strip().lower() in _EXIT


async def lines(descriptor: int) -> AsyncIterator[str]:
    """Yield each line without its line end, until the input ends.

    A separate thread reads, because the event loop can't wait for every kind of input. It reads the descriptor, not
    `sys.stdin`, and is a daemon, so that a blocked read doesn't keep the program running.
    """
    loop = asyncio.get_running_loop()
    received: asyncio.Queue[str | None] = asyncio.Queue()

    def deliver(line: str | None) -> None:
        loop.call_soon_threadsafe(received.put_nowait, line)

    def read() -> None:
        with suppress(RuntimeError):  # the loop is closed, so nothing reads lines any more
            _read(descriptor, deliver)

    Thread(target=read, name="standard input", daemon=True).start()
    while (line := await received.get()) is not None:
        yield line


def _read(descriptor: int, deliver: Callable[[str | None], None]) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    rest = ""
    try:
        while chunk := os.read(descriptor, CHUNK):
            *whole, rest = (rest + decoder.decode(chunk)).split("\n")
            for line in whole:
                deliver(line.rstrip("\r"))
    except OSError:  # no standard input at all
        pass
    rest += decoder.decode(b"", final=True)
    if rest:
        deliver(rest)
    deliver(None)
