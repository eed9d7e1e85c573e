"""The state of Slack: workspaces with people, channels with messages, an app with its tokens."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from itertools import count
from secrets import token_hex
from time import time
from typing import Any, Literal
from urllib.parse import urlsplit

Json = dict[str, Any]

ROTATION = 43_200
"""Lifetime of a token in seconds, if tokens rotate."""


class Failed(Exception):
    """An answer with `ok: false` and Slack's error code."""

    def __init__(self, error: str, **more: Any) -> None:
        super().__init__(error)
        self.error = error
        self.more = more


@dataclass(kw_only=True)
class Message:
    """A message."""

    ts: str
    channel: "Channel"
    text: str
    blocks: list[Json] = field(default_factory=list)
    by: str
    """Id of the author: a user or the app."""
    metadata: Json | None = None
    thread_ts: str | None = None
    only_for: str | None = None
    """The only person who sees it, of a message that isn't in the history; else None."""
    options: Json = field(default_factory=dict)
    """Other arguments that it was posted with: unfurl_links, mrkdwn, …"""
    edited: int = 0
    links: list[str] = field(default_factory=list)
    """Links that the app was informed of, as typed."""
    unfurls: dict[str, Json] = field(default_factory=dict)
    """The unfurl that the app showed below each link."""


@dataclass(kw_only=True)
class Channel:
    """A conversation; the id of a direct message begins with D."""

    id: str
    name: str
    private: bool = False
    archived: bool = False
    creator: str = ""
    members: set[str] = field(default_factory=set)
    messages: list[Message] = field(default_factory=list)
    teams: list[str] = field(default_factory=list)
    """Ids of the workspaces that share it; empty if it isn't shared."""

    @property
    def direct(self) -> bool:
        return self.id.startswith("D")


@dataclass(kw_only=True)
class Token:
    """A bot's token in a workspace."""

    value: str
    workspace: str
    scopes: frozenset[str]
    expires_at: float | None = None
    refresh: str | None = None
    state: Literal["good", "revoked", "inactive"] = "good"


@dataclass(kw_only=True)
class Workspace:
    """A workspace, which Slack's API calls a team."""

    id: str
    name: str
    people: dict[str, Json] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    bot_user: str = ""
    """Empty if the app is not installed."""
    installer: str = ""
    homes: dict[str, Json] = field(default_factory=dict)
    """Each user's App Home."""

    @property
    def url(self) -> str:
        return f"https://{self.name}.slack.com/"

    def named(self, name: str) -> Channel:
        return next(channel for channel in self.channels.values() if channel.name == name)


