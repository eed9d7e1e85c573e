"""Slack's servers: the Web API, sockets, response URLs and OAuth."""

import asyncio
import json
from base64 import b64decode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from secrets import token_hex
from time import monotonic, time
from typing import Any

from aiohttp import web

from tests.adapters.slack.double.blocks import Refused, check
from tests.adapters.slack.double.faults import BODIES, Faults
from tests.adapters.slack.double.links import Ack, Http, Kind, Link, NotAcknowledged, Sockets
from tests.adapters.slack.double.methods import Methods
from tests.adapters.slack.double.oauth import OAuth
from tests.adapters.slack.double.people import Person
from tests.adapters.slack.double.world import (
    App,
    Call,
    Channel,
    Failed,
    Json,
    Message,
    Token,
    Workspace,
    World,
)

USES = 5
"""Maximum uses of a response_url, within LIVES seconds."""
LIVES = 1800
TRIGGER = 3.0
RETRIES = (0.0, 60.0, 300.0)
"""Waits in seconds before an unacknowledged event is sent again: https://docs.slack.dev/apis/events-api/#retries."""
OPEN_METHODS = frozenset({"oauth.v2.access"})


async def _at_once(_seconds: float) -> None:
    """Return at once, without waiting."""


class Slack:
    """The double. A test serves it, fills it with workspaces and people, and inspects it."""

    def __init__(self, manifest: Json) -> None:
        self.world = World(App(manifest=manifest))
        self.faults = Faults()
        self.sockets = Sockets(self.world.notify)
        self.methods = Methods(self.world)
        self.oauth = OAuth(self.world)
        self.link: Link = self.sockets
        self.acks: list[Ack] = []
        self.refused: list[str] = []
        """Reasons why blocks and answers were refused."""
        self.url = ""
        self.pass_time: Callable[[float], Awaitable[None]] = _at_once
        """Called with the wait in seconds before an event is sent again."""
        self.names_scopes = True
        """Whether answers have the header `x-oauth-scopes`, which some proxies remove."""
        self._responses: dict[str, Json] = {}

    @property
    def app(self) -> App:
        return self.world.app

    @asynccontextmanager
    async def serve(self) -> AsyncIterator["Slack"]:
        """Listen on the loopback interface."""
        site = web.Application(client_max_size=2**22)
        site.router.add_route("*", "/api/{method}", self._api)
        site.router.add_get("/socket", self._socket)
        site.router.add_post("/response/{id}", self._respond)
        site.router.add_post("/upload/{id}", self._upload)
        runner = web.AppRunner(site, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = self.methods.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            self.sockets.cut()
            await runner.cleanup()

    @property
    def api_url(self) -> str:
        """The value of SLACK_API_URL."""
        return f"{self.url}/api/"

    @property
    def http_settings(self) -> dict[str, str]:
        """Environment variables for receiving events over HTTP, except the operator's secret key."""
        return {
            "SLACK_API_URL": self.api_url,
            "SLACK_SIGNING_SECRET": self.app.signing_secret,
            "SLACK_CLIENT_ID": self.app.client_id,
            "SLACK_CLIENT_SECRET": self.app.client_secret,
        }

    def at(self, address: str) -> Http:
        """From now on, reach the app over HTTP."""
        http = Http(self.app, address)
        self.link = http
        return http

    def workspace(self, name: str = "lab") -> Workspace:
        """Add a workspace without the app."""
        workspace = Workspace(id=self.world.new_id("T"), name=name)
        self.world.workspaces[workspace.id] = workspace
        return workspace

    def person(self, workspace: Workspace, name: str = "ada", **facts: Any) -> Person:
        """Add a person to a workspace."""
        user = self.world.new_id("U")
        workspace.people[user] = {"id": user, "name": name, "is_admin": False, "is_owner": False, **facts}
        return Person(self, workspace, user)

    def channel(self, workspace: Workspace, name: str, *people: Person, private: bool = False) -> Channel:
        """Add a channel with these people; the first one is its creator."""
        channel = Channel(
            id=self.world.new_id("C"),
            name=name,
            private=private,
            creator=people[0].user if people else "",
            members={person.user for person in people},
        )
        workspace.channels[channel.id] = channel
        return channel

    async def until(self, condition: Callable[[], Any], seconds: float = 20.0) -> Any:
        """Wait until `condition` returns something truthy, and return it."""
        async with asyncio.timeout(seconds), self.world.changed:
            while not (found := condition()):
                await self.world.changed.wait()
        return found

    async def send(self, kind: Kind, payload: Json) -> Ack:
        """Send something to the app, once. Raises NotAcknowledged."""
        ack = await self.link.send(kind, payload)
        self.acks.append(ack)
        return ack

    async def rate_limited(self, workspace: Workspace) -> Ack:
        """Inform the app that Slack drops events for a minute. Raises NotAcknowledged."""
        payload = {
            "type": "app_rate_limited",
            "team_id": workspace.id,
            "minute_rate_limited": int(time()),
            "api_app_id": self.app.id,
        }
        return await self.send("events_api", payload)

    async def event(self, workspace: Workspace, event: Json, *, event_id: str = "") -> None:
        """Send an event if the manifest subscribes to it; retry up to three times until the app acknowledges it."""
        if event["type"] not in self.app.events:
            return
        payload = {
            "type": "event_callback",
            "event_id": event_id or self.world.new_id("Ev"),
            "event_time": event.get("event_ts", int(time())),
            "team_id": workspace.id,
            "api_app_id": self.app.id,
            "event": event,
            "authorizations": [
                {
                    "team_id": workspace.id,
                    "user_id": workspace.bot_user,
                    "is_bot": True,
                    "is_enterprise_install": False,
                }
            ],
        }
        retry: tuple[int, str] | None = None
        for number, wait in enumerate((*RETRIES, None), 1):
            try:
                self.acks.append(await self.link.send("events_api", payload, retry))
            except NotAcknowledged as error:
                self.refused.append(str(error))
                retry = number, "http_error" if "HTTP" in str(error) else "http_timeout"
            else:
                return
            if wait is not None:
                await self.pass_time(wait)

    def trigger(self, user: str) -> str:
        """Return a new trigger id."""
        trigger = f"{token_hex(6)}.{token_hex(4)}"
        self.methods.triggers[trigger] = (time() + TRIGGER, user)
        return trigger

    def response_url(self, channel: Channel, user: str, trigger: str, source: Message | None = None) -> str:
        """Return a new response_url for an action of `user` in `channel`, by a button of `source` if it has one."""
        key = token_hex(12)
        self._responses[key] = {
            "channel": channel,
            "user": user,
            "source": source,
            "uses": 0,
            "until": time() + LIVES,
            "trigger": trigger,
        }
        return f"{self.url}/response/{key}"

    def calls(self, method: str) -> list[Call]:
        """Return the calls of a method so far."""
        return [call for call in self.world.calls if call.method == method]

    async def _api(self, request: web.Request) -> web.StreamResponse:
        method, body = request.match_info["method"], await _body(request)
        fault = await self.faults.of(method, str(body.get("channel", "")))
        if self.faults.firewall and self.faults.firewall in json.dumps(body):
            fault = "html 403"
        taken = fault is not None and (fault.endswith(" taken") or fault in {"lose", "garbage"})
        if fault and not taken:
            return await self._fail(method, body, fault)
        try:
            token = self._token(request, method)
            answer = await self._answer(method, token, body)
            await self._announce_joins()
        except Failed as error:
            return self._record_failure(method, body, error)
        self.world.calls.append(Call(method=method, at=monotonic(), body=body, answer="ok"))
        if fault == "lose":
            assert request.transport is not None
            request.transport.abort()
        if fault == "500 taken":
            fault = "html 500 taken"
        if fault == "garbage":
            fault = "cut 200 taken"
        if fault:
            return self._proxy_answer(fault)
        scopes = {"x-oauth-scopes": ",".join(sorted(token.scopes))} if token and self.names_scopes else {}
        return web.json_response(answer, headers=scopes)

    async def _upload(self, request: web.Request) -> web.Response:
        """Receive the data of a file whose name and length were announced."""
        stored = self.methods.uploads.get(request.match_info["id"])
        data = await request.read()
        if stored is None or len(data) != stored["length"]:
            return web.Response(status=400, text="the length differs from the announced one")
        stored["data"] = data
        return web.Response(text=f"OK - {len(data)}")

    async def _announce_joins(self) -> None:
        """Send the event that the app joined a channel. It can arrive before the answer, as in Slack."""
        while self.methods.joined:
            workspace, channel = self.methods.joined.pop()
            if self.link is not self.sockets or self.sockets.open:
                joined = {"type": "member_joined_channel", "user": workspace.bot_user, "channel": channel.id}
                await self.event(workspace, {**joined, "channel_type": "C", "team": workspace.id})

    def _proxy_answer(self, fault: str) -> web.Response:
        """Return an answer that isn't Slack's."""
        body, status = fault.split()[:2]
        content, data = BODIES[body]
        return web.Response(status=int(status), body=data, headers={"Content-Type": content})

    async def _fail(self, method: str, body: Json, fault: str) -> web.Response:
        """Answer with a fault of a call that isn't executed."""
        if fault == "hang":
            await asyncio.sleep(3600)
        if fault == "500":
            fault = "html 500"
        code, _, more = fault.partition(" ")
        if code in BODIES:
            self.world.calls.append(Call(method=method, at=monotonic(), body=body, answer=fault))
            return self._proxy_answer(fault)
        answer = self._record_failure(method, body, Failed("ratelimited" if code == "429" else code))
        if code == "429":
            answer.set_status(429)
            answer.headers["Retry-After"] = more
        elif more:
            answer.set_status(int(more))
        return answer

    async def _answer(self, method: str, token: Token | None, body: Json) -> Json:
        if method == "apps.connections.open":
            if self.app.manifest["settings"]["socket_mode_enabled"] is not True:
                raise Failed("forbidden_for_app")
            address = self.url.replace("http", "ws", 1)
            return {"ok": True, "url": f"{address}/socket?ticket={self.sockets.ticket()}"}
        if method == "oauth.v2.access":
            return {"ok": True, **self.oauth.exchange(body)}
        assert token is not None
        return await self.methods.call(method, token, body)

    def _token(self, request: web.Request, method: str) -> Token | None:
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        if method in OPEN_METHODS:
            return None
        if method == "apps.connections.open":
            if value.startswith("xoxb-"):
                raise Failed("not_allowed_token_type")
            if value != self.app.app_token:
                raise Failed("invalid_auth")
            return None
        if not self.methods.knows(method):
            raise Failed("unknown_method")
        if scheme != "Bearer" or not value:
            raise Failed("not_authed")
        token = self.world.tokens.get(value)
        if token is None:
            raise Failed("not_allowed_token_type" if value.startswith("xapp-") else "invalid_auth")
        if token.state != "good":
            raise Failed({"revoked": "token_revoked", "inactive": "account_inactive"}[token.state])
        if token.expires_at is not None and token.expires_at < time():
            raise Failed("token_expired")
        return token

    def _record_failure(self, method: str, body: Json, failed: Failed) -> web.Response:
        self.world.calls.append(Call(method=method, at=monotonic(), body=body, answer=failed.error))
        self.refused += failed.more.get("response_metadata", {}).get("messages", ())
        return web.json_response({"ok": False, "error": failed.error, **failed.more})

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        return await self.sockets.serve(request, self.app)

    async def _respond(self, request: web.Request) -> web.Response:
        response = self._responses.get(request.match_info["id"])
        body = json.loads(await request.text())
        if response is None or response["until"] < time():
            return web.json_response({"ok": False, "error": "expired_url"}, status=404)
        if response["uses"] >= USES:
            return web.json_response({"ok": False, "error": "used_url"}, status=404)
        response["uses"] += 1
        try:
            if not body.get("text") or len(body["text"]) > 4000:
                raise Refused("text", "1 to 4000 characters")
            if body.get("response_type", "ephemeral") not in {"ephemeral", "in_channel"}:
                raise Refused("response_type", "unknown")
            check(body.get("blocks", []), "message")
            self.methods.load_pictures(body.get("blocks", []))
        except Refused as error:
            self.refused.append(str(error))
            return web.Response(status=400, text=error.code)
        self._show(response, body)
        await self.world.notify()
        return web.Response(text="ok")

    def _show(self, response: Json, body: Json) -> None:
        channel, source = response["channel"], response["source"]
        if body.get("replace_original") and source is not None:  # a command has no original
            source.text, source.blocks = body["text"], body.get("blocks", [])
            source.edited += 1
            source.options = {"trigger": response["trigger"]}
            channel.messages.remove(source)
            channel.messages.append(source)
            return
        channel.messages.append(
            Message(
                ts=self.world.stamp(),
                channel=channel,
                text=body["text"],
                blocks=body.get("blocks", []),
                by=self.app.id,
                thread_ts=body.get("thread_ts"),
                only_for=response["user"] if body.get("response_type") != "in_channel" else None,
                options={"trigger": response["trigger"]},
            )
        )


async def _body(request: web.Request) -> Json:
    body: Json = dict(request.query)
    basic = request.headers.get("Authorization", "").partition("Basic ")[2]
    if basic:
        client = b64decode(basic).decode().partition(":")
        body |= {"client_id": client[0], "client_secret": client[2]}
    if request.content_type == "application/json":
        body |= json.loads(await request.text() or "{}")
    else:
        body |= dict(await request.post())
    return body
