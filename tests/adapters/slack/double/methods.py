"""The methods of the Web API, with their checks and answers."""

import json
from collections.abc import Callable, Iterator, Sequence
from secrets import token_hex
from time import time
from typing import Any

from tests.adapters.slack.double.blocks import Refused, check
from tests.adapters.slack.double.unfurls import unfurl
from tests.adapters.slack.double.world import Channel, Failed, Json, Message, Token, Workspace, World

METADATA = 8000
"""Maximum size of a message's metadata in bytes."""


class Methods:
    """Answers calls that have a valid token."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.url = ""
        self.history_limit = 999
        """Maximum number of messages per page; 15 for commercially distributed apps outside Slack's marketplace."""
        self.views: dict[str, Json] = {}
        """Open modals, by id."""
        self.triggers: dict[str, tuple[float, str]] = {}
        """Expiry and user of each trigger."""
        self.joined: list[tuple[Workspace, Channel]] = []
        """Channels that the app joined, for which it hasn't received the event yet."""
        self.uploads: dict[str, Json] = {}
        """Files by id: name, length and, once uploaded, data."""
        self.broken_pictures: set[str] = set()
        """Addresses of pictures that Slack can't load."""

    async def call(self, method: str, token: Token, body: Json) -> Json:
        """Call a method. Raises Failed."""
        needs, handler = self._methods()[method]
        workspace = self._world.workspaces[token.workspace]
        if needs and needs not in token.scopes:
            raise Failed("missing_scope", needed=needs, provided=",".join(sorted(token.scopes)))
        answer: Json = handler(workspace, token, body)
        await self._world.notify()
        return {"ok": True, **answer}

    def knows(self, method: str) -> bool:
        return method in self._methods()

    def _methods(self) -> dict[str, tuple[str, Callable[[Workspace, Token, Json], Json]]]:
        return {
            "auth.test": ("", self._auth_test),
            "chat.postMessage": ("chat:write", self._post),
            "chat.unfurl": ("links:write", self._unfurl),
            "chat.update": ("chat:write", self._update),
            "conversations.info": ("", self._info),
            "conversations.history": ("", self._history),
            "conversations.replies": ("", self._replies),
            "conversations.open": ("im:write", self._open),
            "conversations.join": ("channels:join", self._join),
            "conversations.members": ("", self._members),
            "files.completeUploadExternal": ("files:write", self._upload_complete),
            "files.getUploadURLExternal": ("files:write", self._upload_url),
            "users.conversations": ("", self._conversations),
            "users.info": ("users:read", self._user),
            "views.open": ("", self._view_open),
            "views.update": ("", self._view_update),
            "views.publish": ("", self._view_publish),
        }

    def _auth_test(self, workspace: Workspace, _token: Token, _body: Json) -> Json:
        return {
            "url": workspace.url,
            "team": workspace.name,
            "user": "paperboy",
            "team_id": workspace.id,
            "user_id": workspace.bot_user,
            "bot_id": f"B{workspace.bot_user[1:]}",
            "is_enterprise_install": False,
        }

    def _post(self, workspace: Workspace, token: Token, body: Json) -> Json:
        channel = self._postable(workspace, token, body)
        text, blocks = self._content(body)
        thread = body.get("thread_ts")
        if thread and not any(message.ts == thread for message in channel.messages):
            raise Failed("thread_not_found")
        message = Message(
            ts=self._world.stamp(),
            channel=channel,
            text=text,
            blocks=blocks,
            by=self._world.app.id,
            metadata=_metadata(body.get("metadata")),
            thread_ts=thread,
            options={k: v for k, v in body.items() if k in {"unfurl_links", "unfurl_media", "mrkdwn"}},
        )
        channel.messages.append(message)
        return {"channel": channel.id, "ts": message.ts, "message": _shown(message, metadata=True)}

    def _update(self, workspace: Workspace, token: Token, body: Json) -> Json:
        channel = self._postable(workspace, token, body)
        text, blocks = self._content(body)
        message = next((m for m in channel.messages if m.ts == body.get("ts")), None)
        if message is None:
            raise Failed("message_not_found")
        if message.by != self._world.app.id:
            raise Failed("cant_update_message")
        message.text, message.blocks, message.edited = text, blocks, message.edited + 1
        if "metadata" in body:
            message.metadata = _metadata(body["metadata"])
        return {"channel": channel.id, "ts": message.ts, "text": text}

    def _unfurl(self, workspace: Workspace, _token: Token, body: Json) -> Json:
        unfurl(self._world, workspace, body)
        return {}

    def _content(self, body: Json) -> tuple[str, list[Json]]:
        text, blocks = body.get("text") or "", body.get("blocks") or []
        if not text and not blocks:
            raise Failed("no_text")
        if len(text) > 4000:
            raise Failed("msg_too_long")
        try:
            check(blocks, "message")
            self.load_pictures(blocks)
        except Refused as error:
            raise Failed(error.code, response_metadata={"messages": [str(error)]}) from None
        return text, blocks

    def _postable(self, workspace: Workspace, token: Token, body: Json) -> Channel:
        name = str(body.get("channel") or "")
        if name[:1] in {"U", "W"} and name in workspace.people:
            return self._world.direct(workspace, name)
        channel = self._visible(workspace, name)
        if channel.archived:
            raise Failed("is_archived")
        if workspace.bot_user not in channel.members and "chat:write.public" not in token.scopes:
            raise Failed("not_in_channel")
        return channel

    def _visible(self, workspace: Workspace, name: str) -> Channel:
        """Return a channel if the bot can see it: a public one, or one that it is in. Raises Failed."""
        channel = workspace.channels.get(name)
        if channel is None or (
            (channel.private or channel.direct) and workspace.bot_user not in channel.members
        ):
            raise Failed("channel_not_found")
        return channel

    def _info(self, workspace: Workspace, token: Token, body: Json) -> Json:
        channel = workspace.channels.get(str(body.get("channel")))
        kind = "im" if channel and channel.direct else "groups" if channel and channel.private else "channels"
        _scope(token, f"{kind}:read")
        return {"channel": _conversation(self._visible(workspace, str(body.get("channel"))), workspace)}

    def load_pictures(self, blocks: Any) -> None:
        """Raise Refused if a picture can't be loaded: Slack loads every picture before it accepts a message."""
        for url in _pictures(blocks):
            if url in self.broken_pictures:
                raise Refused("blocks", f"downloading image failed [json-pointer: {url}]")

    def _join(self, workspace: Workspace, _token: Token, body: Json) -> Json:
        channel = self._visible(workspace, str(body.get("channel")))
        if channel.private or channel.direct:
            raise Failed("method_not_supported_for_channel_type")
        if channel.archived:
            raise Failed("is_archived")
        if workspace.bot_user in channel.members:
            return {"channel": _conversation(channel, workspace), "warning": "already_in_channel"}
        channel.members.add(workspace.bot_user)
        self.joined.append((workspace, channel))
        return {"channel": _conversation(channel, workspace)}

    def _open(self, workspace: Workspace, _token: Token, body: Json) -> Json:
        user = str(body.get("users") or "")
        if user not in workspace.people:
            raise Failed("user_not_found")
        return {"channel": {"id": self._world.direct(workspace, user).id}}

    def _members(self, workspace: Workspace, token: Token, body: Json) -> Json:
        channel = self._visible(workspace, str(body.get("channel")))
        _scope(token, f"{'groups' if channel.private else 'channels'}:read")
        found = sorted(channel.members)
        start, limit = int(body.get("cursor") or 0), min(int(body.get("limit") or 100), 1000)
        following = str(start + limit) if start + limit < len(found) else ""
        return {
            "members": found[start : start + limit],
            "response_metadata": {"next_cursor": following},
        }

    def _history(self, workspace: Workspace, token: Token, body: Json) -> Json:
        channel = self._visible(workspace, str(body.get("channel")))
        _scope(token, f"{'im' if channel.direct else 'groups' if channel.private else 'channels'}:history")
        if workspace.bot_user not in channel.members:
            raise Failed("not_in_channel")
        oldest = float(body.get("oldest") or 0)
        found = [m for m in channel.messages if float(m.ts) > oldest and m.only_for is None]
        found = [m for m in found if m.thread_ts in {None, m.ts}]
        found.reverse()
        return self._page(found, body)

    def _replies(self, workspace: Workspace, token: Token, body: Json) -> Json:
        """Return a message and its replies, oldest first."""
        channel = self._visible(workspace, str(body.get("channel")))
        _scope(token, f"{'im' if channel.direct else 'groups' if channel.private else 'channels'}:history")
        if workspace.bot_user not in channel.members:
            raise Failed("not_in_channel")
        parent = next((m for m in channel.messages if m.ts == body.get("ts")), None)
        if parent is None:
            raise Failed("thread_not_found")
        oldest = float(body.get("oldest") or 0)
        replies = [m for m in channel.messages if m.thread_ts == parent.ts and float(m.ts) > oldest]
        return self._page([parent, *replies], body)

    def _page(self, found: Sequence[Message], body: Json) -> Json:
        start = int(body.get("cursor") or 0)
        limit = min(int(body.get("limit") or 100), self.history_limit)
        page = found[start : start + limit]
        following = str(start + limit) if start + limit < len(found) else ""
        with_metadata = str(body.get("include_all_metadata", "")).lower() in {"1", "true"}
        return {
            "messages": [_shown(m, metadata=with_metadata) for m in page],
            "has_more": bool(following),
            "response_metadata": {"next_cursor": following},
        }

    def _upload_url(self, _workspace: Workspace, _token: Token, body: Json) -> Json:
        name, length = str(body.get("filename") or ""), int(body.get("length") or 0)
        if not name or length <= 0:
            raise Failed("invalid_arguments")
        identity = self._world.new_id("F")
        self.uploads[identity] = {"name": name, "length": length, "data": None}
        return {"file_id": identity, "upload_url": f"{self.url}/upload/{identity}"}

    def _upload_complete(self, workspace: Workspace, _token: Token, body: Json) -> Json:
        files = body.get("files")
        files = json.loads(files) if isinstance(files, str) else files
        if not files:
            raise Failed("invalid_arguments")
        channel = workspace.channels.get(str(body.get("channel_id")))  # a person's id isn't accepted here
        if channel is None:
            raise Failed("channel_not_found")
        if workspace.bot_user not in channel.members and not channel.direct:
            raise Failed("not_in_channel")
        thread = body.get("thread_ts")
        if thread and not any(message.ts == thread for message in channel.messages):
            raise Failed("thread_not_found")
        for file in files:
            stored = self.uploads.get(str(file["id"]))
            if stored is None or stored["data"] is None:
                raise Failed("file_not_found")
            channel.messages.append(
                Message(
                    ts=self._world.stamp(),
                    channel=channel,
                    text="",
                    by=self._world.app.id,
                    thread_ts=thread,
                    options={"file": stored},
                )
            )
        return {"files": [{"id": file["id"], "title": file.get("title")} for file in files]}

    def _conversations(self, workspace: Workspace, token: Token, body: Json) -> Json:
        wanted = str(body.get("types") or "public_channel").split(",")
        for kind, scope in (("public_channel", "channels:read"), ("private_channel", "groups:read")):
            if kind in wanted:
                _scope(token, scope)
        found = [
            channel
            for channel in workspace.channels.values()
            if body.get("user") in channel.members
            and not channel.direct
            and ("private_channel" if channel.private else "public_channel") in wanted
            and (not channel.private or workspace.bot_user in channel.members)
            and not (channel.archived and body.get("exclude_archived"))
        ]
        start, limit = int(body.get("cursor") or 0), min(int(body.get("limit") or 100), 999)
        following = str(start + limit) if start + limit < len(found) else ""
        page = [_conversation(channel, workspace) for channel in found[start : start + limit]]
        return {"channels": page, "response_metadata": {"next_cursor": following}}

    def _user(self, workspace: Workspace, _token: Token, body: Json) -> Json:
        user = str(body.get("user"))
        if user in workspace.people:
            return {"user": {"team_id": workspace.id, **workspace.people[user]}}
        for other in self._world.workspaces.values():  # a person of another workspace, in a shared channel
            shared = [c for c in workspace.channels.values() if other.id in c.teams and user in c.members]
            if user in other.people and shared:
                return {"user": {"team_id": other.id, **other.people[user], "is_stranger": True}}
        raise Failed("user_not_found")

    def _view_open(self, workspace: Workspace, _token: Token, body: Json) -> Json:
        trigger = str(body.get("trigger_id") or "")
        until, user = self.triggers.pop(trigger, (0.0, ""))
        if not user:
            raise Failed("exchanged_trigger_id" if trigger else "invalid_trigger_id")
        if until < time():
            raise Failed("expired_trigger_id")
        view = self._loaded(body.get("view"), "modal")
        view |= {"id": self._world.new_id("V"), "hash": token_hex(8), "team_id": workspace.id, "for": user}
        self.views[view["id"]] = view
        return {"view": view}

    def _view_update(self, _workspace: Workspace, _token: Token, body: Json) -> Json:
        view = self.views.get(str(body.get("view_id")))
        if view is None:
            raise Failed("not_found")
        view |= self._loaded(body.get("view"), "modal")
        return {"view": view}

    def _loaded(self, view: Any, kind: str) -> Json:
        """Return a view if Slack would accept it and can load its pictures. Raises Failed."""
        checked = checked_view(view, kind)
        try:
            self.load_pictures(checked["blocks"])
        except Refused as error:
            raise Failed("invalid_arguments", response_metadata={"messages": [str(error)]}) from None
        return checked

    def _view_publish(self, workspace: Workspace, _token: Token, body: Json) -> Json:
        if not self._world.app.manifest["features"]["app_home"]["home_tab_enabled"]:
            raise Failed("not_enabled")
        user = str(body.get("user_id"))
        if user not in workspace.people:
            raise Failed("user_not_found")
        workspace.homes[user] = self._loaded(body.get("view"), "home")
        return {"view": workspace.homes[user]}


