"""Connections have deadlines and limits, so that strangers can't use up file descriptors or fill the log."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from ipaddress import ip_network

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from redis.asyncio import Redis
from structlog.testing import capture_logs

from bot.domain.errors import ConfigurationError
from bot.web import connections
from bot.web.connections import ConnectionLimits
from bot.web.requests import Network, client_of, decode
from tests.failing_core import FailingCore
from tests.ports import free_port
from tests.waiting import until
from tests.web.site import a_website

LOOPBACK = ip_network("127.0.0.0/8")


@asynccontextmanager
async def serving(redis: Redis) -> AsyncIterator[int]:
    """Run the website on a port, as the program does."""
    port = free_port()
    async with a_website(redis, port=port) as website:
        running = asyncio.create_task(website.run(FailingCore()))
        async with asyncio.timeout(20):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    await asyncio.sleep(0.01)
                else:
                    await close(writer)
                    break
        try:
            yield port
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


async def is_closed(reader: asyncio.StreamReader) -> bool:
    """Whether the server closes the connection, with or without an answer."""
    with suppress(ConnectionError):
        async with asyncio.timeout(20):
            await reader.read()
    return True


async def answers(port: int) -> bool:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        async with asyncio.timeout(20):
            return b" 200 " in await reader.readline()
    except ConnectionError:
        return False
    finally:
        await close(writer)


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "])
async def test_a_connection_whose_head_does_not_arrive_is_closed(
    redis: Redis, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr("bot.web.server.HEAD_SECONDS", 0.3)
    async with serving(redis) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        dripping = asyncio.create_task(drip(writer))
        assert await is_closed(reader)
        dripping.cancel()
        await close(writer)
        assert await answers(port)


async def close(*writers: asyncio.StreamWriter) -> None:
    for writer in writers:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def drip(writer: asyncio.StreamWriter) -> None:
    """Send a byte at intervals, as slow-loris attacks do."""
    while not writer.is_closing():
        writer.write(b"x")
        await asyncio.sleep(0.05)


async def test_connections_per_peer_are_limited(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MAX_PER_PEER", 3)
    with capture_logs() as logs:
        async with serving(redis) as port:
            opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(30)]
            assert [await is_closed(reader) for reader, _ in opened[3:]] == [True] * 27
            await close(*(writer for _, writer in opened))
            await until(lambda: answers(port), "the server to notice the closed connections")
    refused = [entry for entry in logs if entry["event"] == "connections_refused"]
    assert len(refused) == 1


def test_limits_count_open_connections() -> None:
    limits = ConnectionLimits(asyncio.Protocol, trusted=[LOOPBACK], total=5, per_peer=2)
    assert [limits.enter("192.0.2.1") for _ in range(3)] == [True, True, False]
    assert [limits.enter("127.0.0.1") for _ in range(4)] == [True, True, True, False]
    limits.leave("192.0.2.1")
    assert limits.enter("192.0.2.2")


def test_the_limit_of_connections_is_below_that_of_descriptors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resource.getrlimit", lambda _kind: (256, 4096))
    assert connections.max_connections() == 128
    monkeypatch.setattr("resource.getrlimit", lambda _kind: (1_000_000, 1_000_000))
    assert connections.max_connections() == connections.MAX_CONNECTIONS


async def test_a_port_in_use_is_named_in_the_error(redis: Redis) -> None:
    async with serving(redis) as port, a_website(redis, port=port) as website:
        with pytest.raises(ConfigurationError, match=f"PORT: can't listen on {port}"):
            await website.run(FailingCore())


@pytest.mark.parametrize(
    ("trusted", "forwarded", "client"),
    [
        ((), "198.51.100.1", "127.0.0.1"),
        ((LOOPBACK,), "198.51.100.1", "198.51.100.1"),
        ((LOOPBACK,), "made up, 198.51.100.1", "198.51.100.1"),
        ((LOOPBACK,), "203.0.113.9, 198.51.100.1", "198.51.100.1"),
        ((LOOPBACK, ip_network("198.51.100.0/24")), "203.0.113.9, 198.51.100.1", "203.0.113.9"),
        ((LOOPBACK,), "nonsense", "127.0.0.1"),
        ((LOOPBACK,), "", "127.0.0.1"),
        ((LOOPBACK,), "::ffff:198.51.100.1", "198.51.100.1"),
        ((LOOPBACK,), "2001:db8::1", "2001:db8::1"),
        ((ip_network("10.0.0.0/8"),), "198.51.100.1", "127.0.0.1"),
    ],
)
async def test_only_a_trusted_proxy_can_name_the_client(
    trusted: tuple[Network, ...], forwarded: str, client: str
) -> None:
    async def show_client(request: web.Request) -> web.Response:
        return web.Response(text=str(client_of(request)))

    app = web.Application(middlewares=[decode(trusted)])
    app.add_routes([web.get("/", show_client)])
    headers = {"X-Forwarded-For": forwarded}
    async with TestClient(TestServer(app)) as browser, browser.get("/", headers=headers) as response:
        assert await response.text() == client


async def test_an_untrusted_proxy_is_logged_once() -> None:
    async def hello(_request: web.Request) -> web.Response:
        return web.Response()

    app = web.Application(middlewares=[decode()])
    app.add_routes([web.get("/", hello)])
    with capture_logs() as logs:
        async with TestClient(TestServer(app)) as browser:
            for _ in range(3):
                async with browser.get("/", headers={"X-Forwarded-For": "198.51.100.1"}) as response:
                    assert response.status == 200
    assert [entry["event"] for entry in logs] == ["forwarded_header_ignored"]
