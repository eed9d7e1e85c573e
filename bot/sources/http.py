"""One way of asking an upstream over HTTP: named, capped in size and time, and heeding what it says of limits."""

import contextlib
import re
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, InvalidURL, TooManyRedirects

from bot.domain.errors import SourceError

TIMEOUT = 30.0
"""Seconds for a whole answer, also for one that trickles in."""
SLOW = 3
"""How many times longer an answer may take that is known to be slow, such as 2,500 records of OAI-PMH."""
MAX_BODY = 16 * 1024 * 1024
"""Bytes, after decompression. The largest list seen has 0.3 MB; a feed of 2,000 papers has about 4 MB."""
_CHUNK = 64 * 1024

Turn = Callable[[], AbstractAsyncContextManager[None]]
"""Gives the right to one request for as long as it is held."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer with a status that was asked for."""

    status: int
    body: bytes
    has_next: bool
    """Whether its `Link` header names a next page."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Case does not matter in their names."""


class Upstream:
    """An upstream's HTTP. Sources that read the same one share this, and rest together when it says so.

    `name` is what errors call it.
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
        self._rests_until = datetime.min.replace(tzinfo=UTC)

    async def get(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        *,
        accept: tuple[int, ...] = (200,),
        slow: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """The answer to one GET. Raises SourceError for any status not in `accept`, and for no answer at all."""
        return await self._in_turn("GET", url, accept, headers, slow=slow, params=params)

    async def post(
        self,
        url: str,
        params: Mapping[str, str],
        body: Mapping[str, Any],
        *,
        accept: tuple[int, ...] = (200,),
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """The same for a question that is too long for an address, and goes as JSON. Nothing changes by it."""
        return await self._in_turn("POST", url, accept, headers, params=params, json=body)

    async def _in_turn(
        self,
        method: str,
        url: str,
        accept: tuple[int, ...],
        headers: Mapping[str, str] | None,
        *,
        slow: bool = False,
        **question: Any,
    ) -> Answer:
        timeout = self._timeout * SLOW if slow else self._timeout
        self._refuse_while_resting()
        async with self._turn():
            self._refuse_while_resting()
            request = self._session.request(
                method,
                url,
                **question,
                headers={**self._headers, **(headers or {})},
                timeout=ClientTimeout(total=timeout),
            )
            try:
                async with request as response:
                    return await self._answer(response, accept)
            except TimeoutError as error:
                raise SourceError(f"{self.name} did not answer within {timeout:g} s") from error
            except InvalidURL as error:
                raise SourceError(f"{self.name} has no valid address ({url}): check its setting") from error
            except TooManyRedirects as error:
                raise SourceError(f"{self.name} sends us round in circles: check its address") from error
            except (ClientError, OSError) as error:
                raise SourceError(f"{self.name} could not be reached: {_reason(error)}") from error

    def _refuse_while_resting(self) -> None:
        left = (self._rests_until - self._now()).total_seconds()
        if left > 0:
            message = f"{self.name} asked for fewer requests; it is left alone for {left:.0f} s"
            raise SourceError(message, retry_after=left)

    async def _answer(self, response: ClientResponse, accept: tuple[int, ...]) -> Answer:
        wait = rest_asked_for(response.status, response.headers, self._now())
        if wait is not None:
            self._rests_until = self._now() + timedelta(seconds=wait)
        if response.status not in accept:
            raise refusal(self.name, response.status, wait)
        body = await self._read(response)
        return Answer(response.status, body, "next" in response.links, response.headers)

    async def _read(self, response: ClientResponse) -> bytes:
        body = bytearray()
        async for chunk in response.content.iter_chunked(_CHUNK):
            body += chunk
            if len(body) > self._max_body:
                most = self._max_body // 2**20
                raise SourceError(f"{self.name} sent more than {most} MB, which is not believed")
        return bytes(body)


def rest_asked_for(status: int, headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds for which the upstream wants no further request, if it says.

    `Retry-After` counts where the status is an error. `RateLimit: "api";r=<left>;t=<seconds>` counts once
    nothing is left, and for a 429; the window is over one second after `t`.
    """
    waits = []
    if status >= 400 and (named := _retry_after(headers.get("Retry-After", ""), now)) is not None:
        waits.append(named)
    limit = dict(re.findall(r";\s*([rt])=(\d+)", headers.get("RateLimit", "")))
    if "t" in limit and (status == 429 or int(limit.get("r", 1)) == 0):
        waits.append(int(limit["t"]) + 1.0)
    return max(waits, default=None)


def _retry_after(value: str, now: datetime) -> float | None:
    if value.strip().isdecimal():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds())


def refusal(name: str, status: int, wait: float | None) -> SourceError:
    """What an answer with an unwanted `status` means."""
    if status == 403:
        message = f"{name} refuses to answer us (HTTP 403): is PAPERBOY_CONTACT set, is this address blocked?"
        return SourceError(message, refused=True)
    if status == 429:
        return SourceError(f"{name} asks for fewer requests (HTTP 429)", retry_after=wait)
    if status >= 500:
        return SourceError(f"{name} is out of order (HTTP {status})", retry_after=wait)
    return SourceError(f"{name} gave an answer that makes no sense here (HTTP {status})", retry_after=wait)


def user_agent(contact: str) -> str:
    """How Paperboy presents itself. arXiv wants a `contact`: an address or a page."""
    try:
        number = version("paperboy")
    except PackageNotFoundError:
        number = "dev"
    contact = " ".join(contact.split())
    return f"Paperboy/{number} (+{contact})" if contact else f"Paperboy/{number}"


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
