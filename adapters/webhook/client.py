"""Sends signed requests to addresses that strangers choose. What is read of an answer is its status, and nothing else."""

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
"""Requests of one process at the same time."""
PATIENCE = 10.0
"""Seconds for an answer. The core gives up after 15, knowing less than we do."""
CONNECT = 4.0
"""Seconds of these for a connection, with the name's look-up and TLS."""
LOOK_UP = 2.0
"""Seconds for the look-up of a name while a person waits."""
MAX_HEADER = 16 * 1024
"""Bytes of an answer's header lines, each."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A complete answer."""

    status: int
    retry_after: float | None
    """Seconds, if it names a time."""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """No answer, and why."""

    what: Silence
    reason: str


class WebhookClient:
    """Connects to public addresses and to the networks `private`; every connection is checked where it is made."""

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
        """Send `body`, following no redirect. Never raises because of what is at the address."""
        sent = {"Content-Type": "application/json", "User-Agent": self._user_agent, **headers}
        try:
            async with self._opened().post(
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
        except (ClientError, OSError, ValueError) as error:  # ValueError: a header that can't be read
            return Unanswered("answer", f"ended the connection without an answer ({_kind(error)})")

    async def check(self, address: str) -> None:
        """Raises UserError if the address certainly leads into a private network, or nowhere."""
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
        for *_, where in found:
            try:
                refuse_private(str(where[0]), self._private)
            except PrivateAddressError as error:
                raise UserError(
                    f"{url.raw_host} is in a private network, and posts aren't sent there. The operator of this Paperboy can "
                    "allow a network with PAPERBOY_WEBHOOKS_PRIVATE."
                ) from error

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()

    def _opened(self) -> ClientSession:
        if self._session is None:
            self._session = guarded_session(self._private, connections=CONNECTIONS, trusted=self._trusted)
        return self._session


def _kind(error: Exception) -> str:
    """What went wrong, in a word: an error's text can hold the address."""
    cause = error.os_error if isinstance(error, ClientConnectorError) else error
    return "a private address" if isinstance(cause, PrivateAddressError) else type(cause).__name__
