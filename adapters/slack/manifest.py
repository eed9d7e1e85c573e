"""The app's manifest. `deploy/slack-manifest*.yaml` are generated from this; a test compares them."""

from typing import Any, Literal

from adapters.slack.http import EVENTS, REDIRECT
from adapters.slack.lifecycle import EVENTS as BOT_EVENTS
from bot.commands.specs import CommandSpec
from bot.commands.table import find, message_commands

NEEDED = ("commands", "chat:write", "chat:write.public", "channels:read", "groups:read", "users:read")
"""Scopes without which Paperboy doesn't work."""
HISTORY = ("channels:history", "groups:history")
"""Scopes to check whether a post arrived if its answer was lost. Nothing else is read."""
JOIN = "channels:join"
"""Scope to join a public channel when someone subscribes it: the app can look up messages only in its channels."""
FILES = "files:write"
"""Scope to send a person the file of an export."""
DIRECT = ("im:history", "im:write")
"""Scopes to check whether a direct message arrived: to read those with the app, and to get their channel's id."""
LINKS = ("links:read", "links:write")
"""Scopes to show a card below a link to a paper. Slack sends only the links, never the message around them."""
OPTIONAL = (*HISTORY, JOIN, FILES, *LINKS, *DIRECT)
"""Scopes that the person who installs the app may decline."""
SCOPES = (*NEEDED, *OPTIONAL)
UNFURLED = ("arxiv.org", "huggingface.co", "openreview.net", "biorxiv.org", "alphaxiv.org")
"""Domains, with their subdomains, whose links Slack sends us. It allows five; each can be replaced by any other domain,
since every link to a paper gets a card. Of the six sites that most links to papers lead to, medRxiv has the fewest
papers, and is left out."""
HINTED = ("subscribe", "list", "search", "help")
"""Commands shown while a person types; `help` explains the others."""
SHORTCUT = 24
"""Maximum number of characters in a message shortcut's name. Undocumented; Slack's answer to a longer one says so."""
COMMAND = "/paper"
NAME = "Paperboy"
DESCRIPTION = "New papers that match what your channel follows"


def manifest(
    mode: Literal["socket", "http"], address: str = "https://paperboy.example.com"
) -> dict[str, Any]:
    """Return the app's manifest; `address` is where Slack sends HTTP requests."""
    http = mode == "http"
    endpoint = {"request_url": address + EVENTS} if http else {}
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
                "messages_tab_read_only_enabled": False,  # a person types /paper there, too
            },
            "bot_user": {"display_name": NAME, "always_online": True},
            "shortcuts": [
                {
                    "name": shortcut_name(spec),
                    "type": "message",
                    "callback_id": spec.name,
                    "description": spec.summary[:1].upper() + spec.summary[1:],
                }
                for spec in message_commands()
            ],
            "slash_commands": [command],
            "unfurl_domains": list(UNFURLED),
        },
        "oauth_config": {
            "scopes": {"bot": sorted(SCOPES), "bot_optional": sorted(OPTIONAL)},
            **({"redirect_urls": [address + REDIRECT]} if http else {}),
        },
        "settings": {
            "event_subscriptions": {**endpoint, "bot_events": sorted(BOT_EVENTS)},
            "interactivity": {"is_enabled": True, **endpoint},
            "org_deploy_enabled": False,
            "socket_mode_enabled": not http,
            "token_rotation_enabled": http,
        },
    }


def shortcut_name(spec: CommandSpec) -> str:
    """Return a command's name in a message's menu, shortened since Slack refuses more than SHORTCUT characters."""
    name = spec.on_message
    return name if len(name) <= SHORTCUT else name.removesuffix(" in this message")


def usage_hint() -> str:
    """Return the hint that Slack shows while the command is typed: the first commands that people need."""
    specs = (find(name) for name in HINTED)
    required = ((spec, spec.free) for spec in specs if spec is not None)
    return " | ".join(f"{s.name} <{o.name}>" if o and o.required else s.name for s, o in required)
