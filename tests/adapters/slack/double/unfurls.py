"""`chat.unfurl`, with its checks: https://docs.slack.dev/reference/methods/chat.unfurl."""

import json

from tests.adapters.slack.double.blocks import Refused, check
from tests.adapters.slack.double.world import Failed, Json, Message, Workspace, World

SOURCES = {"composer", "conversations_history"}
SHOWN = {"blocks", "preview", "color", "fallback"}
"""Fields of an unfurl."""


def unfurl(world: World, workspace: Workspace, body: Json) -> None:
    """Show blocks below the links of a message or draft. Raises Failed."""
    message = _message(world, workspace, body)
    unfurls = body.get("unfurls")
    if isinstance(unfurls, str):
        unfurls = json.loads(unfurls)
    if not unfurls:
        raise Failed("missing_unfurls")
    if not isinstance(unfurls, dict):
        raise Failed("invalid_unfurls_format")
    if message.by == world.app.id:
        raise Failed("cannot_unfurl_message")
    for url, shown in unfurls.items():
        if url not in message.links or not world.app.unfurled(url):
            raise Failed("cannot_unfurl_url")
        if not isinstance(shown, dict) or not shown.get("blocks") or set(shown) - SHOWN:
            raise Failed("cannot_parse_attachment")
        try:
            check(shown["blocks"], "message")
            if any(block["type"] == "rich_text" for block in shown["blocks"]):
                raise Refused("blocks", "chat.unfurl doesn't accept rich text")
        except Refused as error:
            raise Failed(error.code, response_metadata={"messages": [str(error)]}) from None
    message.unfurls |= unfurls


def _message(world: World, workspace: Workspace, body: Json) -> Message:
    place = {name for name in ("channel", "ts", "unfurl_id", "source") if body.get(name)}
    if place == {"unfurl_id", "source"}:
        if body["source"] not in SOURCES:
            raise Failed("invalid_source")
        posted = (m for c in workspace.channels.values() for m in c.messages)
        known = world.drafts | {unfurl_id(message): message for message in posted}
        if body["unfurl_id"] not in known:
            raise Failed("invalid_unfurl_id")
        return known[body["unfurl_id"]]
    for name in ("channel", "ts"):
        if name not in place:
            raise Failed(f"missing_{name}")
    if place != {"channel", "ts"}:
        raise Failed("invalid_arguments")
    channel = workspace.channels.get(body["channel"])
    if channel is None:
        raise Failed("cannot_find_channel")
    found = next((message for message in channel.messages if message.ts == body["ts"]), None)
    if found is None:
        raise Failed("cannot_find_message")
    return found


def unfurl_id(message: Message) -> str:
    """Return the `unfurl_id` of a posted message in an event about its links."""
    return f"{message.channel.id}.{message.ts}"
