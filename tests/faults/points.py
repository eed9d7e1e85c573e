"""A process dies before and after every single call to Redis and over HTTP."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

from aiohttp import ClientSession
from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

from bot.store.connect import client
from bot.store.outbox import outbox as outboxes
from tests.fake_platform import FakeService, Weather
from tests.faults.scene import Outcome, Size, forks, prepare
from tests.faults.worker import Plan, work_in_each, work_once
from tests.papers import a_channel
from tests.ports import free_port
from tests.servers import Server, serving

PACE = 1 / 100
AT_ONCE = 8
DATABASES = 512
CALLS = (
    (Redis, "execute_command"),
    (Pipeline, "execute"),
    (ClientSession, "_request"),
)


@dataclass(frozen=True)
class Fuse:
    """Kills the process with SIGKILL before or after its nth call."""

    nth: int
    after: bool

    def __call__(self) -> None:
        calls = count(1)
        for owner, name in CALLS:
            self._watch(owner, name, calls)

    def _watch(self, owner: Any, name: str, calls: "count[int]") -> None:
        original = getattr(owner, name)

        async def call(*args: Any, **kwargs: Any) -> Any:
            mine = next(calls) == self.nth
            if mine and not self.after:
                os.kill(os.getpid(), signal.SIGKILL)
            answer = await original(*args, **kwargs)
            if mine:
                os.kill(os.getpid(), signal.SIGKILL)
            return answer

        setattr(owner, name, call)


async def of_a_delivery(folder: Path, size: Size) -> Outcome:
    """For each call from the poll to the post, a process dies at it, and another one then finishes the work.

    At small size, only at every sixth call. At full size, also while the answer to each first post is lost, which needs
    reconciliation.
    """
    loop = asyncio.get_running_loop()
    began = loop.time()
    weathers = (Weather(), Weather(lose_first=True))
    tried: set[str] = set()
    posted: Counter[str] = Counter()
    kills = 0
    for n, weather in enumerate(weathers[: 2 if size.pace == 1 else 1]):
        server = Server(folder / f"redis{n}", free_port(), {"databases": str(DATABASES)})
        service = FakeService(weather=weather)
        service.listed = ["p1"]
        async with serving(server), service.serve():
            plan = Plan(redis_url=server.url, service_url=service.url, log=folder / "workers.log", pace=PACE)
            step = 1 if size.pace == 1 else 6
            for first in count(1, AT_ONCE // 2 * step):
                nths = range(first, first + AT_ONCE // 2 * step, step)
                fuses = [Fuse(nth, after) for nth in nths for after in (False, True)]
                names = [f"{n}-{fuse.nth}-{'after' if fuse.after else 'before'}" for fuse in fuses]
                died = await _try(plan, fuses, names)
                tried |= {str(a_channel(name)) for name in names}
                kills += sum(died)
                if not any(died):
                    break
            posted.update(channel for channel, _ in service.counts().elements())
    return Outcome(
        test="a kill at every call",
        deliveries=len(tried),
        kills=kills,
        lost=len(tried - set(posted)),
        doubled=sum(n - 1 for n in posted.values()),
        seconds=round(loop.time() - began, 1),
        note="before and after each call to Redis and over HTTP",
        fine=kills > 10,
    )


async def _try(plan: Plan, fuses: list[Fuse], names: list[str]) -> list[bool]:
    """For each fuse, run a process that dies at it, in a new database; then let one process finish all the work.

    Returns which processes died. One process works in all databases because starting one costs more than its work.
    """
    plans = [replace(plan, redis_url=f"{plan.redis_url}/{int(fuse.nth) * 2 + fuse.after}") for fuse in fuses]
    for one, name in zip(plans, names, strict=True):
        redis = client(one.redis_url)
        await prepare(redis, a_channel(name))
        await redis.aclose()
    codes = await asyncio.gather(
        *(_run(work_once, one, fuse) for one, fuse in zip(plans, fuses, strict=True))
    )
    await asyncio.sleep(outboxes.LEASE * PACE * 1.1)
    await _run(work_in_each, plans)
    return [code != 0 for code in codes]


async def _run(work: Callable[..., None], *args: object) -> int | None:
    process = forks.Process(target=work, args=args, daemon=True)
    process.start()
    await asyncio.to_thread(process.join, 30)
    return process.exitcode