@dataclass(kw_only=True)
class App:
    """The tested app, as its manifest describes it."""

    manifest: Json
    id: str = "A0PAPERBOY"
    client_id: str = "1234567890.1234567890"
    client_secret: str = field(default_factory=lambda: f"cs{token_hex(16)}")
    signing_secret: str = field(default_factory=lambda: f"ss{token_hex(16)}")
    app_token: str = field(default_factory=lambda: f"xapp-1-A0PAPERBOY-{token_hex(16)}")

    def __post_init__(self) -> None:
        """Refuse a manifest that Slack would refuse."""
        features = self.manifest["features"]
        shortcuts, domains = features.get("shortcuts", ()), features.get("unfurl_domains", ())
        for kind in ("message", "global"):
            assert sum(one["type"] == kind for one in shortcuts) <= 5, f"too many {kind} shortcuts"
        for shortcut in shortcuts:
            assert 1 <= len(shortcut["name"]) <= 24, f"{shortcut['name']}: longer than 24 characters"
            assert 1 <= len(shortcut["description"]) <= 150, (
                f"{shortcut['name']}: invalid length of description"
            )
            assert 1 <= len(shortcut["callback_id"]) <= 255, (
                f"{shortcut['name']}: invalid length of callback id"
            )
        assert len(domains) <= 5, "too many domains"
        assert not [one for one in domains if "/" in one or "." not in one], (
            "unfurl_domains takes domains without a path"
        )

    @property
    def scopes(self) -> frozenset[str]:
        return frozenset(self.manifest["oauth_config"]["scopes"]["bot"])

    @property
    def required(self) -> frozenset[str]:
        """Scopes that can't be declined."""
        return self.scopes - frozenset(self.manifest["oauth_config"]["scopes"].get("bot_optional", ()))

    @property
    def events(self) -> frozenset[str]:
        return frozenset(self.manifest["settings"]["event_subscriptions"]["bot_events"])

    @property
    def rotates(self) -> bool:
        return bool(self.manifest["settings"]["token_rotation_enabled"])

    def unfurled(self, url: str) -> str:
        """Return the registered domain of a link; "" if the app isn't informed of it."""
        host = (urlsplit(url).hostname or "").lower()
        domains = self.manifest["features"].get("unfurl_domains", ())
        return next((one for one in domains if host == one or host.endswith(f".{one}")), "")

    def shortcut(self, name: str) -> str:
        """Return the callback id of a message shortcut. Raises KeyError if there is none."""
        shortcuts = self.manifest["features"].get("shortcuts", ())
        return {one["name"]: str(one["callback_id"]) for one in shortcuts if one["type"] == "message"}[name]

    def command(self, name: str) -> bool:
        return any(c["command"] == name for c in self.manifest["features"]["slash_commands"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call of the Web API."""

    method: str
    at: float
    body: Json
    answer: str
    """`ok` or the error code."""


@dataclass
class World:
    """The whole state, and a condition that is notified of every change."""

    app: App
    workspaces: dict[str, Workspace] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    refreshes: dict[str, Token] = field(default_factory=dict)
    codes: dict[str, Json] = field(default_factory=dict)
    drafts: dict[str, Message] = field(default_factory=dict)
    """Drafts, by unfurl id."""
    calls: deque[Call] = field(default_factory=lambda: deque(maxlen=20_000))
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _numbers: "count[int]" = field(default_factory=lambda: count(1))
    _stamps: "count[int]" = field(default_factory=lambda: count(1))

    def new_id(self, letter: str) -> str:
        """Return a new id in Slack's format."""
        return f"{letter}0{next(self._numbers):09X}"

    def stamp(self) -> str:
        """Return a new `ts` of a message: unique and increasing."""
        return f"{int(time())}.{next(self._stamps):06d}"

    async def notify(self) -> None:
        """Notify everything that waits for a change."""
        async with self.changed:
            self.changed.notify_all()

    def install(self, workspace: Workspace, installer: str, scopes: frozenset[str] | None = None) -> Token:
        """Give the app a bot user and a token in a workspace, with `scopes` or else those of its manifest."""
        workspace.bot_user = workspace.bot_user or self.new_id("U")
        workspace.installer = installer
        return self.issue(workspace.id, self.app.scopes if scopes is None else scopes)

    def issue(self, workspace: str, scopes: frozenset[str]) -> Token:
        """Return a new token, which expires if tokens rotate."""
        rotates = self.app.rotates
        token = Token(
            value=f"{'xoxe.' if rotates else ''}xoxb-{workspace}-{token_hex(12)}",
            workspace=workspace,
            scopes=scopes,
            expires_at=time() + ROTATION if rotates else None,
            refresh=f"xoxe-1-{token_hex(16)}" if rotates else None,
        )
        self.tokens[token.value] = token
        if token.refresh:
            self.refreshes[token.refresh] = token
        return token

    def uninstall(self, workspace: Workspace) -> None:
        """Remove the app from a workspace: its tokens no longer work."""
        for token in self.tokens.values():
            if token.workspace == workspace.id:
                token.state = "inactive"
        for channel in workspace.channels.values():
            channel.members.discard(workspace.bot_user)
        workspace.bot_user = ""

    def direct(self, workspace: Workspace, user: str) -> Channel:
        """Return the direct messages between the app and a person; open them if necessary."""
        for channel in workspace.channels.values():
            if channel.direct and channel.members == {user, workspace.bot_user}:
                return channel
        channel = Channel(id=self.new_id("D"), name="directmessage", members={user, workspace.bot_user})
        workspace.channels[channel.id] = channel
        return channel
