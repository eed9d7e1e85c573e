"""What the gateway says when a person gives a command."""

from typing import Any

from tests.adapters.discord.double.service import GUILD


def interaction(identity: str, command: str, **options: str) -> dict[str, Any]:
    """`/paper …` as the gateway says it."""
    given = [{"type": 3, "name": name, "value": value} for name, value in options.items()]
    person = {"id": "4242", "username": "joe", "discriminator": "0", "avatar": None}
    member: dict[str, Any] = {
        "user": person,
        "roles": [],
        "joined_at": None,
        "deaf": False,
        "mute": False,
        "flags": 0,
    }
    return {
        "id": identity,
        "application_id": "900",
        "type": 2,
        "token": f"token-{identity}",
        "version": 1,
        "guild_id": str(GUILD),
        "channel_id": "2000",
        "channel": {
            "id": "2000",
            "type": 0,
            "guild_id": str(GUILD),
            "name": "papers",
            "position": 0,
            "permissions": "0",
        },
        "member": {**member, "permissions": str((1 << 52) - 1)},
        "app_permissions": str((1 << 52) - 1),
        "locale": "en-US",
        "entitlements": [],
        "authorizing_integration_owners": {"0": str(GUILD)},
        "context": 0,
        "attachment_size_limit": 1,
        "data": {
            "id": "1",
            "name": "paper",
            "type": 1,
            "options": [{"type": 1, "name": command, "options": given}],
        },
    }
