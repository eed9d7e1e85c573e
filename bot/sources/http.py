"""HTTP requests to upstreams: named in errors, limited in size and time, paused when the upstream asks for it.

Headers are untrusted: their length is checked first, numbers have bounds, and a malformed header is the upstream's
error.
"""

import contextlib
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any
from urllib.parse import urlsplit

from aiohttp import (
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    InvalidURL,
    InvalidUrlRedirectClientError,
    NonHttpUrlRedirectClientError,
    TooManyRedirects,
)

from bot.domain.errors import SourceError
from bot.domain.network_errors import network_reason
from bot.sources.fields import bounded

TIMEOUT = 30.0
"""Timeout for a whole answer, in seconds, including one that trickles in."""
SLOW = 3
"""Factor on the timeout for answers that are known to be slow, such as 2,500 records of OAI-PMH."""
MAX_BODY = 16 * 1024 * 1024
"""Maximum bytes of a body after decompression. The largest list seen has 0.3 MB; a feed of 2,000 papers about 4 MB."""
MAX_WAIT = 86_400
"""The longest pause that an upstream can ask for, in seconds. A `Retry-After` of 3,170 years has been seen."""
MAX_FIELD = 256 * 1024
"""Maximum size of a response header in bytes. aiohttp's default of 8 kB fails on a long Content-Security-Policy."""
_MAX_READ = 1000
"""Maximum length of a header that is parsed here; a longer one is ignored."""
_CHUNK = 64 * 1024

_LINK_PART = re.compile(r'<[^<>]*>|"[^"]*"|[^\s<>",;=]+|[,;=]')

Turn = Callable[[], AbstractAsyncContextManager[None]]
"""Waits for the right to send one request while the context is open."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer with a status that the caller accepts."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names are case-insensitive."""
    upstream: str = ""

    @property
    def has_next(self) -> bool:
        """Whether the `Link` header names a next page. Raises SourceError if the header can't be read."""
        value = self.headers.get("Link", "")
        try:
            return "next" in link_relations(value)
        except ValueError as error:
            raise SourceError(
                f"{self.upstream} sent a Link header that can't be read: {value[:100]!r}"
            ) from error


