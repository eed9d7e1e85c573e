"""Gateway events of people who run a command, press a button, type into an option, or submit a form."""

from typing import Any

from tests.adapters.discord.double.payloads import GUILD

EVERYTHING = str((1 << 52) - 1)
COMMAND, COMPONENT, AUTOCOMPLETE, MODAL = 2, 3, 4, 5
JOE = 4242


def interaction(identity: str, command: str, **options: str) -> dict[str, Any]:
    """Return the event of `/paper …` with these options."""
    values = [{"type": 3, "name": name, "value": value} for name, value in options.items()]
    return _event(identity, COMMAND, _command(command, values))


def autocomplete(identity: str, command: str, option: str, typed: str) -> dict[str, Any]:
    """Return the event of typing into an option of `/paper …`."""
    return _event(
        identity,
        AUTOCOMPLETE,
        _command(command, [{"type": 3, "name": option, "value": typed, "focused": True}]),
    )


def button(identity: str, custom_id: str, **facts: Any) -> dict[str, Any]:
    """Return the event of pressing a button of an earlier message."""
    event = _event(identity, COMPONENT, {"component_type": 2, "custom_id": custom_id})
    return event | {"message": _message(custom_id)} | facts


def menu(identity: str, name: str, content: str, **facts: Any) -> dict[str, Any]:
    """Return the event of choosing an entry of a message's menu. `facts` override fields of the interaction."""
    author = {"id": "4343", "username": "kim", "discriminator": "0", "avatar": None}
    message = _message("x") | {"content": content, "components": [], "author": author}
    data = {
        "id": "2",
        "name": name,
        "type": 3,
        "target_id": "3000",
        "resolved": {"messages": {"3000": message}},
    }
    return _event(identity, COMMAND, data) | facts


def form(identity: str, custom_id: str, **values: str) -> dict[str, Any]:
    """Return the event of submitting a form."""
    fields = [
        {
            "type": 18,
            "id": number,
            "component": {"type": 4, "id": number + 50, "custom_id": name, "value": value},
        }
        for number, (name, value) in enumerate(values.items(), 1)
    ]
    return _event(identity, MODAL, {"custom_id": custom_id, "components": fields})


def _command(name: str, values: list[dict[str, Any]]) -> dict[str, Any]:
    options = [{"type": 1, "name": name, "options": values}]
    return {"id": "1", "name": "paper", "type": 1, "options": options}


def _event(identity: str, kind: int, data: dict[str, Any]) -> dict[str, Any]:
    person = {"id": str(JOE), "username": "joe", "discriminator": "0", "avatar": None}
    member: dict[str, Any] = {"user": person, "roles": [], "joined_at": None, "permissions": EVERYTHING}
    channel: dict[str, Any] = {"id": "2000", "type": 0, "guild_id": str(GUILD), "name": "papers"}
    return {
        "id": identity,
        "application_id": "900",
        "type": kind,
        "token": f"token-{identity}",
        "version": 1,
        "guild_id": str(GUILD),
        "channel_id": "2000",
        "channel": {**channel, "position": 0, "permissions": "0"},
        "member": {**member, "deaf": False, "mute": False, "flags": 0},
        "app_permissions": EVERYTHING,
        "locale": "en-US",
        "entitlements": [],
        "authorizing_integration_owners": {"0": str(GUILD)},
        "context": 0,
        "attachment_size_limit": 1,
        "data": data,
    }


def _message(custom_id: str) -> dict[str, Any]:
    part = {"type": 2, "id": 2, "style": 2, "label": "Press", "custom_id": custom_id}
    author = {"id": "901", "username": "paperboy", "discriminator": "0", "avatar": None, "bot": True}
    empty: dict[str, Any] = {"mentions": [], "mention_roles": [], "attachments": [], "embeds": []}
    return {
        "id": "3000",
        "channel_id": "2000",
        "author": author,
        "content": "",
        "timestamp": "2026-01-01T00:00:00+00:00",
        "edited_timestamp": None,
        "tts": False,
        "mention_everyone": False,
        **empty,
        "components": [{"type": 1, "id": 1, "components": [part]}],
        "flags": 0,
        "pinned": False,
        "type": 0,
    }
