"""Connections are made only to public addresses, however an address is written or reached."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_network

import pytest
from aiohttp import ClientError, ClientSession, TCPConnector, web
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.test_utils import TestServer

from bot.sources.ssrf_guard import PrivateAddressError, guarded_session, refuse_private

TRICKS = (
    "http://127.0.0.1:{port}/",
    "http://127.0.0.2:{port}/",
    "http://127.1:{port}/",
    "http://127.0.1:{port}/",
    "http://0:{port}/",
    "http://0.0.0.0:{port}/",
    "http://2130706433:{port}/",
    "http://0x7f000001:{port}/",
    "http://0x7f.0.0.1:{port}/",
    "http://0177.0.0.1:{port}/",
    "http://017700000001:{port}/",
    "http://127.0.0.1.:{port}/",
    "http://localhost:{port}/",
    "http://LOCALHOST:{port}/",
    "http://localhost.:{port}/",
    "http://[::1]:{port}/",
    "http://[::]:{port}/",
    "http://[0:0:0:0:0:0:0:1]:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://[::ffff:7f00:1]:{port}/",
    "http://[::127.0.0.1]:{port}/",
    "http://[64:ff9b::127.0.0.1]:{port}/",
    "http://[64:ff9b:1::7f00:1]:{port}/",
    "http://[2002:7f00:1::]:{port}/",
    "http://[2001:0:7f00:1::80ff:fffe]:{port}/",
    "http://[fe80::1]:{port}/",
    "http://[fe80::1%25lo]:{port}/",
    "http://[fc00::1]:{port}/",
    "http://[fec0::1]:{port}/",
    "http://[ff02::1]:{port}/",
    "http://①②⑦.⓪.⓪.①:{port}/",
    "http://127。0。0。1:{port}/",
    "http://user@127.0.0.1:{port}/",
    "http://example.org@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}#@example.org/",
    "http://10.0.0.1:{port}/",
    "http://172.16.0.1:{port}/",
    "http://192.168.0.1:{port}/",
    "http://169.254.169.254:{port}/latest/meta-data/",
    "http://100.64.0.1:{port}/",
    "http://198.18.0.1:{port}/",
    "http://192.88.99.1:{port}/",
    "http://224.0.0.1:{port}/",
    "http://255.255.255.255:{port}/",
    "file:///etc/passwd",
    "ftp://127.0.0.1:{port}/",
    "gopher://127.0.0.1:{port}/",
    "data:text/xml,<rss/>",
)


class Trap:
    """A server that must never be reached."""

    def __init__(self) -> None:
        self.reached = 0
        self.port = 0

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["Trap"]:
        servers = []
        for host, family in (("0.0.0.0", socket.AF_INET), ("::1", socket.AF_INET6)):  # noqa: S104 - it is a trap
            try:
                servers.append(await asyncio.start_server(self._touched, host, self.port, family=family))
            except OSError:  # a machine without IPv6
                continue
            self.port = servers[0].sockets[0].getsockname()[1]
        yield self
        for server in servers:
            server.close()
            await server.wait_closed()

    async def _touched(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reached += 1
        writer.close()


@pytest.mark.parametrize("trick", TRICKS)
async def test_no_spelling_of_an_address_reaches_a_private_one(trick: str) -> None:
    async with Trap().listening() as trap, guarded_session() as session:
        with pytest.raises((ClientError, OSError, ValueError)):
            async with asyncio.timeout(5), session.get(trick.format(port=trap.port)):
                pass
        assert trap.reached == 0


def test_forty_spellings_of_an_address_are_tried() -> None:
    assert len(set(TRICKS)) >= 40


class Answers(AbstractResolver):
    """A name server that gives a different answer each time."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = list(addresses)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        address = self.addresses.pop(0) if len(self.addresses) > 1 else self.addresses[0]
        return [ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=0)]

    async def close(self) -> None:
        pass


def resolving(session: ClientSession, *addresses: str) -> ClientSession:
    assert isinstance(session.connector, TCPConnector)
    session.connector._resolver = Answers(*addresses)
    return session


async def test_a_name_that_resolves_differently_the_next_time_is_blocked() -> None:
    async with Trap().listening() as trap, guarded_session() as session:
        named = resolving(session, "127.0.0.1", "10.0.0.1", "127.0.0.1")
        for _ in range(3):
            with pytest.raises(ClientError):
                await named.get(f"http://rebinding.example.org:{trap.port}/")
        assert trap.reached == 0


@pytest.fixture
async def redirecting() -> AsyncIterator[str]:
    """Yield a server that redirects to the address in its query."""

    async def respond(request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound(request.query["to"])

    app = web.Application()
    app.router.add_get("/", respond)
    async with TestServer(app) as server:
        yield str(server.make_url("/"))


@pytest.mark.parametrize(
    "to", ["http://127.0.0.2:{port}/", "http://[::1]:{port}/", "file:///etc/passwd", "ftp://x/"]
)
async def test_redirects_are_checked_like_any_address(redirecting: str, to: str) -> None:
    allowed = [ip_network("127.0.0.1/32")]
    async with Trap().listening() as trap, guarded_session(allowed) as session:
        with pytest.raises(ClientError):
            await session.get(redirecting, params={"to": to.format(port=trap.port)})
        assert trap.reached == 0


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "2001:4860:4860::8888", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1"]
)
def test_public_addresses_are_allowed(address: str) -> None:
    refuse_private(address, [])


def test_an_operator_can_allow_a_private_network() -> None:
    refuse_private("10.1.2.3", [ip_network("10.1.0.0/16")])
    refuse_private("::ffff:10.1.2.3", [ip_network("10.1.0.0/16")])
    with pytest.raises(PrivateAddressError, match="PAPERBOY_FEEDS_PRIVATE"):
        refuse_private("10.2.2.3", [ip_network("10.1.0.0/16")])
