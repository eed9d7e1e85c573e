"""Discord's REST API over HTTP: as strict as the real one about nonces and rate limits, and with faults on demand.

A message is stored before it is answered, whether or not the answer arrives.
"""

import asyncio
import random
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from time import monotonic, time
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from tests.adapters.discord.double import openapi
from tests.adapters.discord.double.directory import SEND, SEND_IN_THREADS, VIEW, Directory
from tests.adapters.discord.double.faults import Fault, RawAnswer, Weather
from tests.adapters.discord.double.payloads import (
    DIRECT,
    FORUM,
    NEWS,
    TEXT,
    USER,
    Posted,
    archived_at,
    is_archived,
    json_answer,
    limited,
    refused,
    thread_payload,
)

EPOCH = 1_420_070_400_000
"""Discord's epoch in Unix milliseconds, from which the timestamps in ids count."""
NONCE_LIVES = 300.0
"""Time in seconds for which Discord recognises a nonce."""
PER_CHANNEL, CHANNEL_WINDOW = 5, 5.0
"""Maximum number of posts per channel, and the window in seconds."""
PER_SECOND = 50
"""Maximum number of requests of the bot per second."""
PUBLISHED_AN_HOUR = 10
"""Maximum number of posts published per hour."""


class DiscordDouble(Directory):
    """The service. Without `buckets`, it has no rate limits, so that tests are faster."""

    def __init__(
        self, *, weather: Weather | None = None, buckets: bool = True, seed: int = 1, shards: int = 1
    ) -> None:
        super().__init__(shards)
        self.weather = weather or Weather()
        self.threads: list[dict[str, Any]] = []
        self.published: list[int] = []
        """Ids of the messages that were published."""
        self.interactions_over = False
        """Whether every answer to an interaction is refused as too late."""
        self.follow_ups_over = False
        """Whether every follow-up of an interaction's first answer is refused as too late."""
        self.callbacks: asyncio.Queue[tuple[str, dict[str, Any], float]] = asyncio.Queue()
        """Interaction id, body and time of each first answer."""
        self.answered: set[str] = set()
        """Ids of answered interactions: a second answer is refused."""
        self.follows: asyncio.Queue[tuple[str, dict[str, Any]]] = asyncio.Queue()
        """Method and body of each follow-up."""
        self.requests: list[tuple[str, str]] = []
        self.agents: set[str] = set()
        """User-Agents of all requests."""
        self.too_fast = 0
        """Number of requests over the bot's rate limit."""
        self.too_fast_in_channel = 0
        """Number of posts over a channel's rate limit."""
        self.token = "token"
        self.hides_history = False
        self.gone: set[int] = set()
        """Ids of channels that don't exist."""
        self.url = ""
        self._buckets = buckets
        self._random = random.Random(seed)
        self._windows: dict[int, deque[float]] = {}
        self._second: deque[float] = deque()
        self._nonces: dict[tuple[int, str], Posted] = {}
        self._ids = 0

    @asynccontextmanager
    async def serve(self, port: int = 0) -> AsyncIterator["DiscordDouble"]:
        """Listen on the loopback interface."""
        app = web.Application(middlewares=[self._check])
        self.add_routes(app)
        add = app.router.add_route
        add("GET", "/ws/", self.gateway.connect)
        add("POST", "/api/channels/{channel}/messages", self._post)
        add("GET", "/api/channels/{channel}/messages", self._history)
        add("GET", "/api/channels/{channel}/messages/{message}", self._message)
        add("PATCH", "/api/channels/{channel}/messages/{message}", self._edit)
        add("POST", "/api/channels/{channel}/threads", self._forum_post)
        add("POST", "/api/channels/{channel}/messages/{message}/threads", self._thread)
        add("GET", "/api/guilds/{guild}/threads/active", self._active)
        add("GET", "/api/channels/{channel}/threads/archived/public", self._archived)
        add("POST", "/api/channels/{channel}/messages/{message}/crosspost", self._publish)
        add("POST", "/api/interactions/{id}/{token}/callback", self._callback)
        add("POST", "/api/webhooks/{app}/{token}", self._follow_up)
        add("PATCH", "/api/webhooks/{app}/{token}/messages/@original", self._follow_up)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        host = f"127.0.0.1:{runner.addresses[0][1]}"
        self.url, self.gateway.url = f"http://{host}/api", f"ws://{host}/ws/"
        try:
            with openapi.judged():
                yield self
        finally:
            await self.gateway.close()
            await runner.cleanup()

    def counts(self) -> Mapping[str, int]:
        """Return the number of messages with each nonce."""
        found: dict[str, int] = {}
        for message in self.messages:
            found[message.nonce] = found.get(message.nonce, 0) + 1
        return found

    @web.middleware
    async def _check(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith("/ws"):
            return await handler(request)
        self.requests.append((request.method, request.path.removeprefix("/api")))
        body = await request.json() if request.can_read_body else None
        openapi.judge(request.method, request.path.removeprefix("/api"), request.query, body)
        self.agents.add(request.headers.get("User-Agent", ""))
        spell = self.weather.spell
        if self.weather.firewall and self.weather.firewall in await request.text():
            spell = RawAnswer(status=403, body=b"<html><title>Request rejected</title></html>")
        if spell is not None:
            return await spell.send(request)
        open_to_all = "/interactions/" in request.path or "/webhooks/" in request.path
        if not open_to_all and request.headers.get("Authorization") != f"Bot {self.token}":
            return refused(401, 0, "401: Unauthorized")
        if request.method in {"POST", "PUT", "PATCH"} and request.can_read_body:
            assert request.headers["Content-Type"] == "application/json"
        if not open_to_all and (limited := self._check_global_limit()):
            return limited
        channel = int(request.match_info.get("channel", 0))
        if channel in self.gone or self._lacks_thread(channel):
            return refused(404, 10003, "Unknown Channel")
        try:
            return await handler(request)
        except KeyError as error:
            raise AssertionError(f"a request lacks {error}") from error

    def _lacks_thread(self, channel: int) -> bool:
        """Whether the id is that of a message without a thread."""
        is_message = any(message.id == channel for message in self.messages)
        return is_message and not any(thread["id"] == str(channel) for thread in self.threads)

    def _check_global_limit(self) -> web.Response | None:
        """Enforce the bot's rate limit."""
        if not self._buckets:
            return None
        now = monotonic()
        while self._second and self._second[0] <= now - 1.0:
            self._second.popleft()
        if len(self._second) >= PER_SECOND:
            self.too_fast += 1
            return limited(self._second[0] + 1.0 - now, everywhere=True)
        self._second.append(now)
        return None

    async def _post(self, request: web.Request) -> web.StreamResponse:
        channel, body = int(request.match_info["channel"]), await request.json()
        if self.kinds.get(channel, TEXT) == FORUM:
            return refused(400, 50008, "Cannot send messages in a non-text channel")
        if answer := await self._refusal(request, channel):
            return answer
        headers, limited = self._bucket(channel)
        if limited:
            return limited
        nonce = str(body.get("nonce", ""))
        assert len(nonce) <= 25
        assert body.get("enforce_nonce") is True
        return await self._with_faults(
            request, lambda: self._shown(self._store(channel, nonce, body)), headers
        )

    async def _refusal(self, request: web.Request, channel: int) -> web.StreamResponse | None:
        if answer := self.weather.answers.get(channel):
            return await answer.send(request)
        if code := self.weather.refuse.get(channel):
            return refused(*code, "no")
        if self.kinds.get(channel) == DIRECT:
            return None
        allowed = self.permissions_in(channel)
        if not allowed & VIEW:
            return refused(403, 50001, "Missing Access")
        needed = SEND_IN_THREADS if channel in self.parents else SEND
        return None if allowed & needed else refused(403, 50013, "Missing Permissions")

    async def _with_faults(
        self, request: web.Request, store: Callable[[], dict[str, Any]], headers: Mapping[str, str]
    ) -> web.StreamResponse:
        """Store a post and answer it, or fail according to `weather`."""
        fault = self._fault()
        if fault == "429":
            return self._rate_limited()
        failed = fault in {"500", "502", "503"}
        if failed and self._random.random() < self.weather.untaken:
            return web.Response(status=int(fault or 500))
        shown = store()
        if fault == "lose":
            assert request.transport is not None
            request.transport.abort()
        if failed:
            return web.Response(status=int(fault or 500))
        return json_answer(shown, headers=headers)

    def _bucket(self, channel: int) -> tuple[dict[str, str], web.Response | None]:
        """Enforce a channel's rate limit."""
        if not self._buckets:
            return {}, None
        now, window = monotonic(), self._windows.setdefault(channel, deque())
        while window and window[0] <= now - CHANNEL_WINDOW:
            window.popleft()
        reset = window[0] + CHANNEL_WINDOW - now if window else CHANNEL_WINDOW
        if len(window) >= PER_CHANNEL:
            self.too_fast_in_channel += 1
            return {}, limited(reset)
        window.append(now)
        return {
            "X-RateLimit-Bucket": "messages",
            "X-RateLimit-Limit": str(PER_CHANNEL),
            "X-RateLimit-Remaining": str(PER_CHANNEL - len(window)),
            "X-RateLimit-Reset-After": f"{reset:.3f}",
            "X-RateLimit-Reset": f"{time() + reset:.3f}",
        }, None

    def _fault(self) -> Fault | None:
        weather = self.weather
        if weather.queue:
            return weather.queue.popleft()
        dice = self._random.random()
        if dice < weather.lose:
            return "lose"
        if dice < weather.lose + weather.limit:
            return "429"
        if dice < weather.lose + weather.limit + weather.error:
            return self._random.choice(("500", "502", "503"))
        return None

    def _rate_limited(self) -> web.Response:
        if self.weather.without_via:
            return web.Response(status=429, text="error code: 1015", headers={"Retry-After": "30"})
        return limited(self.weather.retry_after)

    def _store(self, channel: int, nonce: str, body: dict[str, Any]) -> Posted:
        known = self._nonces.get((channel, nonce))
        if known and nonce and known.at > time() - NONCE_LIVES:
            return known
        message = Posted(self._snowflake(), channel, nonce, time(), body)
        self._nonces[channel, nonce] = message
        self.messages.append(message)
        return message

    def _snowflake(self) -> int:
        self._ids += 1
        return (int(time() * 1000) - EPOCH << 22) + self._ids

    def _shown(self, message: Posted) -> dict[str, Any]:
        """Return a message as Discord's JSON."""
        return {
            "id": str(message.id),
            "channel_id": str(message.channel),
            "author": USER,
            "content": message.body.get("content") or "",
            "timestamp": datetime.fromtimestamp(message.at, UTC).isoformat(),
            "edited_timestamp": None,
            "tts": False,
            "mention_everyone": False,
            "mentions": [],
            "mention_roles": [],
            "attachments": [],
            "embeds": message.body.get("embeds", []),
            "components": message.body.get("components", []),
            "flags": message.body.get("flags", 0),
            "pinned": False,
            "type": 0,
        }

    async def _history(self, request: web.Request) -> web.Response:
        if self.hides_history:
            return json_answer([])
        channel, after = int(request.match_info["channel"]), int(request.query.get("after", 0))
        before = int(request.query.get("before", 1 << 63))
        limit = int(request.query.get("limit", 50))
        found = [m for m in self.messages if m.channel == channel and after < m.id < before]
        some = found[:limit] if after else found[-limit:]
        return json_answer([self._shown(message) for message in reversed(some)])

    async def _message(self, request: web.Request) -> web.Response:
        wanted = int(request.match_info["message"])
        for message in self.messages:
            if message.id == wanted:
                return json_answer(self._shown(message))
        return refused(404, 10008, "Unknown Message")

    async def _edit(self, request: web.Request) -> web.Response:
        wanted, body = int(request.match_info["message"]), await request.json()
        message = next(message for message in self.messages if message.id == wanted)
        message.body.update({name: value for name, value in body.items() if value is not None})
        return json_answer(self._shown(message))

    async def _forum_post(self, request: web.Request) -> web.StreamResponse:
        channel, body = int(request.match_info["channel"]), await request.json()
        if answer := await self._refusal(request, channel):
            return answer
        assert 1 <= len(body["name"]) <= 100

        def store() -> dict[str, Any]:
            message = Posted(self._snowflake(), 0, "", time(), body["message"])
            thread = thread_payload(message.id, channel, body["name"], body.get("applied_tags", []))
            self.messages.append(message)
            self.threads.append(thread)
            return {**thread, "message": self._shown(message) | {"channel_id": thread["id"]}}

        return await self._with_faults(request, store, {})

    async def _thread(self, request: web.Request) -> web.Response:
        message, channel = int(request.match_info["message"]), int(request.match_info["channel"])
        if any(thread["id"] == str(message) for thread in self.threads):
            return refused(400, 160004, "A thread has already been created for this message")
        if not any(posted.id == message for posted in self.messages):
            return refused(404, 10008, "Unknown Message")
        thread = thread_payload(message, channel, (await request.json())["name"], [])
        self.threads.append(thread)
        return json_answer(thread)

    async def _active(self, _request: web.Request) -> web.Response:
        return json_answer(
            {"threads": [t for t in reversed(self.threads) if not is_archived(t)], "members": []}
        )

    async def _archived(self, request: web.Request) -> web.Response:
        """Return a page of a channel's archived threads, most recently archived first."""
        parent, before = request.match_info["channel"], request.query.get("before")
        found = [t for t in self.threads if is_archived(t) and t["parent_id"] == parent]
        found.sort(key=archived_at, reverse=True)
        if before:
            until = datetime.fromisoformat(before)
            found = [t for t in found if datetime.fromisoformat(archived_at(t)) < until]
        page = found[: int(request.query.get("limit", 50))]
        return json_answer({"threads": page, "members": [], "has_more": len(page) < len(found)})

    def archive(self, thread: dict[str, Any]) -> None:
        """Archive a thread, as a moderator does."""
        now = datetime.now(UTC).isoformat()
        thread["thread_metadata"] |= {"archived": True, "archive_timestamp": now}

    async def _publish(self, request: web.Request) -> web.Response:
        channel, message = int(request.match_info["channel"]), int(request.match_info["message"])
        if self.kinds.get(channel, TEXT) != NEWS:
            return refused(400, 50024, "Cannot execute action on this channel type")
        if message in self.published:
            return refused(400, 40033, "This message has already been crossposted")
        if len(self.published) >= PUBLISHED_AN_HOUR:
            return limited(3000.0)
        self.published.append(message)
        return json_answer(self._shown(next(posted for posted in self.messages if posted.id == message)))

    async def _callback(self, request: web.Request) -> web.Response:
        body = await request.json()
        if self.interactions_over:
            self.callbacks.put_nowait((request.match_info["id"], body, monotonic()))
            return refused(404, 10062, "Unknown interaction")
        if request.match_info["id"] in self.answered:
            return refused(400, 40060, "Interaction has already been acknowledged")
        self.answered.add(request.match_info["id"])
        self.callbacks.put_nowait((request.match_info["id"], body, monotonic()))
        shown = {"interaction": {"id": request.match_info["id"], "type": 2, "response_message_id": "1"}}
        return json_answer(shown)

    async def _follow_up(self, request: web.Request) -> web.Response:
        body = await request.json()
        if self.follow_ups_over:  # the interaction's 15 minutes are over
            self.follows.put_nowait((request.method, body))
            return refused(401, 50027, "Invalid Webhook Token")
        self.follows.put_nowait((request.method, body))
        return json_answer(self._shown(Posted(self._snowflake(), 1, "", time(), body)))
