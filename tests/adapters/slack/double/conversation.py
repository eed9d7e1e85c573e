"""Messages that people write in Slack, and what the app receives of them: links, and message shortcuts."""

import re
from collections.abc import Mapping
from time import time

from tests.adapters.slack.double.people import Person
from tests.adapters.slack.double.unfurls import unfurl_id
from tests.adapters.slack.double.world import Channel, Json, Message

_LINK = re.compile(r"https?://[a-z0-9][^\s<>|\"“”]+", re.IGNORECASE)
_LABELLED = re.compile(r"\[([^\]]*)\]\((https?://[^\s)]+)\)", re.IGNORECASE)
"""A link with a label, as tests write it."""


async def post(person: Person, channel: Channel, text: str, *, times: int = 1) -> Message:
    """Post a message. Send the event about its links `times` times, each with another id."""
    message = Message(ts=person.slack.world.stamp(), channel=channel, text=stored(text), by=person.user)
    message.links = [url for url in dict.fromkeys(links_in(text)) if person.slack.app.unfurled(url)]
    channel.messages.append(message)
    for _ in range(times):
        await share(person, message)
    return message


async def share(person: Person, message: Message, **other: object) -> None:
    """Inform the app of a message's links, if it has the scope and the message isn't the app's."""
    event = {
        "type": "link_shared",
        "channel": message.channel.id,
        "is_bot_user_member": person.workspace.bot_user in message.channel.members,
        "user": person.user,
        "message_ts": message.ts,
        "unfurl_id": unfurl_id(message),
        "source": "conversations_history",
    }
    await _inform(person, message, event | other)


async def write(person: Person, text: str) -> Message:
    """Draft a message: Slack asks the app for a preview of its links. Return the draft."""
    world = person.slack.world
    draft = Message(ts="", channel=Channel(id="COMPOSER", name=""), text=stored(text), by=person.user)
    draft.links = [url for url in dict.fromkeys(links_in(text)) if person.slack.app.unfurled(url)]
    name = f"{person.user}-{world.stamp()}"
    world.drafts[name] = draft
    # The reference's example has `channel_id` here; the examples of the other events have `channel`.
    event = {"channel_id": "COMPOSER", "channel": "COMPOSER", "unfurl_id": name, "message_ts": name}
    await _inform(person, draft, {"type": "link_shared", "user": person.user, "source": "composer", **event})
    return draft


async def use(person: Person, message: Message, shortcut: str) -> str:
    """Choose a shortcut of the app in a message's menu. Return the trigger. Raises NotAcknowledged or KeyError."""
    assert message.only_for is None, "an ephemeral message has no shortcuts"
    assert person.user in message.channel.members, "the person can't see that message"
    slack, trigger = person.slack, person.slack.trigger(person.user)
    author: Json = {"app_id": message.by} if message.by == slack.app.id else {"user": message.by}
    await slack.send(
        "interactive",
        {
            "type": "message_action",
            "callback_id": slack.app.shortcut(shortcut),
            "team": {"id": person.workspace.id, "domain": person.workspace.name},
            "user": {"id": person.user, "name": person.workspace.people[person.user]["name"]},
            "channel": {"id": message.channel.id, "name": message.channel.name},
            "message": {"type": "message", "ts": message.ts, "text": message.text, "blocks": message.blocks}
            | author,
            "message_ts": message.ts,
            "action_ts": f"{time():.6f}",
            "trigger_id": trigger,
            "response_url": slack.response_url(message.channel, person.user, trigger),
            "token": "legacy",
            "api_app_id": slack.app.id,
            "enterprise": None,
            "is_enterprise_install": False,
        },
    )
    return trigger


def links_in(text: str) -> list[str]:
    """Return the links that Slack recognises in typed text; each needs a protocol."""
    return [_without_end(found) for found in _LINK.findall(_LABELLED.sub(r" \2 ", text))]


def stored(text: str) -> str:
    """Return typed text as Slack stores it: escaped, with links in angle brackets."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    labelled: dict[str, str] = {}

    def mark(found: re.Match[str]) -> str:
        labelled[f"\x00{len(labelled)}\x00"] = f"<{found[2]}|{found[1]}>"
        return f"\x00{len(labelled) - 1}\x00"

    text = _LABELLED.sub(mark, text)
    text = _LINK.sub(lambda found: _marked(found[0]), text)
    for name, link in labelled.items():
        text = text.replace(name, link)
    return text


def _marked(found: str) -> str:
    link = _without_end(found)
    return f"<{link}>{found[len(link) :]}"


def _without_end(link: str) -> str:
    """Return a link without the punctuation that follows it."""
    while link[-1:] in {".", ",", ";", ":", "!", "?", "'", "*", "`"} or (
        link.endswith(")") and link.count(")") > link.count("(")
    ):
        link = link[:-1]
    return link


async def _inform(person: Person, message: Message, event: Mapping[str, object]) -> None:
    granted = {
        scope
        for token in person.slack.world.tokens.values()
        if token.state == "good"
        for scope in token.scopes
    }
    if not message.links or "links:read" not in granted:
        return
    links = [{"domain": person.slack.app.unfurled(url), "url": url} for url in message.links]
    await person.slack.event(person.workspace, {**event, "links": links, "event_ts": f"{time():.6f}"})