def checked_view(view: Any, kind: str) -> Json:
    """Return a view if Slack would accept it. Raises Failed."""
    try:
        if not isinstance(view, dict) or view.get("type") != kind:
            raise Refused("view", f"type must be {kind}")
        if kind == "modal":
            for name in ("title", "submit", "close"):
                text = (view.get(name) or {}).get("text", "")
                if len(text) > 24 or (name == "title" and not text):
                    raise Refused(f"view/{name}", "1 to 24 characters")
            if any(block.get("type") == "input" for block in view["blocks"]) and "submit" not in view:
                raise Refused("view", "inputs need a submit button")
        if len(view.get("private_metadata", "")) > 3000 or len(view.get("callback_id", "")) > 255:
            raise Refused("view", "private_metadata or callback_id is too long")
        check(view.get("blocks"), kind)
    except Refused as error:
        raise Failed("invalid_arguments", response_metadata={"messages": [str(error)]}) from None
    return dict(view)


def _metadata(metadata: Any) -> Json | None:
    if metadata is None:
        return None
    if not metadata.get("event_type") or not isinstance(metadata.get("event_payload"), dict):
        raise Failed("invalid_metadata_format")
    if len(str(metadata)) > METADATA:
        raise Failed("metadata_too_large")
    return dict(metadata)


