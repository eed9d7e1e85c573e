"""The user and the channel of a command, and the permissions there of the user and of Paperboy."""

from dataclasses import replace

import discord

from adapters.discord.channel_kinds import DIRECT, kind_of, ref
from adapters.discord.responses import Ask, Interaction
from bot.cards import Button, Card, Choice
from bot.cards.build import actions, bold, paragraph
from bot.commands.specs import CommandSpec
from bot.domain.models import ChannelRef, User
from bot.ports import Reply

NEEDED = discord.Permissions(
    view_channel=True,
    send_messages=True,
    embed_links=True,
    read_message_history=True,
    create_public_threads=True,
    send_messages_in_threads=True,
)
"""The permissions that the invite link asks for."""
ELSEWHERE = "This works only in a server that Paperboy was added to."

_TO_POST = {"view_channel": "View Channel", "send_messages": "Send Messages"}
_TO_POST_IN_THREAD = {"view_channel": "View Channel", "send_messages_in_threads": "Send Messages in Threads"}


def missing_permissions(permissions: discord.Permissions, *, thread: bool = False) -> list[str]:
    """Return the permissions that Paperboy lacks to post in a channel, as Discord's settings name them."""
    needed = _TO_POST_IN_THREAD if thread else _TO_POST
    return [label for name, label in needed.items() if not getattr(permissions, name)]


def user_of(interaction: Interaction) -> User:
    """Return the person, and whether the payload lets them manage the channel. Direct messages are their own."""
    may = interaction.guild_id is None or interaction.permissions.manage_channels
    return User(str(interaction.user.id), interaction.user.display_name, may_manage=may)


def roles(interaction: Interaction, typed: str) -> list[Choice]:
    """Return the server's roles that match the typed text."""
    wanted = typed.casefold().removeprefix("@").strip()
    known = interaction.guild.roles if interaction.guild else ()
    named = [role for role in known if not role.is_default() and wanted in role.name.casefold()]
    return [Choice(str(role.id), f"@{role.name}") for role in named]


def with_permission_warning(reply: Reply, interaction: Interaction, spec: CommandSpec | None) -> Reply:
    """Return the reply, with a warning if it changed something in a channel that Paperboy can't post in."""
    if spec is None or not spec.changes or reply.card.kind == "error" or not added(interaction):
        return reply
    in_thread = channel_of(interaction).channel == str(interaction.channel_id) and isinstance(
        interaction.channel, discord.Thread
    )
    missing = missing_permissions(interaction.app_permissions, thread=in_thread)
    if not missing:
        return reply
    advice = paragraph(
        bold("I can't post here yet. "), f"Give Paperboy {' and '.join(missing)} in this channel."
    )
    return replace(reply, card=replace(reply.card, blocks=(advice, *reply.card.blocks)))


def channel_of(interaction: Interaction) -> ChannelRef:
    """Return the channel of an interaction. In a forum's post it is the forum: commands can only be typed in its posts.

    Direct messages with Paperboy are the person's own channel.
    """
    if is_direct(interaction):
        return ChannelRef.of_person("discord", DIRECT, str(interaction.user.id))
    channel = interaction.channel
    parent = channel.parent if isinstance(channel, discord.Thread) else None
    if parent is not None and kind_of(parent.type) == "forum":
        return ref(interaction.guild_id, parent.id)
    return ref(interaction.guild_id, interaction.channel_id or 0)


def type_of_channel(interaction: Interaction) -> discord.ChannelType | None:
    """Return the type of the channel that `channel_of` returns."""
    channel = interaction.channel
    parent = channel.parent if isinstance(channel, discord.Thread) else None
    if parent is not None and kind_of(parent.type) == "forum":
        return parent.type
    return channel.type if channel is not None else None


def refusal(interaction: Interaction, spec: CommandSpec | None) -> Ask | None:
    """Return an answer for a command that makes no sense outside a server; None if the command makes sense here."""
    if spec is None or spec.anywhere or added(interaction) or is_direct(interaction):
        return None
    link = invite(interaction.application_id)

    async def refuse() -> Reply:
        add = actions(Button("Add it to a server", url=link))
        return Reply(Card("error", ELSEWHERE, blocks=(paragraph(ELSEWHERE), *add)))

    return refuse


def is_direct(interaction: Interaction) -> bool:
    """Whether the interaction is in direct messages with Paperboy, not in those of two people or of a group."""
    return interaction.guild_id is None and interaction.context.dm_channel


def added(interaction: Interaction) -> bool:
    """Whether Paperboy is a member of the server, and not only installed by the person."""
    guild = interaction.guild_id
    return guild is not None and (
        interaction.is_guild_integration() or interaction.client.get_guild(guild) is not None
    )


def invite(application: int) -> str:
    """Return the link that adds Paperboy to a server, with the permissions that it needs."""
    return discord.utils.oauth_url(application, permissions=NEEDED, scopes=("bot", "applications.commands"))
