"""What was acknowledged and is not done yet. Bolt doesn't keep track of it."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from structlog import get_logger

_log = get_logger()


class Tasks:
    """Work that goes on after its request was acknowledged."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Do it now, beside everything else."""
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)

    async def drain(self, seconds: float) -> None:
        """Wait for what is running, but no longer than that; then end it."""
        while self._running:
            _, late = await asyncio.wait(tuple(self._running), timeout=seconds)
            for task in late:
                task.cancel()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()):
            _log.error("answer_failed", platform="slack", exc_info=error)