def _pictures(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("image_url"), str):
            yield value["image_url"]
        for part in value.values():
            yield from _pictures(part)
    elif isinstance(value, list):
        for part in value:
            yield from _pictures(part)


def _scope(token: Token, scope: str) -> None:
    if scope not in token.scopes:
        raise Failed("missing_scope", needed=scope, provided=",".join(sorted(token.scopes)))


def _conversation(channel: Channel, workspace: Workspace) -> Json:
    return {
        "id": channel.id,
        "name": channel.name,
        "is_private": channel.private,
        "is_im": channel.direct,
        **({"user": min(channel.members - {workspace.bot_user}, default="")} if channel.direct else {}),
        "is_archived": channel.archived,
        "is_member": workspace.bot_user in channel.members,
        "is_ext_shared": len(channel.teams) > 1,
        "is_shared": len(channel.teams) > 1,
        "shared_team_ids": channel.teams or [workspace.id],
        "connected_team_ids": [team for team in channel.teams if team != workspace.id],
        "creator": channel.creator,
    }


def _shown(message: Message, *, metadata: bool) -> Json:
    shown: Json = {"type": "message", "ts": message.ts, "text": message.text, "blocks": message.blocks}
    shown |= {"bot_id": "B1", "app_id": message.by} if message.by.startswith("A") else {"user": message.by}
    if metadata and message.metadata is not None:
        shown["metadata"] = message.metadata
    return shown
