"""Objects and errors of Discord's REST API, as JSON."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

APPLICATION, BOT, GUILD = 900, 901, 1000
"""Ids of the application, its user, and the only server."""
TEXT, DIRECT, NEWS, PRIVATE_THREAD, FORUM = 0, 1, 5, 12, 15
"""Types of channels."""


@dataclass(frozen=True, slots=True)
class Posted:
    """A message that was posted."""

    id: int
    channel: int
    nonce: str
    at: float
    body: dict[str, Any]


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


def person_payload(number: int) -> dict[str, Any]:
    return USER if number == BOT else {**USER, "id": str(number), "username": f"u{number}", "bot": False}


def guild_payload(permissions: int = (1 << 52) - 1) -> dict[str, Any]:
    """Return the server."""
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


def text_channel(number: int, **more: Any) -> dict[str, Any]:
    """Return a channel of the server, as the gateway describes it."""
    facts = {"id": str(number), "type": 0, "name": f"c{number}", "position": 0, "permission_overwrites": []}
    return {**facts, "guild_id": str(GUILD), **more}


def is_archived(thread: Mapping[str, Any]) -> bool:
    return bool(thread["thread_metadata"]["archived"])


def archived_at(thread: Mapping[str, Any]) -> str:
    return str(thread["thread_metadata"]["archive_timestamp"])


def thread_payload(thread: int, parent: int, name: str, tags: list[Any]) -> dict[str, Any]:
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


def json_answer(body: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return a JSON answer. discord.py parses JSON only if the content type has no charset."""
    kind = {"Content-Type": "application/json"}
    return web.Response(body=json.dumps(body).encode(), status=status, headers={**(headers or {}), **kind})


def refused(status: int, code: int, message: str, **more: Any) -> web.Response:
    return json_answer({"code": code, "message": message, **more}, status=status)


def limited(after: float, *, everywhere: bool = False) -> web.Response:
    body = {"message": "You are being rate limited.", "retry_after": round(after, 3), "global": everywhere}
    return json_answer(body, status=429, headers={"Via": "1.1 google", "Retry-After": f"{after:.3f}"})
