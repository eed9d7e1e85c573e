"""The setting of the faults: a platform that counts posts, a server, and the bot's processes, any of which can die."""

import asyncio
import os
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from time import monotonic

from redis.asyncio import Redis

from bot.domain.models import ChannelRef, ChannelSettings
from bot.store.channel_rules import ChannelSettingsStore
from bot.store.connect import client
from bot.store.subscriptions import Subscriptions
from tests.fake_platform import FakeService, Weather
from tests.faults.worker import Plan, work
from tests.papers import a_channel
from tests.ports import free_port
from tests.servers import Server, serving

forks = get_context("forkserver")
forks.set_forkserver_preload(["tests.faults.worker"])

ROLES = ("poller", "fanout", "delivery")


@dataclass(frozen=True, kw_only=True)
class Size:
    """The size of a run: small in `make test`, full in `make faults`."""

    channels: int = 50
    papers: int = 40
    kills: int = 30
    pace: float = 1.0
    seed: int = 1

    @property
    def deliveries(self) -> int:
        return self.channels * self.papers

    @property
    def patience(self) -> float:
        """Seconds within which everything must be posted after the last fault: 120 at the real pace."""
        return max(20.0, 120 * self.pace)


SMALL = Size(channels=10, papers=10, kills=4, pace=1 / 40)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A row of the table."""

    test: str
    deliveries: int
    kills: int
    lost: int
    doubled: int
    seconds: float
    note: str = ""
    fine: bool = True
    """Whether the other conditions of the test hold."""

    @property
    def holds(self) -> bool:
        return not self.lost and not self.doubled and self.fine


@dataclass
class Scene:
    """The platform, the server's address, and the running processes."""

    service: FakeService
    plan: Plan
    size: Size
    processes: list[tuple[Plan, ForkServerProcess]] = field(default_factory=list)
    kills: int = 0
    server: Server | None = None

    def __post_init__(self) -> None:
        self.random = random.Random(self.size.seed)
        self.channels = [a_channel(f"C{n}", f"T{n % 5}") for n in range(self.size.channels)]
        self.began = monotonic()

    @property
    def papers(self) -> list[str]:
        """Ids of all papers that the source lists by the end."""
        return [f"p{n:04}" for n in range(self.size.papers)]

    @property
    def wanted(self) -> Counter[tuple[str, str]]:
        """The expected posts, each once, as (channel, paper)."""
        return Counter((str(channel), paper) for channel in self.channels for paper in self.papers)

    async def prepare(self) -> None:
        """Subscribe every channel to all papers, each paper in a separate message."""
        redis = client(self.plan.redis_url)
        await asyncio.gather(*(prepare(redis, channel) for channel in self.channels))
        await redis.aclose()

    def start(self, role: str | Iterable[str], **changes: object) -> ForkServerProcess:
        """Start another process of the bot."""
        roles = (role,) if isinstance(role, str) else tuple(role)
        plan = replace(self.plan, roles=roles, **changes)  # type: ignore[arg-type]  # its fields
        process = forks.Process(target=work, args=(plan,), daemon=True)
        process.start()
        self.processes.append((plan, process))
        return process

    def kill(self) -> None:
        """Send SIGKILL to a random process, and start a replacement at once."""
        place = self.random.randrange(len(self.processes))
        plan, process = self.processes.pop(place)
        process.kill()
        process.join()
        self.kills += 1
        self.start(plan.roles)

    def of(self, role: str) -> list[ForkServerProcess]:
        """Return the processes of one role."""
        return [process for plan, process in self.processes if role in plan.roles]

    async def list_papers(self, over: float) -> None:
        """Let the source list one paper after the other, evenly spread over `over` seconds."""
        for paper in self.papers:
            self.service.listed.append(paper)
            await asyncio.sleep(over / self.size.papers)

    async def until_done(self, patience: float | None = None, but: int = 0) -> float:
        """Wait, at most `patience` seconds, until all but the last `but` papers are posted. Returns the seconds."""
        began = monotonic()
        end = began + (patience or self.size.patience)
        papers = set(self.papers[: len(self.papers) - but])
        wanted = {pair for pair in self.wanted if pair[1] in papers}
        while not wanted <= set(self.service.counts()) and monotonic() < end:  # noqa: ASYNC110  # the service knows
            await asyncio.sleep(0.05)
        return monotonic() - began

    def outcome(self, test: str, note: str = "", *, fine: bool = True) -> Outcome:
        """Count what was posted, and return the table's row."""
        counts = self.service.counts()
        return Outcome(
            test=test,
            deliveries=self.wanted.total(),
            kills=self.kills,
            lost=len(set(self.wanted) - set(counts)),
            doubled=sum(n - 1 for n in counts.values()),
            seconds=round(monotonic() - self.began, 1),
            note=note,
            fine=fine and set(counts) <= set(self.wanted),
        )

    async def stop(self) -> list[int | None]:
        """Send SIGTERM to all processes. Returns their exit codes; None for one that didn't end within 20 s."""
        for _, process in self.processes:
            process.terminate()
        await asyncio.to_thread(_join, [process for _, process in self.processes], 20.0)
        codes = [process.exitcode for _, process in self.processes]
        for _, process in self.processes:
            if process.is_alive():
                process.kill()
                process.join()
        self.processes.clear()
        return codes


@asynccontextmanager
async def alone(folder: Path, size: Size, weather: Weather | None = None) -> AsyncIterator[Scene]:
    """Yield a scene with its own server, which syncs once a second, as most do."""
    server = Server(folder / "redis", free_port())
    async with serving(server), scene(server.url, folder, size, weather) as here:
        here.server = server
        yield here


@asynccontextmanager
async def scene(
    redis_url: str, folder: Path, size: Size, weather: Weather | None = None
) -> AsyncIterator[Scene]:
    """Yield a scene; its processes are killed at the end."""
    service = FakeService(weather=weather, seed=size.seed)
    async with service.serve():
        plan = Plan(redis_url=redis_url, service_url=service.url, log=folder / "workers.log", pace=size.pace)
        here = Scene(service, plan, size)
        await here.prepare()
        try:
            yield here
        finally:
            for _, process in here.processes:
                process.kill()
                process.join()


async def prepare(redis: Redis, channel: ChannelRef) -> None:
    """Subscribe the channel to diffusion, with each paper in a separate message."""
    await Subscriptions(redis).add(channel, "diffusion", "now", "U1")
    await ChannelSettingsStore(redis).put(channel, ChannelSettings(digest_size=1000))


def _join(processes: Sequence[ForkServerProcess], patience: float) -> None:
    end = monotonic() + patience
    for process in processes:
        process.join(max(0.0, end - monotonic()))


def send(process: ForkServerProcess, what: signal.Signals) -> None:
    """Send a signal to the process."""
    if process.pid is not None:
        os.kill(process.pid, what)
