"""Sends signed requests to URLs that strangers choose. Reads only an answer's status and headers, never its body."""

import asyncio
import socket
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from ssl import SSLContext

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientSession,
    ClientTimeout,
    ConnectionTimeoutError,
    InvalidURL,
)
from yarl import URL

from adapters.webhook.answers import Silence
from bot.clock import Clock
from bot.domain.errors import UserError
from bot.sources.context import Network
from bot.sources.http import requested_pause
from bot.sources.ssrf_guard import PrivateAddressError, guarded_session, refuse_private

CONNECTIONS = 100
"""Maximum number of concurrent requests per process."""
PATIENCE = 10.0
"""Timeout of a request, in seconds. Shorter than the core's 15, since we know better what went wrong."""
CONNECT = 4.0
"""Timeout of connecting, including DNS and TLS, in seconds. Part of PATIENCE."""
LOOK_UP = 2.0
"""Timeout of a DNS look-up while a person waits, in seconds."""
MAX_HEADER = 16 * 1024
"""Maximum size of each header line of an answer, in bytes."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A complete answer."""

    status: int
    retry_after: float | None
    """Seconds until the next attempt, if the answer requests a wait."""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A missing answer, with the reason."""

    what: Silence
    reason: str


class WebhookClient:
    """Connects only to public addresses and to the `private` networks; each connection's address is checked."""

    def __init__(
        self,
        *,
        user_agent: str,
        now: Clock,
        private: Collection[Network] = (),
        trusted: SSLContext | None = None,
        patience: float = PATIENCE,
    ) -> None:
        self._user_agent = user_agent
        self._now = now
        self._private = private
        self._trusted = trusted
        self._timeout = ClientTimeout(total=patience, connect=min(CONNECT, patience))
        self._session: ClientSession | None = None

    async def post(self, address: str, body: bytes, headers: Mapping[str, str]) -> Answered | Unanswered:
        """Send `body` without following redirects. Never raises, whatever the server does."""
        sent = {"Content-Type": "application/json", "User-Agent": self._user_agent, **headers}
        try:
            async with self._open_session().post(
                URL(address, encoded=True),
                data=body,
                headers=sent,
                timeout=self._timeout,
                allow_redirects=False,
                max_line_size=MAX_HEADER,
                max_field_size=MAX_HEADER,
            ) as answer:
                wait = requested_pause(answer.status, answer.headers, self._now())
                return Answered(answer.status, wait)
        except (ClientConnectorError, ConnectionTimeoutError, InvalidURL, PrivateAddressError) as error:
            return Unanswered("connect", f"can't be connected to ({_kind(error)})")
        except TimeoutError:
            return Unanswered("answer", f"did not answer within {self._timeout.total:g} s")
        except (ClientError, OSError, ValueError) as error:  # ValueError: an invalid header
            return Unanswered("answer", f"ended the connection without an answer ({_kind(error)})")

    async def check(self, address: str) -> None:
        """Raise UserError if the address is certainly in a private network, or its name doesn't resolve."""
        url = URL(address)
        try:
            async with asyncio.timeout(LOOK_UP):
                found = await asyncio.get_running_loop().getaddrinfo(
                    url.raw_host, url.port, type=socket.SOCK_STREAM
                )
        except TimeoutError:
            return
        except (OSError, UnicodeError) as error:
            raise UserError(f"I can't find a server called {url.raw_host}. Check the address.") from error
        for *_, socket_address in found:
            try:
                refuse_private(str(socket_address[0]), self._private)
            except PrivateAddressError as error:
                raise UserError(
                    f"{url.raw_host} is in a private network, and posts aren't sent there. The operator of this Paperboy can "
                    "allow a network with PAPERBOY_WEBHOOKS_PRIVATE."
                ) from error

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()

    def _open_session(self) -> ClientSession:
        if self._session is None:
            self._session = guarded_session(self._private, connections=CONNECTIONS, trusted=self._trusted)
        return self._session


def _kind(error: Exception) -> str:
    """Return the kind of the error without its text, which can contain the address."""
    cause = error.os_error if isinstance(error, ClientConnectorError) else error
    return "a private address" if isinstance(cause, PrivateAddressError) else type(cause).__name__
