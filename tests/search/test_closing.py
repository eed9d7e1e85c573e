"""An index can be closed at any moment, even while a thread is writing to it."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from threading import Event

from bot.domain.models import Paper
from bot.search.index import Index
from tests.papers import a_paper


async def test_closing_waits_for_a_running_write(tmp_path: Path) -> None:
    index, begun = Index(tmp_path), Event()
    assert index.become_writer()

    def papers() -> Iterator[Paper]:
        for n in range(500):
            begun.set()
            yield a_paper(f"2603.{n:05}", abstract="words " * 100)

    writing = asyncio.create_task(asyncio.to_thread(index.write, papers(), (), 7))
    await asyncio.to_thread(begun.wait)
    await asyncio.to_thread(index.close)
    await writing
    assert Index(tmp_path).position == 7
