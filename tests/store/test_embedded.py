"""One server for a data folder, whatever happens to the programs that use it."""

import asyncio
import os
import signal
import stat
import sys
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bot.domain.errors import ConfigurationError
from bot.store import embedded
from bot.store.connect import connect, syncs_every_write
from bot.store.embedded import EmbeddedServer

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
    print(flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


def server_pid(server: EmbeddedServer) -> int:
    return int((server.folder / "valkey" / "valkey.pid").read_text())


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(") ")[1][0] != "Z"
    except FileNotFoundError:
        return False


async def killed_app(folder: Path, word: str) -> None:
    """An app that wrote something and was killed."""
    app = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED_APP, str(folder), word, stdout=asyncio.subprocess.PIPE
    )
    assert app.stdout is not None
    assert await app.stdout.readline()
    os.killpg(app.pid, signal.SIGKILL) if os.getpgid(app.pid) == app.pid else app.kill()
    await app.wait()


async def test_it_is_ready_at_once_and_keeps_every_write(tmp_path: Path) -> None:
    started = asyncio.get_running_loop().time()
    async with EmbeddedServer(tmp_path) as server:
        assert asyncio.get_running_loop().time() - started < 2
        redis = await connect(server.url)
        assert await syncs_every_write(redis)
        assert (await redis.config_get("port"))["port"] == "0"
        await redis.set("kept", "yes")
        await redis.aclose()
        pid = server_pid(server)
    assert not lives(pid)
    async with EmbeddedServer(tmp_path) as server, await connect(server.url) as redis:
        assert await redis.get("kept") == "yes"


async def test_programs_on_one_folder_share_a_server_and_the_last_one_stops_it(tmp_path: Path) -> None:
    first, second = EmbeddedServer(tmp_path), EmbeddedServer(tmp_path)
    await asyncio.gather(first.start(), second.start())
    pid = server_pid(first)
    await first.stop()
    assert lives(pid)
    async with await connect(second.url) as redis:
        assert await redis.ping()
    await second.stop()
    assert not lives(pid)


async def test_a_killed_apps_server_is_taken_over_with_its_data(tmp_path: Path) -> None:
    await killed_app(tmp_path, "by the first")
    async with EmbeddedServer(tmp_path) as server:
        pid = server_pid(server)
        async with await connect(server.url) as redis:
            assert await redis.get("kept") == "by the first"
    assert not lives(pid)


async def test_a_killed_server_is_replaced(tmp_path: Path) -> None:
    await killed_app(tmp_path, "one")
    os.kill(int((tmp_path / "valkey" / "valkey.pid").read_text()), signal.SIGKILL)
    async with EmbeddedServer(tmp_path) as server, await connect(server.url) as redis:
        assert await redis.get("kept") == "one"


async def test_no_second_server_starts_beside_one_that_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "READY_WITHIN", 0.1)
    async with EmbeddedServer(tmp_path) as server:
        server.socket.rename(tmp_path / "hidden.sock")  # it lives, and can't be reached
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


async def test_a_folder_that_cannot_be_used_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="PAPERBOY_DATA_DIR"):
        await EmbeddedServer(tmp_path / "file").start()


async def test_a_broken_file_is_never_mended_by_itself(tmp_path: Path) -> None:
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
    with pytest.raises(ConfigurationError, match="does not start"):
        await EmbeddedServer(tmp_path).start()
    assert file.read_bytes() == content
