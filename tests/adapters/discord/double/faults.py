"""What can go wrong between a client and Discord."""

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from aiohttp import web

Fault = Literal["lose", "500", "502", "503", "429"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RawAnswer:
    """An answer byte by byte, from Discord, Cloudflare or a proxy. The request that it answers has no effect."""

    status: int
    body: bytes = b""
    content_type: str = "text/html"
    headers: Mapping[str, str] = field(default_factory=dict)
    cut_off: bool = False
    """Whether the connection ends in the middle of the body."""
    hangs: bool = False
    """Whether it never comes."""

    async def send(self, request: web.Request) -> web.StreamResponse:
        if self.hangs:
            await asyncio.Event().wait()
        headers = {"Content-Type": self.content_type, **self.headers}
        if not self.cut_off:
            return web.Response(status=self.status, body=self.body, headers=headers)
        headers["Content-Length"] = str(len(self.body) + 100)
        response = web.StreamResponse(status=self.status, headers=headers)
        await response.prepare(request)
        await response.write(self.body)
        assert request.transport is not None
        request.transport.abort()
        return response


@dataclass(kw_only=True)
class Weather:
    """Faults of posts, each as a share of them."""

    lose: float = 0.0
    """Posted, but the connection is dropped before the answer."""
    limit: float = 0.0
    """429, not posted."""
    error: float = 0.0
    """500, 502 or 503."""
    untaken: float = 0.5
    """The share of these that weren't posted."""
    retry_after: float = 0.3
    refuse: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Channel -> status and code that answer every post there."""
    answers: dict[int, RawAnswer] = field(default_factory=dict)
    """Channel -> the answer to every post there."""
    spell: RawAnswer | None = None
    """The answer to every request."""
    firewall: str = ""
    """A firewall in between answers every request with this word in its body itself, with an error page."""
    queue: deque[Fault] = field(default_factory=deque)
    """Faults of the next posts, before any random ones."""
    without_via: bool = False
    """Whether a 429 comes from a proxy, as text."""
