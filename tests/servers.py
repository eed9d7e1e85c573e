"""Real Valkey servers for tests: one that can be killed, a Cluster with replicas, a primary watched by sentinels."""

import asyncio
import signal
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.store.embedded_process import server_programs
from tests.ports import free_ports
from tests.waiting import until

HOST = "127.0.0.1"
SLOTS = 16384
UP_WITHIN = 20.0


@dataclass
class Server:
    """A Valkey server that keeps its data in `folder` and can be killed and started again."""

    folder: Path
    port: int
    options: dict[str, str] = field(default_factory=dict)
    words: Sequence[str] = ()
    process: Process | None = None

    @property
    def url(self) -> str:
        return f"redis://{HOST}:{self.port}"

    def client(self) -> Redis:
        return Redis(host=HOST, port=self.port, decode_responses=True, socket_timeout=2)

    async def start(self) -> None:
        """Start it, and wait until it has read its data."""
        self.folder.mkdir(parents=True, exist_ok=True)
        usual = {
            "port": str(self.port),
            "bind": HOST,
            "dir": str(self.folder),
            "logfile": str(self.folder / "log"),
            "save": "",
            "appendonly": "yes",
            "maxmemory-policy": "noeviction",
            "repl-diskless-sync-delay": "0",
        }
        options = {} if self.words else usual | self.options
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        command = (str(next(server_programs())), *self.words, *words)
        self.process = await asyncio.create_subprocess_exec(*command, stdout=DEVNULL, stderr=DEVNULL)
        await until_a_server_says(self._answers, f"the server in {self.folder} to answer")

    async def kill(self) -> None:
        """Kill it as a power cut would, except that data passed to the kernel survive."""
        self.send(signal.SIGKILL)
        if self.process is not None:
            await self.process.wait()

    def send(self, what: signal.Signals) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(what)

    async def _answers(self) -> bool:
        async with self.client() as redis:
            return bool(await redis.ping())


@asynccontextmanager
async def serving(server: Server) -> AsyncIterator[Server]:
    """Start the server, and kill it at the end."""
    await server.start()
    try:
        yield server
    finally:
        server.send(signal.SIGCONT)
        await server.kill()


@dataclass
class Cluster:
    """Three primaries, each with a replica."""

    servers: list[Server]

    @property
    def url(self) -> str:
        return f"redis+cluster://{HOST}:{self.servers[0].port}"

    async def primary_of(self, key: str) -> Server:
        """Return the server that is the key's primary now."""
        async with self.servers[-1].client() as redis:
            slot = int(await _ask(redis, "CLUSTER KEYSLOT", key))
            ranges: Any = await _ask(redis, "CLUSTER SLOTS")
        port = next(int(primary[1]) for first, last, primary, *_ in ranges if first <= slot <= last)
        return next(server for server in self.servers if server.port == port)


@asynccontextmanager
async def cluster(folder: Path, **options: str) -> AsyncIterator[Cluster]:
    """Yield a Cluster of six servers that fails over about two seconds after a primary died."""
    ports = free_ports(12)
    async with AsyncExitStack() as stack:
        servers = []
        for n in range(6):
            bus = {
                "cluster-enabled": "yes",
                "cluster-port": str(ports[6 + n]),
                "cluster-node-timeout": "1000",
            }
            server = Server(
                folder / f"node{n}", ports[n], bus | {"cluster-replica-validity-factor": "0"} | options
            )
            servers.append(await stack.enter_async_context(serving(server)))
        clients = [await stack.enter_async_context(server.client()) for server in servers]
        await _join(clients, list(zip(ports[:6], ports[6:], strict=True)))
        yield Cluster(servers)


async def _join(clients: list[Redis], ports: list[tuple[int, int]]) -> None:
    for n, redis in enumerate(clients[:3]):
        await _ask(redis, "CLUSTER ADDSLOTSRANGE", SLOTS * n // 3, SLOTS * (n + 1) // 3 - 1)
        await _ask(redis, "CLUSTER SET-CONFIG-EPOCH", n + 1)
    for port, bus in ports[1:]:
        await _ask(clients[0], "CLUSTER MEET", HOST, port, bus)

    async def everyone_knows_six() -> bool:
        infos = [await _ask(redis, "CLUSTER INFO") for redis in clients]
        return all(info["cluster_known_nodes"] == "6" and info["cluster_state"] == "ok" for info in infos)

    await until_a_server_says(everyone_knows_six, "the Cluster to form")
    for primary, replica in zip(clients[:3], clients[3:], strict=True):
        await _ask(replica, "CLUSTER REPLICATE", await _ask(primary, "CLUSTER MYID"))

    async def replicas_are_linked() -> bool:
        infos = [await redis.info("replication") for redis in clients[3:]]
        return all(info.get("master_link_status") == "up" for info in infos)

    await until_a_server_says(replicas_are_linked, "the replicas to follow")


@dataclass
class Watched:
    """A primary, its replica, and three sentinels that replace the primary with the replica."""

    servers: list[Server]
    sentinels: list[Server]

    @property
    def url(self) -> str:
        hosts = ",".join(f"{HOST}:{sentinel.port}" for sentinel in self.sentinels)
        return f"redis+sentinel://{hosts}/paperboy"

    async def primary(self) -> Server:
        """Return the primary according to the sentinels."""
        async with self.sentinels[0].client() as redis:
            _, port = await _ask(redis, "SENTINEL GET-MASTER-ADDR-BY-NAME", "paperboy")
        return next(server for server in self.servers if server.port == int(port))


@asynccontextmanager
async def watched(folder: Path) -> AsyncIterator[Watched]:
    """Yield servers that fail over about two seconds after the primary died."""
    ports = free_ports(5)
    async with AsyncExitStack() as stack:
        servers = [
            Server(folder / "one", ports[0]),
            Server(folder / "two", ports[1], {"replicaof": f"{HOST} {ports[0]}"}),
        ]
        sentinels = [_sentinel(folder / f"sentinel{n}", port, ports[0]) for n, port in enumerate(ports[2:])]
        for server in (*servers, *sentinels):
            await stack.enter_async_context(serving(server))
        clients = [await stack.enter_async_context(sentinel.client()) for sentinel in sentinels]

        async def everyone_knows_everyone() -> bool:
            states: list[Any] = [await redis.sentinel_master("paperboy") for redis in clients]
            return all(s["num-other-sentinels"] == 2 and s["num-slaves"] == 1 for s in states)

        await until_a_server_says(everyone_knows_everyone, "the sentinels to know each other")
        yield Watched(servers, sentinels)


def _sentinel(folder: Path, port: int, primary: int) -> Server:
    folder.mkdir(parents=True)
    config = folder / "sentinel.conf"
    config.write_text(
        f"port {port}\nbind {HOST}\ndir {folder}\nlogfile {folder / 'log'}\n"
        f"sentinel monitor paperboy {HOST} {primary} 2\n"
        "sentinel down-after-milliseconds paperboy 1000\nsentinel failover-timeout paperboy 3000\n"
    )
    return Server(folder, port, words=(str(config), "--sentinel"))


def _ask(redis: Redis, *words: str | int) -> Any:
    """Execute a command for which the client has no method."""
    return redis.execute_command(*words)  # type: ignore[no-untyped-call]  # redis-py leaves it untyped


async def until_a_server_says(
    holds: Callable[[], Coroutine[Any, Any, bool]], what: str, *, within: float = UP_WITHIN
) -> None:
    """Wait with `until`; an unreachable server counts as "not yet"."""
    await until(holds, what, within=within, ignore=(RedisError, OSError))
