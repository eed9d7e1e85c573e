"""Simulated time: it stands still while a task works, and advances when all tasks sleep."""

import asyncio
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count


class SimulatedClock:
    """`sleepers` is the number of tasks on this clock: once all of them sleep, time jumps to the first to wake."""

    def __init__(self, at: datetime, sleepers: int) -> None:
        self.at = at
        self.sleepers = sleepers
        self._queue: list[tuple[datetime, int, asyncio.Future[None]]] = []
        self._order = count()

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        waking = asyncio.get_running_loop().create_future()
        heappush(self._queue, (self.at + timedelta(seconds=seconds), next(self._order), waking))
        self._advance()
        await waking

    async def until(self, moment: datetime) -> None:
        await self.sleep(max(0.0, (moment - self.at).total_seconds()))

    def add_sleepers(self, more: int) -> None:
        """Add `more` tasks that use this clock, or remove some if it is negative."""
        self.sleepers += more
        self._advance()

    def _advance(self) -> None:
        self._queue = [one for one in self._queue if not one[2].done()]
        if not self._queue or len(self._queue) < self.sleepers:
            return
        self.at = max(self.at, min(self._queue)[0])
        self._queue.sort()
        while self._queue and self._queue[0][0] <= self.at:
            heappop(self._queue)[2].set_result(None)
