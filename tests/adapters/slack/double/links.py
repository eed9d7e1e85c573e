"""Connections from Slack to the app: web sockets that the app opened, or HTTP at its address."""

import asyncio
import hashlib
import hmac
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from secrets import token_hex
from time import monotonic, time
from typing import Any, Literal, Protocol
from urllib.parse import urlencode

from aiohttp import ClientError, ClientSession, ClientTimeout, WSMsgType, web

from tests.adapters.slack.double.world import App, Json

ACK = 3.0
"""Seconds within which the app must acknowledge a request."""
SOCKETS = 10

Kind = Literal["slash_commands", "interactive", "events_api"]


@dataclass(frozen=True, slots=True)
class Ack:
    """The app's acknowledgement."""

    kind: Kind
    seconds: float
    payload: Json


class NotAcknowledged(Exception):
    """The app didn't acknowledge in time: the person sees “operation_timeout” or “dispatch_failed”."""


class Link(Protocol):
    """A connection to the app."""

    async def send(self, kind: Kind, payload: Json, retry: tuple[int, str] | None = None) -> Ack:
        """Send a request to the app. Raises NotAcknowledged."""


@dataclass
class Sockets:
    """Socket Mode: the open web sockets; `on_change` is called when one opens or closes."""

    on_change: Callable[[], Awaitable[None]]
    open: list[web.WebSocketResponse] = field(default_factory=list)
    tickets: set[str] = field(default_factory=set)
    waiting: dict[str, "asyncio.Future[Json]"] = field(default_factory=dict)
    opened: asyncio.Event = field(default_factory=asyncio.Event)
    used: "count[int]" = field(default_factory=count)
    delivered: list[int] = field(default_factory=list)
    """The number of the socket that each envelope was sent over."""

    def ticket(self) -> str:
        """Return a ticket for one connection."""
        ticket = token_hex(12)
        self.tickets.add(ticket)
        return ticket

    async def serve(self, request: web.Request, app: App) -> web.StreamResponse:
        """Serve one connection until it ends."""
        ticket = request.query.get("ticket", "")
        if ticket not in self.tickets:
            return web.Response(status=408)
        self.tickets.discard(ticket)
        socket = web.WebSocketResponse(autoping=True)
        await socket.prepare(request)
        if len(self.open) >= SOCKETS:
            await socket.send_json({"type": "disconnect", "reason": "too_many_websockets"})
            await socket.close()
            return socket
        self.open.append(socket)
        await self.on_change()
        await socket.send_json(
            {
                "type": "hello",
                "num_connections": len(self.open),
                "connection_info": {"app_id": app.id},
                "debug_info": {"host": "double", "approximate_connection_time": 18060},
            }
        )
        self.opened.set()
        try:
            async for message in socket:
                if message.type == WSMsgType.TEXT:
                    self._acknowledged(json.loads(message.data))
        finally:
            self.open.remove(socket)
            await self.on_change()
            if not self.open:
                self.opened.clear()
        return socket

    async def send(self, kind: Kind, payload: Json, retry: tuple[int, str] | None = None) -> Ack:
        """Send over one of the sockets. Raises NotAcknowledged."""
        if not self.open:
            raise NotAcknowledged("the app has no socket open")
        envelope = {
            "envelope_id": token_hex(8),
            "type": kind,
            "payload": payload,
            "accepts_response_payload": kind != "events_api",
        }
        if kind == "events_api":
            envelope |= {"retry_attempt": retry[0] if retry else 0, "retry_reason": retry[1] if retry else ""}
        answer: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self.waiting[str(envelope["envelope_id"])] = answer
        number = next(self.used) % len(self.open)
        self.delivered.append(number)
        began = monotonic()
        await self.open[number].send_json(envelope)
        try:
            async with asyncio.timeout(ACK):
                acknowledged = await answer
        except TimeoutError:
            raise NotAcknowledged(f"{kind}: not within {ACK} s") from None
        return Ack(kind, monotonic() - began, acknowledged.get("payload") or {})

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Ask the app to reconnect every socket."""
        for socket in tuple(self.open):
            await socket.send_json({"type": "disconnect", "reason": reason})

    def cut(self) -> None:
        """Break the connections."""
        for socket in tuple(self.open):
            transport = socket._req.transport if socket._req else None
            if transport:
                transport.abort()

    def _acknowledged(self, answer: Json) -> None:
        waiting = self.waiting.pop(answer["envelope_id"], None)
        if waiting and not waiting.done():
            waiting.set_result(answer)


class Http:
    """The Events API and interactivity, at the app's address."""

    def __init__(self, app: App, address: str) -> None:
        self._app = app
        self._address = address
        self._sent: Counter[str] = Counter()

    async def send(self, kind: Kind, payload: Json, retry: tuple[int, str] | None = None) -> Ack:
        """Send a signed request. Raises NotAcknowledged."""
        body, content = encoded(kind, payload)
        self._sent[body] += 1  # a repeated body gets another timestamp, so that its signature differs
        at = int(time()) + 1 - self._sent[body]
        headers = {"Content-Type": content, **signed(self._app.signing_secret, body, at)}
        if retry:
            headers |= {"X-Slack-Retry-Num": str(retry[0]), "X-Slack-Retry-Reason": retry[1]}
        began = monotonic()
        status, text = await self.request(body, headers)
        if status != 200:
            raise NotAcknowledged(f"{kind}: HTTP {status}")
        return Ack(kind, monotonic() - began, json.loads(text) if text.startswith("{") else {})

    async def request(self, body: str, headers: Mapping[str, str]) -> tuple[int, str]:
        """Send a request without signing it. Raises NotAcknowledged."""
        try:
            async with (
                ClientSession(timeout=ClientTimeout(total=ACK)) as session,
                session.post(self._address, data=body.encode(), headers=headers) as answer,
            ):
                return answer.status, await answer.text()
        except (TimeoutError, ClientError) as error:
            raise NotAcknowledged(f"no answer: {error!r}") from None


def encoded(kind: Kind, payload: Json) -> tuple[str, str]:
    """Return the request's body and content type."""
    if kind == "events_api":
        return json.dumps(payload), "application/json"
    form: dict[str, Any] = payload if kind == "slash_commands" else {"payload": json.dumps(payload)}
    return urlencode(form), "application/x-www-form-urlencoded"


def signed(secret: str, body: str | bytes, at: int | None = None) -> dict[str, str]:
    """Return the headers of a request signed by Slack."""
    stamp = str(int(time()) if at is None else at)
    raw = body.encode() if isinstance(body, str) else body
    digest = hmac.new(secret.encode(), f"v0:{stamp}:".encode() + raw, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}
