"""Discord's REST interface over HTTP, as strict as the real one about nonces and rates, and as unreliable as wanted.

Every message is written down before it is answered for, or not answered for. A log on disk lets a test kill the
bot and judge by what was there.
"""

import asyncio
import json
import random
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic, time
from typing import Any, Literal

from aiohttp import web

from tests.adapters.discord.double import openapi
from tests.adapters.discord.double.gateway import GatewayDouble

EPOCH = 1_420_070_400_000
APPLICATION, BOT, GUILD = 900, 901, 1000
TEXT, DIRECT, NEWS, PRIVATE_THREAD, FORUM = 0, 1, 5, 12, 15
NONCE_LIVES = 300.0
"""Seconds in which Discord knows a nonce again."""
PER_CHANNEL, CHANNEL_WINDOW = 5, 5.0
PER_SECOND = 50
PUBLISHED_AN_HOUR = 10

Fault = Literal["lose", "500", "502", "503", "429"]


@dataclass(frozen=True, slots=True)
class Posted:
    """A message that Discord took."""

    id: int
    channel: int
    nonce: str
    at: float
    body: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class RawAnswer:
    """An answer byte by byte, as Discord, Cloudflare or a proxy may give it. Nothing that it answers is taken."""

    status: int
    body: bytes = b""
    content_type: str = "text/html"
    headers: Mapping[str, str] = field(default_factory=dict)
    cut_off: bool = False
    """The connection ends in the middle of the body."""
    hangs: bool = False
    """It never comes."""

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
    """How often what goes wrong with posts, as shares of them."""

    lose: float = 0.0
    """Taken, and the connection dropped before the answer."""
    limit: float = 0.0
    """429, not taken."""
    error: float = 0.0
    """500, 502 or 503."""
    untaken: float = 0.5
    """How many of those posts were not taken."""
    retry_after: float = 0.3
    refuse: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Channel -> status and code of every post there."""
    answers: dict[int, RawAnswer] = field(default_factory=dict)
    """Channel -> the answer to every post there, whatever is posted."""
    spell: RawAnswer | None = None
    """The answer to every request, as long as the spell lasts."""
    queue: deque[Fault] = field(default_factory=deque)
    """What happens to the next posts, before chance decides."""
    without_via: bool = False
    """A 429 comes from a proxy in front of Discord, in words."""


class DiscordDouble:
    """The service. `buckets` switches its limits on; tests that are about something else go faster without."""

    def __init__(
        self, *, weather: Weather | None = None, buckets: bool = True, seed: int = 1, shards: int = 1
    ) -> None:
        self.weather = weather or Weather()
        self.messages: list[Posted] = []
        self.threads: list[dict[str, Any]] = []
        self.published: list[int] = []
        """Messages that were sent on to followers."""
        self.interactions_over = False
        """Every answer to an interaction comes too late."""
        self.callbacks: asyncio.Queue[tuple[str, dict[str, Any], float]] = asyncio.Queue()
        """Interaction id, body, and when it came, of each first answer."""
        self.follows: asyncio.Queue[tuple[str, dict[str, Any]]] = asyncio.Queue()
        """Method and body of what comes after a first answer."""
        self.requests: list[tuple[str, str]] = []
        self.agents: set[str] = set()
        """Every User-Agent that a request had."""
        self.too_fast = 0
        """Requests over the bot's fifty a second."""
        self.too_fast_in_channel = 0
        """Posts over a channel's five in five seconds."""
        self.commands: list[Any] = []
        self.syncs = 0
        """Syncs that were taken."""
        self.sync_answers: deque[RawAnswer] = deque()
        """Answers to the next syncs, which aren't taken."""
        self.user_install = True
        """Whether people may install the application for themselves: a switch in the developer portal."""
        self.kinds: dict[int, int] = {}
        self.token = "token"
        self.shards = shards
        self.hides_history = False
        self.gone: set[int] = set()
        """Channels that were deleted, or never were: nothing can be done in them."""
        self.left: set[int] = set()
        """People who are no longer in the server."""
        self.more_roles: list[tuple[int, str]] = []
        """Id and name of each role beyond @everyone; they give no permission by themselves."""
        self.roles: dict[int, list[str]] = {}
        """Person -> roles."""
        self.overwrites: dict[int, list[dict[str, Any]]] = {}
        """Channel -> its permission overwrites."""
        self.parents: dict[int, int] = {}
        """Thread -> the channel that it is in."""
        self.thread_members: set[tuple[int, int]] = set()
        """Private thread, and a person who was added to it."""
        self.allowed_by_name: set[str] = set()
        """People and roles that the server's settings allow `/paper` to."""
        self.permissions = (1 << 52) - 1
        """What everybody may do in the server."""
        self.gateway = GatewayDouble()
        self.url = ""
        self._buckets = buckets
        self._random = random.Random(seed)
        self._windows: dict[int, deque[float]] = {}
        self._second: deque[float] = deque()
        self._nonces: dict[tuple[int, str], Posted] = {}
        self._ids = 0

    @asynccontextmanager
    async def serve(self, port: int = 0) -> AsyncIterator["DiscordDouble"]:
        """Listen on the loopback."""
        app = web.Application(middlewares=[self._guarded])
        add = app.router.add_route
        add("GET", "/api/users/@me", self._me)
        add("GET", "/api/users/@me/guilds", self._my_guilds)
        add("GET", "/api/oauth2/applications/@me", self._application)
        add("GET", "/api/gateway/bot", self._gateway)
        add("GET", "/ws/", self.gateway.connect)
        add("PUT", "/api/applications/{app}/commands", self._sync)
        add("GET", "/api/applications/{app}/commands", self._commands)
        add("GET", "/api/channels/{channel}", self._channel)
        add("POST", "/api/channels/{channel}/messages", self._post)
        add("GET", "/api/channels/{channel}/messages", self._history)
        add("GET", "/api/channels/{channel}/messages/{message}", self._message)
        add("PATCH", "/api/channels/{channel}/messages/{message}", self._edit)
        add("POST", "/api/channels/{channel}/threads", self._forum_post)
        add("POST", "/api/channels/{channel}/messages/{message}/threads", self._thread)
        add("GET", "/api/guilds/{guild}/threads/active", self._active)
        add("GET", "/api/channels/{channel}/threads/archived/public", self._archived)
        add("POST", "/api/channels/{channel}/messages/{message}/crosspost", self._publish)
        add("GET", "/api/guilds/{guild}", self._guild)
        add("GET", "/api/guilds/{guild}/members/{user}", self._member)
        add("GET", "/api/channels/{channel}/thread-members/{user}", self._thread_member)
        add("GET", "/api/applications/{app}/guilds/{guild}/commands/{command}/permissions", self._rules)
        add("POST", "/api/users/@me/channels", self._direct)
        add("POST", "/api/interactions/{id}/{token}/callback", self._callback)
        add("POST", "/api/webhooks/{app}/{token}", self._follow)
        add("PATCH", "/api/webhooks/{app}/{token}/messages/@original", self._follow)
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
        """Mark -> how many messages carry it, a post's nonce being its mark."""
        found: dict[str, int] = {}
        for message in self.messages:
            found[message.nonce] = found.get(message.nonce, 0) + 1
        return found

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if request.path.startswith("/ws"):
            return await handler(request)  # type: ignore[no-any-return]
        self.requests.append((request.method, request.path.removeprefix("/api")))
        body = await request.json() if request.can_read_body else None
        openapi.judge(request.method, request.path.removeprefix("/api"), request.query, body)
        self.agents.add(request.headers.get("User-Agent", ""))
        if self.weather.spell is not None:
            return await self.weather.spell.send(request)
        open_to_all = "/interactions/" in request.path or "/webhooks/" in request.path
        if not open_to_all and request.headers.get("Authorization") != f"Bot {self.token}":
            return _refused(401, 0, "401: Unauthorized")
        if request.method in {"POST", "PUT", "PATCH"} and request.can_read_body:
            assert request.headers["Content-Type"] == "application/json"
        if not open_to_all and (limited := self._over_all()):
            return limited
        if int(request.match_info.get("channel", 0)) in self.gone:
            return _refused(404, 10003, "Unknown Channel")
        try:
            return await handler(request)  # type: ignore[no-any-return]
        except KeyError as error:
            raise AssertionError(f"a request lacks {error}") from error

    def _over_all(self) -> web.Response | None:
        """The bot's fifty requests a second."""
        if not self._buckets:
            return None
        now = monotonic()
        while self._second and self._second[0] <= now - 1.0:
            self._second.popleft()
        if len(self._second) >= PER_SECOND:
            self.too_fast += 1
            return _limited(self._second[0] + 1.0 - now, everywhere=True)
        self._second.append(now)
        return None

    async def _post(self, request: web.Request) -> web.StreamResponse:
        channel, body = int(request.match_info["channel"]), await request.json()
        if self.kinds.get(channel, TEXT) == FORUM:
            return _refused(400, 50008, "Cannot send messages in a non-text channel")
        if refused := await self._refusal(request, channel):
            return refused
        headers, limited = self._bucket(channel)
        if limited:
            return limited
        nonce = str(body.get("nonce", ""))
        assert len(nonce) <= 25
        assert body.get("enforce_nonce") is True
        return await self._with_faults(
            request, lambda: self._shown(self._take(channel, nonce, body)), headers
        )

    async def _refusal(self, request: web.Request, channel: int) -> web.StreamResponse | None:
        if answer := self.weather.answers.get(channel):
            return await answer.send(request)
        refused = self.weather.refuse.get(channel)
        return _refused(*refused, "no") if refused else None

    async def _with_faults(
        self, request: web.Request, take: Callable[[], dict[str, Any]], headers: Mapping[str, str]
    ) -> web.StreamResponse:
        """Take a post and answer for it, as far as the weather allows."""
        fault = self._fault()
        if fault == "429":
            return self._turned_away()
        failed = fault in {"500", "502", "503"}
        if failed and self._random.random() < self.weather.untaken:
            return web.Response(status=int(fault or 500))
        shown = take()
        if fault == "lose":
            assert request.transport is not None
            request.transport.abort()
        if failed:
            return web.Response(status=int(fault or 500))
        return _json(shown, headers=headers)

    def _bucket(self, channel: int) -> tuple[dict[str, str], web.Response | None]:
        """Five messages in five seconds a channel."""
        if not self._buckets:
            return {}, None
        now, window = monotonic(), self._windows.setdefault(channel, deque())
        while window and window[0] <= now - CHANNEL_WINDOW:
            window.popleft()
        reset = window[0] + CHANNEL_WINDOW - now if window else CHANNEL_WINDOW
        if len(window) >= PER_CHANNEL:
            self.too_fast_in_channel += 1
            return {}, _limited(reset)
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

    def _turned_away(self) -> web.Response:
        if self.weather.without_via:
            return web.Response(status=429, text="error code: 1015", headers={"Retry-After": "30"})
        return _limited(self.weather.retry_after)

    def _take(self, channel: int, nonce: str, body: dict[str, Any]) -> Posted:
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
        """A message as Discord gives it."""
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
            return _json([])
        channel, after = int(request.match_info["channel"]), int(request.query.get("after", 0))
        before = int(request.query.get("before", 1 << 63))
        limit = int(request.query.get("limit", 50))
        found = [m for m in self.messages if m.channel == channel and after < m.id < before]
        some = found[:limit] if after else found[-limit:]
        return _json([self._shown(message) for message in reversed(some)])

    async def _message(self, request: web.Request) -> web.Response:
        wanted = int(request.match_info["message"])
        for message in self.messages:
            if message.id == wanted:
                return _json(self._shown(message))
        return _refused(404, 10008, "Unknown Message")

    async def _edit(self, request: web.Request) -> web.Response:
        wanted, body = int(request.match_info["message"]), await request.json()
        message = next(message for message in self.messages if message.id == wanted)
        message.body.update({name: value for name, value in body.items() if value is not None})
        return _json(self._shown(message))

    async def _forum_post(self, request: web.Request) -> web.StreamResponse:
        channel, body = int(request.match_info["channel"]), await request.json()
        if refused := await self._refusal(request, channel):
            return refused
        assert 1 <= len(body["name"]) <= 100

        def take() -> dict[str, Any]:
            message = Posted(self._snowflake(), 0, "", time(), body["message"])
            thread = _thread(message.id, channel, body["name"], body.get("applied_tags", []))
            self.messages.append(message)
            self.threads.append(thread)
            return {**thread, "message": self._shown(message) | {"channel_id": thread["id"]}}

        return await self._with_faults(request, take, {})

    async def _thread(self, request: web.Request) -> web.Response:
        message, channel = int(request.match_info["message"]), int(request.match_info["channel"])
        if any(thread["id"] == str(message) for thread in self.threads):
            return _refused(400, 160004, "A thread has already been created for this message")
        thread = _thread(message, channel, (await request.json())["name"], [])
        self.threads.append(thread)
        return _json(thread)

    async def _active(self, _request: web.Request) -> web.Response:
        return _json({"threads": [t for t in reversed(self.threads) if not _is_archived(t)], "members": []})

    async def _archived(self, request: web.Request) -> web.Response:
        """A page of a channel's archived threads, the latest archived first."""
        parent, before = request.match_info["channel"], request.query.get("before")
        found = [t for t in self.threads if _is_archived(t) and t["parent_id"] == parent]
        found.sort(key=_archived_at, reverse=True)
        if before:
            until = datetime.fromisoformat(before)
            found = [t for t in found if datetime.fromisoformat(_archived_at(t)) < until]
        page = found[: int(request.query.get("limit", 50))]
        return _json({"threads": page, "members": [], "has_more": len(page) < len(found)})

    def archive(self, thread: dict[str, Any]) -> None:
        """As a moderator does who closes it."""
        now = datetime.now(UTC).isoformat()
        thread["thread_metadata"] |= {"archived": True, "archive_timestamp": now}

    async def _publish(self, request: web.Request) -> web.Response:
        channel, message = int(request.match_info["channel"]), int(request.match_info["message"])
        if self.kinds.get(channel, TEXT) != NEWS:
            return _refused(400, 50024, "Cannot execute action on this channel type")
        if message in self.published:
            return _refused(400, 40033, "This message has already been crossposted")
        if len(self.published) >= PUBLISHED_AN_HOUR:
            return _limited(3000.0)
        self.published.append(message)
        return _json(self._shown(next(posted for posted in self.messages if posted.id == message)))

    async def _callback(self, request: web.Request) -> web.Response:
        body = await request.json()
        if self.interactions_over:
            self.callbacks.put_nowait((request.match_info["id"], body, monotonic()))
            return _refused(404, 10062, "Unknown interaction")
        self.callbacks.put_nowait((request.match_info["id"], body, monotonic()))
        shown = {"interaction": {"id": request.match_info["id"], "type": 2, "response_message_id": "1"}}
        return _json(shown)

    async def _follow(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.follows.put_nowait((request.method, body))
        return _json(self._shown(Posted(self._snowflake(), 1, "", time(), body)))

    async def _sync(self, request: web.Request) -> web.StreamResponse:
        sent = await request.json()
        if self.sync_answers:
            return await self.sync_answers.popleft().send(request)
        if not self.user_install and any(1 in command.get("integration_types", ()) for command in sent):
            return _refused(400, 50035, "Invalid Form Body", errors=USER_INSTALL_IS_OFF)
        entry_points = [command["id"] for command in self.commands if command["type"] == 4]
        if any(known not in {command.get("id") for command in sent} for known in entry_points):
            return _refused(400, 50240, "You cannot remove this app's Entry Point command in a bulk update")
        facts = {"application_id": str(APPLICATION), "version": "1", "default_member_permissions": None}
        self.commands = [{"id": str(n + 1), **command, **facts} for n, command in enumerate(sent)]
        self.syncs += 1
        return _json(self.commands)

    async def _commands(self, _request: web.Request) -> web.Response:
        return _json(self.commands)

    async def _channel(self, request: web.Request) -> web.Response:
        channel = int(request.match_info["channel"])
        kind = self.kinds.get(channel, TEXT)
        if kind == DIRECT:
            return _json({"id": str(channel), "type": DIRECT, "recipients": [_person(channel - 1)]})
        if channel in self.parents:
            return _json(_thread(channel, self.parents[channel], "t", []) | {"type": kind})
        last = next((message.id for message in reversed(self.messages) if message.channel == channel), None)
        return _json(
            {
                "id": str(channel),
                "type": kind,
                "guild_id": str(GUILD),
                "name": f"c{channel}",
                "position": 0,
                "permission_overwrites": self.overwrites.get(channel, []),
                "last_message_id": str(last) if last else None,
                "available_tags": [],
                "flags": 0,
            }
        )

    async def _guild(self, _request: web.Request) -> web.Response:
        payload = guild_payload(self.permissions)
        (everyone,) = payload["roles"]
        named = [{"id": str(number), "name": name, "permissions": "0"} for number, name in self.more_roles]
        return _json(payload | {"roles": [everyone, *(everyone | role for role in named)]})

    async def _member(self, request: web.Request) -> web.Response:
        person = int(request.match_info["user"])
        if person in self.left:
            return _refused(404, 10007, "Unknown Member")
        return _json(MEMBER | {"user": _person(person), "roles": self.roles.get(person, [])})

    async def _thread_member(self, request: web.Request) -> web.Response:
        thread, person = int(request.match_info["channel"]), int(request.match_info["user"])
        if (thread, person) not in self.thread_members:
            return _refused(404, 10007, "Unknown Member")
        at = "2026-01-01T00:00:00+00:00"
        return _json({"id": str(thread), "user_id": str(person), "join_timestamp": at, "flags": 0})

    async def _rules(self, request: web.Request) -> web.Response:
        if not self.allowed_by_name:
            return _refused(404, 10066, "Unknown application command permissions")
        rules = [{"id": name, "type": 2, "permission": True} for name in sorted(self.allowed_by_name)]
        ids = {"application_id": str(APPLICATION), "guild_id": str(GUILD)}
        return _json({"id": request.match_info["command"], **ids, "permissions": rules})

    async def _direct(self, request: web.Request) -> web.Response:
        person = int((await request.json())["recipient_id"])
        return _json({"id": str(person + 1), "type": DIRECT, "recipients": [_person(person)]})

    async def _my_guilds(self, _request: web.Request) -> web.Response:
        return _json([guild for guilds in self.gateway.guilds.values() for guild in guilds])

    async def _me(self, _request: web.Request) -> web.Response:
        return _json(USER)

    async def _application(self, _request: web.Request) -> web.Response:
        facts = {
            "id": str(APPLICATION),
            "name": "paperboy",
            "icon": None,
            "description": "",
            "bot_public": True,
        }
        more = {
            "bot_require_code_grant": False,
            "verify_key": "0" * 64,
            "owner": USER,
            "flags": 0,
            "team": None,
        }
        return _json({**facts, **more})

    async def _gateway(self, _request: web.Request) -> web.Response:
        limit = {
            "total": 1000,
            "remaining": self.gateway.remaining,
            "reset_after": 1000,
            "max_concurrency": 1,
        }
        return _json({"url": self.gateway.url, "shards": self.shards, "session_start_limit": limit})


USER_INSTALL_IS_OFF = {
    "0": {"integration_types": {"1": {"_errors": [{"code": "ENUM_TYPE_COERCE", "message": "Not supported"}]}}}
}
USER: dict[str, Any] = {
    "id": str(BOT),
    "username": "paperboy",
    "discriminator": "0",
    "avatar": None,
    "bot": True,
}
MEMBER: dict[str, Any] = {
    "user": USER,
    "roles": [],
    "joined_at": "2026-01-01T00:00:00+00:00",
    "deaf": False,
    "mute": False,
    "flags": 0,
}


def _person(number: int) -> dict[str, Any]:
    return USER if number == BOT else {**USER, "id": str(number), "username": f"u{number}", "bot": False}


def guild_payload(permissions: int = (1 << 52) - 1) -> dict[str, Any]:
    """The one server."""
    everyone = {
        "id": str(GUILD),
        "name": "@everyone",
        "color": 0,
        "hoist": False,
        "position": 0,
        "mentionable": False,
    }
    colors = {"primary_color": 0, "secondary_color": None, "tertiary_color": None}
    role = {**everyone, "permissions": str(permissions), "managed": False, "flags": 0, "colors": colors}
    facts = {
        "id": str(GUILD),
        "name": "lab",
        "owner_id": "777",
        "roles": [role],
        "emojis": [],
        "features": [],
    }
    levels = {"verification_level": 0, "default_message_notifications": 0, "explicit_content_filter": 0}
    more = {
        "afk_timeout": 300,
        "mfa_level": 0,
        "premium_tier": 0,
        "preferred_locale": "en-US",
        "nsfw_level": 0,
    }
    return {
        **facts,
        **levels,
        **more,
        "premium_progress_bar_enabled": False,
        "system_channel_flags": 0,
        "stickers": [],
        "members": [MEMBER],
    }


def _is_archived(thread: Mapping[str, Any]) -> bool:
    return bool(thread["thread_metadata"]["archived"])


def _archived_at(thread: Mapping[str, Any]) -> str:
    return str(thread["thread_metadata"]["archive_timestamp"])


def _thread(thread: int, parent: int, name: str, tags: list[Any]) -> dict[str, Any]:
    return {
        "id": str(thread),
        "parent_id": str(parent),
        "guild_id": str(GUILD),
        "owner_id": str(BOT),
        "name": name,
        "type": 11,
        "applied_tags": [str(tag) for tag in tags],
        "message_count": 1,
        "member_count": 1,
        "rate_limit_per_user": 0,
        "flags": 0,
        "thread_metadata": {
            "archived": False,
            "auto_archive_duration": 1440,
            "archive_timestamp": "2026-01-01T00:00:00+00:00",
            "locked": False,
        },
    }


def _json(body: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """discord.py reads JSON only where the type is just this, without a charset."""
    kind = {"Content-Type": "application/json"}
    return web.Response(body=json.dumps(body).encode(), status=status, headers={**(headers or {}), **kind})


def _refused(status: int, code: int, message: str, **more: Any) -> web.Response:
    return _json({"code": code, "message": message, **more}, status=status)


def _limited(after: float, *, everywhere: bool = False) -> web.Response:
    body = {"message": "You are being rate limited.", "retry_after": round(after, 3), "global": everywhere}
    return _json(body, status=429, headers={"Via": "1.1 google", "Retry-After": f"{after:.3f}"})
