"""The reason of a failed connection is readable, whichever library reports it."""

import asyncio
import socket
import ssl

import aiohttp
import pytest
from aiosmtplib import SMTP, SMTPException
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from bot.domain.network_errors import network_reason

NOWHERE = 9
"""The discard port, on which nothing listens."""


async def by_http(url: str) -> BaseException:
    async with aiohttp.ClientSession() as session:
        try:
            await session.get(url)
        except aiohttp.ClientError as error:
            return error
    raise AssertionError("the connection succeeded")


async def by_redis() -> BaseException:
    redis = Redis(host="127.0.0.1", port=NOWHERE, retry=Retry(NoBackoff(), 0))
    try:
        await redis.ping()
    except (RedisError, OSError) as error:
        return error
    finally:
        await redis.aclose()
    raise AssertionError("the connection succeeded")


async def by_mail() -> BaseException:
    try:
        await SMTP(hostname="127.0.0.1", port=NOWHERE).connect()
    except (SMTPException, OSError) as error:
        return error
    raise AssertionError("the connection succeeded")


async def test_a_refused_connection_has_the_same_reason_from_every_library() -> None:
    errors = await by_http(f"http://127.0.0.1:{NOWHERE}"), await by_redis(), await by_mail()
    assert {network_reason(error) for error in errors} == {"connection refused"}


async def test_an_unknown_host_and_a_server_without_tls_have_their_own_reasons() -> None:
    assert network_reason(await by_http("http://nowhere.invalid")) == "unknown host name"

    def plain(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"plain text")
        writer.close()

    server = await asyncio.start_server(plain, "127.0.0.1")
    async with server:
        port = server.sockets[0].getsockname()[1]
        assert network_reason(await by_http(f"https://127.0.0.1:{port}")) == "it doesn't speak TLS"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (socket.gaierror(-2, "Name or service not known"), "unknown host name"),
        (ssl.SSLCertVerificationError("self-signed"), "its certificate isn't trusted"),
        (TimeoutError(), "no answer"),
        (ConnectionResetError(104, "Connection reset by peer"), "the connection was cut off"),
        (OSError(101, "Network is unreachable"), "network is unreachable"),
        (OSError("Multiple exceptions: [Errno 113] No route, [Errno 113] No route"), "no route to host"),
        (aiohttp.ServerDisconnectedError(), "Server disconnected"),
        (RuntimeError(), "RuntimeError"),
    ],
)
def test_a_reason_has_no_error_numbers_and_brackets(error: Exception, reason: str) -> None:
    assert network_reason(error) == reason
