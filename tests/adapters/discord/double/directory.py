"""The parts of Discord's REST API that posts don't change: the server, its people, roles and commands."""

from collections import deque
from typing import Any

from aiohttp import web

from tests.adapters.discord.double.faults import RawAnswer
from tests.adapters.discord.double.gateway import GatewayDouble
from tests.adapters.discord.double.payloads import (
    APPLICATION,
    BOT,
    DIRECT,
    GUILD,
    MEMBER,
    TEXT,
    USER,
    USER_INSTALL_IS_OFF,
    Posted,
    guild_payload,
    json_answer,
    person_payload,
    refused,
    thread_payload,
)

MENUS = 5
"""Maximum number of message commands of an app; Discord has allowed more since March 2026."""
ADMINISTRATOR, VIEW, SEND, SEND_IN_THREADS = 1 << 3, 1 << 10, 1 << 11, 1 << 38
"""Permission bits."""
COMMAND, ON_MESSAGE = 1, 3
"""Types of commands."""


def sync_problem(commands: list[dict[str, Any]]) -> str:
    """Return the reason why Discord would refuse these commands, or ""."""
    menus = [command for command in commands if command.get("type") == ON_MESSAGE]
    if len(menus) > MENUS:
        return "too many commands on messages"
    for command in menus:
        if not 1 <= len(command["name"]) <= 32 or command.get("description") or command.get("options"):
            return f"{command['name']}: a name of 1 to 32 characters, and no description or options"
        if any(len(name) > 32 for name in (command.get("name_localizations") or {}).values()):
            return f"{command['name']}: a translated name is too long"
    names = [(command.get("type", COMMAND), command["name"]) for command in commands]
    return "" if len(names) == len(set(names)) else "two commands have the same name"


