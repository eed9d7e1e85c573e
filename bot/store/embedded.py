"""The embedded Valkey server, for installations without a REDIS_URL: one per data folder, restarted if it dies."""

import asyncio
import contextlib
import fcntl
import os
import stat
from collections.abc import AsyncIterator
from hashlib import blake2b
from pathlib import Path
from typing import Self
from urllib.parse import quote
from weakref import WeakKeyDictionary

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from structlog import get_logger

from bot.domain.errors import ConfigurationError
from bot.store import embedded_process
from bot.store.embedded_process import DataFiles, Process, spawn
from bot.store.worker_loop import backoff

LONGEST_SOCKET_PATH = 100
"""Maximum length of a socket's path, in bytes. Linux takes 107, macOS 103."""
READY_WITHIN = 60.0
"""Seconds for the server to read a large data folder; a small one takes a tenth of a second."""
GONE_WITHIN = 8.0
"""Seconds for the server to end; then it is killed, which loses no write that was answered."""
CHECK_EVERY = 0.01
"""Seconds between two checks while waiting for a lock or the server."""
WATCH_EVERY = 1.0
"""Seconds between two checks of whether the server still runs."""
LONGEST_RELAUNCH_BACKOFF = 60.0
"""Maximum number of seconds between two attempts to restart a server that died."""

_log = get_logger()
_servers: WeakKeyDictionary[Redis, "EmbeddedServer"] = WeakKeyDictionary()


def problem_of(redis: Redis) -> str | None:
    """Return why the embedded server behind a client has stopped; None if it runs, or if it isn't an embedded one."""
    server = _servers.get(redis)
    return server.problem if server else None