class Upstream:
    """HTTP access to one upstream. Sources that read the same upstream share it, and pause together.

    Errors call it `name`.
    """

    def __init__(
        self,
        name: str,
        session: ClientSession,
        *,
        user_agent: str,
        now: Callable[[], datetime],
        turn: Turn = contextlib.nullcontext,
        timeout: float = TIMEOUT,
        max_body: int = MAX_BODY,
    ) -> None:
        self.name = name
        self._session = session
        self._headers = {"User-Agent": user_agent}
        self._now = now
        self._turn = turn
        self._timeout = timeout
        self._max_body = max_body
        self._paused_until = datetime.min.replace(tzinfo=UTC)

    async def get(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        *,
        accept: tuple[int, ...] = (200,),
        slow: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one GET. Raises SourceError for a status that is not in `accept`, and if there is no answer."""
        return await self._send("GET", url, accept, headers, slow=slow, params=params)

    async def post(
        self,
        url: str,
        params: Mapping[str, str],
        body: Mapping[str, Any] | Sequence[Any],
        *,
        accept: tuple[int, ...] = (200,),
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """POST JSON: a query that is too long for a URL, or objects to write."""
        return await self._send("POST", url, accept, headers, params=params, json=body)

    async def _send(
        self,
        method: str,
        url: str,
        accept: tuple[int, ...],
        headers: Mapping[str, str] | None,
        *,
        slow: bool = False,
        **request_options: Any,
    ) -> Answer:
        timeout = self._timeout * SLOW if slow else self._timeout
        self._raise_while_paused()
        async with self._turn():
            self._raise_while_paused()
            try:
                request = self._session.request(
                    method,
                    url,
                    **request_options,
                    headers={**self._headers, **(headers or {})},
                    timeout=ClientTimeout(total=timeout),
                    max_field_size=MAX_FIELD,
                    max_line_size=MAX_FIELD,
                )
                async with request as response:
                    return await self._read(response, accept)
            except TimeoutError as error:
                message = f"{self.name} did not answer within {timeout:g} s"
                raise SourceError(message, unreachable=True) from error
            except (InvalidUrlRedirectClientError, NonHttpUrlRedirectClientError) as error:
                raise SourceError(f"{self.name} redirects to an address that can't be used") from error
            except TooManyRedirects as error:
                raise SourceError(f"{self.name} redirects in circles: check its address") from error
            except (InvalidURL, UnicodeError) as error:  # UnicodeError: a host name that IDNA refuses
                message = f"{self.name} has, or redirects to, an invalid address ({url}): check its setting"
                raise SourceError(message) from error
            except (ClientError, OSError) as error:
                host = urlsplit(url).hostname or url
                message = f"{self.name} could not be reached: {network_reason(error)} ({host})"
                raise SourceError(message, unreachable=True) from error

    def _raise_while_paused(self) -> None:
        left = (self._paused_until - self._now()).total_seconds()
        if left > 0:
            message = f"{self.name} asked for fewer requests; the next one is sent in {left:.0f} s"
            raise SourceError(message, retry_after=left)

    async def _read(self, response: ClientResponse, accept: tuple[int, ...]) -> Answer:
        wait = requested_pause(response.status, response.headers, self._now())
        if wait is not None:
            self._paused_until = self._now() + timedelta(seconds=wait)
        if response.status not in accept:
            raise unexpected_status(self.name, response.status, wait)
        body = await self._read_body(response)
        return Answer(response.status, body, response.headers, self.name)

    async def _read_body(self, response: ClientResponse) -> bytes:
        body = bytearray()
        async for chunk in response.content.iter_chunked(_CHUNK):
            body += chunk
            if len(body) > self._max_body:
                limit = self._max_body // 2**20
                raise SourceError(f"{self.name} sent more than {limit} MB, which is more than we read")
        return bytes(body)


def requested_pause(status: int, headers: Mapping[str, str], now: datetime) -> float | None:
    """Return for how many seconds the upstream wants no further request, at most a day; None if it doesn't say.

    `Retry-After` counts if the status is an error. `RateLimit: "api";r=<left>;t=<seconds>` counts if nothing is
    left, and for a 429; the window ends one second after `t`.
    """
    waits: list[float] = []
    if status >= 400 and (wait := _retry_after(headers.get("Retry-After", ""), now)) is not None:
        waits.append(wait)
    limits = dict(re.findall(r";[ \t]{0,9}([rt])=([0-9]+)", headers.get("RateLimit", "")[:_MAX_READ]))
    if "t" in limits and (status == 429 or bounded(limits.get("r", "1"), 1) == 0):
        waits.append((bounded(limits["t"], MAX_WAIT) or 0) + 1.0)
    return min(max(waits), float(MAX_WAIT)) if waits else None


def _retry_after(value: str, now: datetime) -> float | None:
    if (seconds := bounded(value, MAX_WAIT)) is not None:
        return float(seconds)
    if len(value) > _MAX_READ:
        return None
    try:
        moment = parsedate_to_datetime(value)
        wait = (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds()
    except (ValueError, OverflowError):
        return None
    return max(0.0, wait)


def link_relations(value: str) -> frozenset[str]:
    """Return the relations in a `Link` header (RFC 8288), in lower case. Raises ValueError if it is malformed."""
    if len(value) > MAX_FIELD or _LINK_PART.sub("", value).strip():
        raise ValueError("it isn't a list of links")
    relations: set[str] = set()
    before = [",", ","]
    for part in _LINK_PART.findall(value):
        if part.startswith("<"):
            urlsplit(part[1:-1])
            if before[-1] != ",":
                raise ValueError("a link follows another one without a comma")
        elif before[-1] == "," and part != ",":
            raise ValueError("a link has no target")
        elif before[-1] == "=" and before[-2].casefold() == "rel":
            relations |= set(part.strip('"').casefold().split())
        before = [before[-1], part]
    return frozenset(relations)


def unexpected_status(name: str, status: int, wait: float | None) -> SourceError:
    """Return the error for a status that the caller does not accept."""
    if status == 403:
        message = f"{name} refuses our requests (HTTP 403): is PAPERBOY_CONTACT set, is this address blocked?"
        return SourceError(message, refused=True)
    if status == 429:
        return SourceError(f"{name} asks for fewer requests (HTTP 429)", retry_after=wait)
    if status >= 500:
        return SourceError(f"{name} has a server error (HTTP {status})", retry_after=wait)
    return SourceError(f"{name} sent an unexpected answer (HTTP {status})", retry_after=wait)


def user_agent(contact: str) -> str:
    """Return the User-Agent of every request. arXiv wants a `contact` in it: an address or a page."""
    try:
        number = version("paperboy")
    except PackageNotFoundError:
        number = "dev"
    contact = " ".join(contact.split())
    return f"Paperboy/{number} (+{contact})" if contact else f"Paperboy/{number}"