class Directory:
    """One application in one server."""

    def __init__(self, shards: int) -> None:
        self.messages: list[Posted] = []
        self.commands: list[Any] = []
        self.syncs = 0
        """Number of syncs that had an effect."""
        self.sync_answers = deque[RawAnswer]()
        """Answers to the next syncs, which have no effect."""
        self.user_install = True
        """Whether people can install the application for themselves: a switch in the developer portal."""
        self.kinds: dict[int, int] = {}
        self.shards = shards
        self.left: set[int] = set()
        """People who are no longer in the server."""
        self.more_roles: list[tuple[int, str]] = []
        """Id and name of each role except @everyone. Roles don't grant permissions."""
        self.roles: dict[int, list[str]] = {}
        """Person -> roles."""
        self.overwrites: dict[int, list[dict[str, Any]]] = {}
        """Channel -> its permission overwrites."""
        self.parents: dict[int, int] = {}
        """Thread -> its channel."""
        self.thread_members: set[tuple[int, int]] = set()
        """Private thread and a person who was added to it."""
        self.allowed_by_name: set[str] = set()
        """Ids of people and roles for which the server's settings allow `/paper`."""
        self.permissions = (1 << 52) - 1
        """The permissions of @everyone."""
        self.gateway = GatewayDouble()

    def permissions_in(self, channel: int) -> int:
        """Return Paperboy's permissions in a channel: those of @everyone, changed by the channel's overwrites."""
        allowed = self.permissions
        if allowed & ADMINISTRATOR:
            return allowed
        rules = {rule["id"]: rule for rule in self.overwrites.get(self.parents.get(channel, channel), [])}
        for who in (str(GUILD), str(BOT)):
            if who in rules:
                allowed = allowed & ~int(rules[who]["deny"]) | int(rules[who]["allow"])
        return allowed

    def add_routes(self, app: web.Application) -> None:
        """Add the routes of this part of the API."""
        add = app.router.add_route
        add("GET", "/api/users/@me", self._me)
        add("GET", "/api/users/@me/guilds", self._my_guilds)
        add("GET", "/api/oauth2/applications/@me", self._application)
        add("GET", "/api/gateway/bot", self._gateway)
        add("PUT", "/api/applications/{app}/commands", self._sync)
        add("GET", "/api/applications/{app}/commands", self._commands)
        add("GET", "/api/channels/{channel}", self._channel)
        add("GET", "/api/guilds/{guild}", self._guild)
        add("GET", "/api/guilds/{guild}/members/{user}", self._member)
        add("GET", "/api/channels/{channel}/thread-members/{user}", self._thread_member)
        add(
            "GET",
            "/api/applications/{app}/guilds/{guild}/commands/{command}/permissions",
            self._command_permissions,
        )
        add("POST", "/api/users/@me/channels", self._direct)

    async def _sync(self, request: web.Request) -> web.StreamResponse:
        sent = await request.json()
        if self.sync_answers:
            return await self.sync_answers.popleft().send(request)
        if not self.user_install and any(1 in command.get("integration_types", ()) for command in sent):
            return refused(400, 50035, "Invalid Form Body", errors=USER_INSTALL_IS_OFF)
        if problem := sync_problem(sent):
            return refused(400, 50035, "Invalid Form Body", errors=problem)
        entry_points = [command["id"] for command in self.commands if command["type"] == 4]
        if any(known not in {command.get("id") for command in sent} for known in entry_points):
            return refused(400, 50240, "You cannot remove this app's Entry Point command in a bulk update")
        facts = {"application_id": str(APPLICATION), "version": "1", "default_member_permissions": None}
        self.commands = [{"id": str(n + 1), **command, **facts} for n, command in enumerate(sent)]
        self.syncs += 1
        return json_answer(self.commands)

    async def _commands(self, _request: web.Request) -> web.Response:
        return json_answer(self.commands)

    async def _channel(self, request: web.Request) -> web.Response:
        channel = int(request.match_info["channel"])
        kind = self.kinds.get(channel, TEXT)
        if kind == DIRECT:
            return json_answer(
                {"id": str(channel), "type": DIRECT, "recipients": [person_payload(channel - 1)]}
            )
        if channel in self.parents:
            return json_answer(thread_payload(channel, self.parents[channel], "t", []) | {"type": kind})
        last = next((message.id for message in reversed(self.messages) if message.channel == channel), None)
        return json_answer(
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
        return json_answer(payload | {"roles": [everyone, *(everyone | role for role in named)]})

    async def _member(self, request: web.Request) -> web.Response:
        person = int(request.match_info["user"])
        if person in self.left:
            return refused(404, 10007, "Unknown Member")
        return json_answer(MEMBER | {"user": person_payload(person), "roles": self.roles.get(person, [])})

    async def _thread_member(self, request: web.Request) -> web.Response:
        thread, person = int(request.match_info["channel"]), int(request.match_info["user"])
        if (thread, person) not in self.thread_members:
            return refused(404, 10007, "Unknown Member")
        at = "2026-01-01T00:00:00+00:00"
        return json_answer({"id": str(thread), "user_id": str(person), "join_timestamp": at, "flags": 0})

    async def _command_permissions(self, request: web.Request) -> web.Response:
        if not self.allowed_by_name:
            return refused(404, 10066, "Unknown application command permissions")
        rules = [{"id": name, "type": 2, "permission": True} for name in sorted(self.allowed_by_name)]
        ids = {"application_id": str(APPLICATION), "guild_id": str(GUILD)}
        return json_answer({"id": request.match_info["command"], **ids, "permissions": rules})

    async def _direct(self, request: web.Request) -> web.Response:
        person = int((await request.json())["recipient_id"])
        return json_answer({"id": str(person + 1), "type": DIRECT, "recipients": [person_payload(person)]})

    async def _my_guilds(self, _request: web.Request) -> web.Response:
        return json_answer([guild for guilds in self.gateway.guilds.values() for guild in guilds])

    async def _me(self, _request: web.Request) -> web.Response:
        return json_answer(USER)

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
        return json_answer({**facts, **more})

    async def _gateway(self, _request: web.Request) -> web.Response:
        limit = {
            "total": 1000,
            "remaining": self.gateway.remaining,
            "reset_after": 1000,
            "max_concurrency": 1,
        }
        return json_answer({"url": self.gateway.url, "shards": self.shards, "session_start_limit": limit})
