"""Faults between a client and Discord."""

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from aiohttp import web

Fault = Literal["lose", "500", "502", "503", "429"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RawAnswer:
    """A raw answer of Discord, Cloudflare or a proxy. The request that it answers has no effect."""

    status: int
    body: bytes = b""
    content_type: str = "text/html"
    headers: Mapping[str, str] = field(default_factory=dict)
    cut_off: bool = False
    """Whether the connection ends in the middle of the body."""
    hangs: bool = False
    """Whether the answer never arrives."""

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
    """Faults of posts. Each float is a probability per post."""

    lose: float = 0.0
    """The message is posted, but the connection is dropped before the answer."""
    limit: float = 0.0
    """429; the message isn't posted."""
    error: float = 0.0
    """500, 502 or 503."""
    untaken: float = 0.5
    """The share of these errors in which the message isn't posted."""
    retry_after: float = 0.3
    refuse: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Channel -> HTTP status and error code that answer every post there."""
    answers: dict[int, RawAnswer] = field(default_factory=dict)
    """Channel -> the answer to every post there."""
    spell: RawAnswer | None = None
    """The answer to every request, during an outage."""
    firewall: str = ""
    """A firewall in front of Discord answers every request whose body has this word with an error page."""
    queue: deque[Fault] = field(default_factory=deque)
    """Faults of the next posts, before any random ones."""
    without_via: bool = False
    """Whether a 429 is a text answer of a proxy."""
