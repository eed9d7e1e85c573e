"""Discord's gateway over a web socket: hello, identify, heartbeat, ready, events, resume, reconnect."""

import asyncio
import json
import zlib
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

DISPATCH, HEARTBEAT, IDENTIFY, RESUME, RECONNECT, INVALID, HELLO, ACK = 0, 1, 2, 6, 7, 9, 10, 11


@dataclass
class Session:
    """State that Discord stores of a shard that identified itself."""

    id: str
    shard: int
    intents: int
    sequence: int = 0
    sent: list[dict[str, Any]] = field(default_factory=list)


class GatewayDouble:
    """A gateway that records what clients send, and sends events on demand."""

    def __init__(self) -> None:
        self.url = ""
        self.remaining = 1000
        self.identifies: list[tuple[int, float]] = []
        """Shard and time of each identify."""
        self.resumes: list[int] = []
        self.intents: set[int] = set()
        self.clean_closes = 0
        self.agents: set[str] = set()
        """User-Agents of all connections."""
        self.changed = asyncio.Event()
        self.guilds: dict[int, list[dict[str, Any]]] = {}
        """Shard -> the servers that it receives when it is ready."""
        self.refuses: int | None = None
        """The close code that answers every identify, if set."""
        self._sessions: dict[str, Session] = {}
        self._open: dict[int, tuple[Session, web.WebSocketResponse, Any]] = {}
        self._transports: dict[int, asyncio.Transport] = {}

    async def connect(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one connection until it closes."""
        self.agents.add(request.headers.get("User-Agent", ""))
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        assert request.transport is not None
        self._transports[id(socket)] = request.transport
        compressor = zlib.compressobj() if request.query.get("compress") == "zlib-stream" else None
        await self._send(socket, compressor, {"op": HELLO, "d": {"heartbeat_interval": 41250}})
        session: Session | None = None
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                break
            received = json.loads(message.data)
            if received["op"] == HEARTBEAT:
                await self._send(socket, compressor, {"op": ACK})
            elif received["op"] == IDENTIFY:
                session = await self._identify(socket, compressor, received["d"])
            elif received["op"] == RESUME:
                session = await self._resume(socket, compressor, received["d"])
        if session and socket.close_code in {1000, 1001}:
            self.clean_closes += 1
            self._sessions.pop(session.id, None)
        if session and self._open.get(session.shard, (None, None))[1] is socket:
            del self._open[session.shard]
        self._notify()
        return socket

    async def dispatch(self, event: str, data: dict[str, Any], shard: int = 0) -> None:
        """Send an event to a shard, now or when it resumes."""
        for session in [s for s in self._sessions.values() if s.shard == shard]:
            session.sequence += 1
            payload = {"op": DISPATCH, "t": event, "s": session.sequence, "d": data}
            session.sent.append(payload)
            if shard in self._open and self._open[shard][0] is session:
                await self._send(*self._open[shard][1:], payload)

    async def ask_to_reconnect(self, shard: int = 0) -> None:
        """Ask a shard to reconnect, as Discord does before it stops a machine."""
        await self._send(*self._open[shard][1:], {"op": RECONNECT, "d": None})

    async def drop(self, shard: int = 0, code: int = 1006) -> None:
        """Break the connection: abort it, or close it with a close code other than 1006."""
        socket = self._open[shard][1]
        if code == 1006:
            self._transports[id(socket)].abort()
        else:
            await socket.close(code=code)

    async def until(self, condition: Any) -> None:
        """Wait until the condition is true. It is checked after messages of clients."""
        while not condition():
            self.changed.clear()
            await self.changed.wait()

    @property
    def shards(self) -> set[int]:
        """Connected shards."""
        return set(self._open)

    async def close(self) -> None:
        """End all connections."""
        for _, socket, _compressor in tuple(self._open.values()):
            await socket.close(code=WSCloseCode.GOING_AWAY)

    async def _identify(
        self, socket: web.WebSocketResponse, compressor: Any, data: dict[str, Any]
    ) -> Session | None:
        shard = data.get("shard", [0, 1])[0]
        self.identifies.append((shard, asyncio.get_running_loop().time()))
        self.remaining -= 1
        if self.refuses is not None:
            await socket.close(code=self.refuses)
            self._notify()
            return None
        session = Session(f"session-{len(self.identifies)}", shard, data["intents"])
        self.intents.add(data["intents"])
        self._sessions[session.id] = session
        self._open[shard] = (session, socket, compressor)
        guilds = self.guilds.get(shard, [])
        await self.dispatch("READY", self._ready(session, data, guilds), shard)
        for guild in guilds:
            await self.dispatch("GUILD_CREATE", {"unavailable": False, **guild}, shard)
        self._notify()
        return session

    async def _resume(
        self, socket: web.WebSocketResponse, compressor: Any, data: dict[str, Any]
    ) -> Session | None:
        session = self._sessions.get(data["session_id"])
        if session is None:
            await self._send(socket, compressor, {"op": INVALID, "d": False})
            return None
        self.resumes.append(session.shard)
        self._open[session.shard] = (session, socket, compressor)
        for payload in [payload for payload in session.sent if payload["s"] > data["seq"]]:
            await self._send(socket, compressor, payload)
        await self.dispatch("RESUMED", {}, session.shard)
        self._notify()
        return session

    def _ready(self, session: Session, data: dict[str, Any], guilds: list[dict[str, Any]]) -> dict[str, Any]:
        user = {"id": "901", "username": "paperboy", "discriminator": "0", "avatar": None, "bot": True}
        return {
            "v": 10,
            "user": user,
            "guilds": [{"id": guild["id"], "unavailable": True} for guild in guilds],
            "session_id": session.id,
            "resume_gateway_url": self.url,
            "shard": data.get("shard", [0, 1]),
            "application": {"id": "900", "flags": 0},
        }

    async def _send(self, socket: web.WebSocketResponse, compressor: Any, payload: dict[str, Any]) -> None:
        text = json.dumps({"s": None, "t": None, "d": None, **payload})
        with suppress(ConnectionError):  # the payload is sent again when the shard resumes
            if compressor is None:
                await socket.send_str(text)
            else:
                await socket.send_bytes(
                    compressor.compress(text.encode()) + compressor.flush(zlib.Z_SYNC_FLUSH)
                )

    def _notify(self) -> None:
        self.changed.set()
