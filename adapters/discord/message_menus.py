"""Commands in the menu of a message. Discord passes the message that a person chose, so that no intent is needed."""

from collections.abc import Iterator, Sequence
from typing import Any

import discord
from discord import app_commands

from adapters.discord.commands import Invoke
from adapters.discord.responses import Interaction
from bot.commands.specs import CommandSpec
from bot.text.mentions import papers_in


def message_menu(spec: CommandSpec, invoke: Invoke) -> app_commands.ContextMenu:
    """Build the command for the papers that a message names, in the same places as `/paper`."""

    async def callback(interaction: Interaction, message: discord.Message) -> None:
        papers = " ".join(papers_in(text_of(message)))
        free = spec.free
        await invoke(interaction, spec, {free.name: papers} if free and papers else {})

    return app_commands.ContextMenu(
        name=spec.on_message,
        callback=callback,
        allowed_installs=app_commands.AppInstallationType(guild=True, user=True),
        allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=True),
    )


def text_of(message: discord.Message) -> str:
    """Return a message's text and the addresses of its links, with forwarded messages and the cards of apps."""
    parts = [*_texts(message), *(part for snapshot in message.message_snapshots for part in _texts(snapshot))]
    return " ".join(part for part in parts if part)


def _texts(message: discord.Message | discord.MessageSnapshot) -> Iterator[str | None]:
    yield message.content
    for embed in message.embeds:
        yield from (embed.url, embed.title, embed.description)
        yield from (field.value for field in embed.fields)
    yield from _component_texts(message.components)


def _component_texts(components: Sequence[Any]) -> Iterator[str | None]:
    for part in components:
        yield getattr(part, "content", None)
        yield getattr(part, "url", None)
        yield from _component_texts(getattr(part, "children", None) or ())
        yield getattr(getattr(part, "accessory", None), "url", None)
