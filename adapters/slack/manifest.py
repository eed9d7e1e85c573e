"""The app as Slack is told of it. `deploy/slack-manifest*.yaml` say the same; a test holds them to it."""

from typing import Any, Literal

from adapters.slack.http import EVENTS, REDIRECT
from adapters.slack.lifecycle import EVENTS as BOT_EVENTS
from bot.commands.table import find

NEEDED = ("commands", "chat:write", "chat:write.public", "channels:read", "groups:read", "users:read")
HISTORY = ("channels:history", "groups:history")
"""Optional: to find out after an outage whether a post arrived. Nothing else is read."""
SCOPES = (*NEEDED, *HISTORY)
HINTED = ("subscribe", "list", "search", "help")
"""Slack shows a line while a command is typed; `help` says the rest."""
COMMAND = "/paper"
NAME = "Paperboy"
DESCRIPTION = "New papers that match what your channel follows"


def manifest(
    mode: Literal["socket", "http"], address: str = "https://paperboy.example.com"
) -> dict[str, Any]:
    """Everything that Slack asks about an app; `address` is where HTTP requests go."""
    http = mode == "http"
    to_us = {"request_url": address + EVENTS} if http else {}
    command = {
        "command": COMMAND,
        "description": DESCRIPTION,
        "usage_hint": usage_hint(),
        "should_escape": False,
        **({"url": address + EVENTS} if http else {}),
    }
    return {
        "_metadata": {"major_version": 2, "minor_version": 1},
        "display_information": {"name": NAME, "description": DESCRIPTION, "background_color": "#1f2a44"},
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": True,
            },
            "bot_user": {"display_name": NAME, "always_online": True},
            "slash_commands": [command],
        },
        "oauth_config": {
            "scopes": {"bot": sorted(SCOPES)},
            **({"redirect_urls": [address + REDIRECT]} if http else {}),
        },
        "settings": {
            "event_subscriptions": {**to_us, "bot_events": sorted(BOT_EVENTS)},
            "interactivity": {"is_enabled": True, **to_us},
            "org_deploy_enabled": False,
            "socket_mode_enabled": not http,
            "token_rotation_enabled": http,
        },
    }


def usage_hint() -> str:
    """What Slack shows beside the command while it is typed: the first commands that people need."""
    specs = (find(name) for name in HINTED)
    required = ((spec, spec.free) for spec in specs if spec is not None)
    return " | ".join(f"{s.name} <{o.name}>" if o and o.required else s.name for s, o in required)