class EmbeddedServer:
    """Runs Valkey on a unix socket in `folder`, or shares the one that runs there.

    Programs on one folder share one server, and the last to leave stops it: `paperboy doctor` works while `paperboy
    run` does, and roles can run as separate processes without another server. A program that was killed leaves the
    server running with nothing lost, and the next one takes it over. A server that dies is restarted.

    Three locks make that safe, each released by the kernel when its holder dies: `starting` is held for a moment by a
    program that starts or stops the server, `users` is shared by the programs, and `server` is inherited and held by
    the server itself. A server that doesn't answer still holds it, so that no second one starts, which would truncate
    the first one's files.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.socket = _socket_path(self.folder / "valkey")
        self.alone = True
        """Whether no other program used the server when this one started."""
        self.problem: str | None = None
        """Reason why the server has stopped, such as `its disk is full`; None while it runs."""
        self._data = self.folder / "valkey"
        self._files = DataFiles(self._data)
        self._users: int | None = None
        self._child: Process | None = None
        self._watching: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """The address for `connect`."""
        return f"unix://{quote(str(self.socket))}"

    def serves(self, redis: Redis) -> None:
        """Register a client of this server, for `problem_of`."""
        _servers[redis] = self

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Make sure that the server answers, and watch it from now on. Raises ConfigurationError with the reason."""
        try:
            self._data.mkdir(mode=0o700, parents=True, exist_ok=True)
            _open_private(self.socket.parent, ours=self._data)
            async with self._lock("starting"):
                if not await self._adopt():
                    await self._launch()
                self._users = _open(self._data / "users.lock")
                self.alone = _locked(self._users, fcntl.LOCK_EX)
                fcntl.flock(self._users, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise ConfigurationError(
                f"The data folder {self.folder} can't be used: {reason}. Make it writable for this user, or set "
                "PAPERBOY_DATA_DIR to a folder that is."
            ) from None
        self._watching = asyncio.create_task(self._watch(), name="embedded server")

    async def stop(self) -> None:
        """Stop using the server. It shuts down, with everything written, unless another program uses it."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait({self._watching})
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
                self._child.returncode = 0  # it runs on for others: Popen must not warn about that
            self._child = None

    async def _watch(self) -> None:
        """Restart the server whenever it dies, with backoff."""
        failures = 0
        while True:
            await asyncio.sleep(WATCH_EVERY if not failures else backoff(failures, LONGEST_RELAUNCH_BACKOFF))
            try:
                if not failures:
                    if self._is_held():
                        continue
                    self._died()
                async with self._lock("starting"):
                    if not await self._adopt():
                        await self._launch()
            except (ConfigurationError, OSError) as error:
                failures += 1
                self.problem = str(error).rstrip(".")
                _log.error("database_not_restarted", reason=str(error), failures=failures)
            else:
                failures, self.problem = 0, None
                _log.warning("database_restarted", folder=str(self.folder))

    def _died(self) -> None:
        returncode = None
        if self._child is not None:
            returncode, self._child = self._child.wait(), None
        reason = self._files.why_it_ended(returncode)
        self.problem = reason
        _log.error("database_died", folder=str(self.folder), reason=reason, exit_code=returncode)

    async def _adopt(self) -> bool:
        """Whether a server holds this folder and answers; waits for one that is starting or ending."""
        deadline = asyncio.get_running_loop().time() + READY_WITHIN
        while self._is_held():
            if await self._answers():
                return True
            if asyncio.get_running_loop().time() > deadline:
                raise ConfigurationError(
                    f"A database server holds {self.folder} but does not answer. End it (it is process "
                    f"{self._pid()}), or set PAPERBOY_DATA_DIR to another folder."
                )
            await asyncio.sleep(CHECK_EVERY)
        return False

    async def _launch(self) -> None:
        """Start a server. Raises ConfigurationError with the reason if none starts."""
        is_new = self._files.check()
        before = self._files.last_words()
        for program in embedded_process.server_programs():
            if await self._start(program):
                self._files.mark()
                if is_new:
                    _log.info("database_created", folder=str(self.folder), program=str(program))
                return
            if self._files.last_words() != before:  # it ran, and logged what is wrong
                break
        else:
            raise ConfigurationError(
                "There is no database server for this machine. Install valkey-server (8.0 or newer) or redis-server "
                "(7.0 or newer), or set REDIS_URL to a server that runs elsewhere."
            )
        reason = self._files.why_it_ended(self._child.poll() if self._child else None)
        if self._child is not None and self._child.poll() is None:
            self._child.returncode = 0  # it still reads its data: the next attempt takes it over
        self._child = None
        raise ConfigurationError(f"The database of {self.folder} does not start: {reason}.")

    async def _start(self, program: Path) -> bool:
        """Start a program as our server, and return whether it answers."""
        self.socket.unlink(missing_ok=True)
        lock = _open(self._data / "server.lock")
        try:
            if not _locked(lock, fcntl.LOCK_EX):
                raise ConfigurationError(f"A database server has just started in {self.folder}; try again.")
            self._child = spawn(program, self._data, self.socket, lock)
        except OSError as error:
            _log.warning("database_program_failed", program=str(program), reason=str(error))
            return False
        finally:
            os.close(lock)  # the server's copy keeps the lock
        deadline = asyncio.get_running_loop().time() + READY_WITHIN
        while not await self._answers():
            if self._child.poll() is not None or asyncio.get_running_loop().time() > deadline:
                return False
            await asyncio.sleep(CHECK_EVERY)
        return True

    async def _shut_down(self) -> None:
        with contextlib.suppress(RedisError, OSError):
            async with _client(self.socket) as redis:
                await redis.shutdown()
        deadline = asyncio.get_running_loop().time() + GONE_WITHIN
        while self._is_held():
            if self._child is not None and asyncio.get_running_loop().time() > deadline:
                self._child.kill()  # nothing is lost: every write that was answered is on the disk
            await asyncio.sleep(CHECK_EVERY)
        self.socket.unlink(missing_ok=True)

    async def _answers(self) -> bool:
        try:
            async with _client(self.socket) as redis:
                return bool(await redis.ping())
        except (RedisError, OSError):
            return False

    def _is_held(self) -> bool:
        """Whether a server of this folder runs, whether it answers or not."""
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
                await asyncio.sleep(CHECK_EVERY)
            yield
        finally:
            os.close(lock)

    def _pid(self) -> str:
        with contextlib.suppress(OSError):
            return (self._data / "valkey.pid").read_text("utf-8").strip()
        return "unknown"


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
    """Take a lock without waiting. Returns False if another process holds it."""
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _socket_path(data: Path) -> Path:
    """Return a path in the data folder or, if it is too long for a socket, in a private folder with a short name."""
    path = data / "valkey.sock"
    if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
        return path
    name = blake2b(os.fsencode(data), digest_size=8).hexdigest()
    return Path(f"/tmp/paperboy-{os.getuid()}") / f"{name}.sock"  # noqa: S108  # checked to be private


def _open_private(folder: Path, *, ours: Path) -> None:
    """Make the socket's folder. Raises PermissionError for a folder in /tmp that other users could write to."""
    if folder == ours:
        return
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise PermissionError(f"{folder} is not private to this user")
