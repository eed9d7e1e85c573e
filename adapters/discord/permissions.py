"""Who asks, where, and whether they may: taken from Discord's payload only."""

from dataclasses import replace

import discord

from adapters.discord.answers import Ask, Interaction
from adapters.discord.channel_kinds import kind_of, ref
from bot.cards import Button, Card, Choice
from bot.cards.say import actions, bold, paragraph
from bot.commands.table import CommandSpec
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
"""What Paperboy needs in a channel, and asks for when it is invited."""
ELSEWHERE = "That works in the channels of a server that Paperboy was added to."


_TO_POST = {"view_channel": "View Channel", "send_messages": "Send Messages"}
_TO_POST_IN_THREAD = {"view_channel": "View Channel", "send_messages_in_threads": "Send Messages in Threads"}


def lacking(permissions: discord.Permissions, *, thread: bool = False) -> list[str]:
    """What is missing to post in a channel, by the names that Discord's settings show."""
    needed = _TO_POST_IN_THREAD if thread else _TO_POST
    return [label for name, label in needed.items() if not getattr(permissions, name)]


def plain_user(interaction: Interaction) -> User:
    """The person, with whether they may manage the channel; in their own direct messages they may."""
    may = interaction.guild_id is None or interaction.permissions.manage_channels
    return User(str(interaction.user.id), interaction.user.display_name, may_manage=may)


def roles(interaction: Interaction, typed: str) -> list[Choice]:
    """The server's roles that could be meant: only Discord knows them."""
    wanted = typed.casefold().removeprefix("@").strip()
    known = interaction.guild.roles if interaction.guild else ()
    named = [role for role in known if not role.is_default() and wanted in role.name.casefold()]
    return [Choice(str(role.id), f"@{role.name}") for role in named]


def advise(reply: Reply, interaction: Interaction, spec: CommandSpec | None) -> Reply:
    """The reply, with a warning where something was changed in a channel that can't be posted in."""
    if spec is None or not spec.changes or reply.card.kind == "error" or not added(interaction):
        return reply
    in_thread = where(interaction).channel == str(interaction.channel_id) and isinstance(
        interaction.channel, discord.Thread
    )
    missing = lacking(interaction.app_permissions, thread=in_thread)
    if not missing:
        return reply
    advice = paragraph(
        bold("I can't post here yet: "), f"give Paperboy {' and '.join(missing)} in this channel."
    )
    return replace(reply, card=replace(reply.card, blocks=(advice, *reply.card.blocks)))


def where(interaction: Interaction) -> ChannelRef:
    """The channel; a forum where its post is written in, for a forum has no other place to write."""
    channel = interaction.channel
    parent = channel.parent if isinstance(channel, discord.Thread) else None
    if parent is not None and kind_of(parent.type) == "forum":
        return ref(interaction.guild_id, parent.id)
    return ref(interaction.guild_id, interaction.channel_id or 0)


def kind_here(interaction: Interaction) -> discord.ChannelType | None:
    """What the channel of `where` is."""
    channel = interaction.channel
    parent = channel.parent if isinstance(channel, discord.Thread) else None
    if parent is not None and kind_of(parent.type) == "forum":
        return parent.type
    return channel.type if channel is not None else None


def refusal(interaction: Interaction, spec: CommandSpec | None) -> Ask | None:
    """What is answered where a command makes no sense in this place; None where it does."""
    if spec is None or spec.anywhere or added(interaction):
        return None
    link = invite(interaction.application_id)

    async def refuse() -> Reply:
        add = actions(Button("Add it to a server", url=link))
        return Reply(Card("error", ELSEWHERE, blocks=(paragraph(ELSEWHERE), *add)))

    return refuse


def added(interaction: Interaction) -> bool:
    """Whether Paperboy itself is in the server, and not only with the person who asks."""
    guild = interaction.guild_id
    return guild is not None and (
        interaction.is_guild_integration() or interaction.client.get_guild(guild) is not None
    )


def invite(application: int) -> str:
    """The link by which a server adds Paperboy, with just what it needs."""
    return discord.utils.oauth_url(application, permissions=NEEDED, scopes=("bot", "applications.commands"))
