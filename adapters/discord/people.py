"""Who asks, where, and whether they may: taken from Discord's payload only."""

import discord

from adapters.discord.answers import Ask, Interaction
from adapters.discord.places import kind_of, ref
from bot.cards import Button, Card
from bot.cards.say import actions, paragraph
from bot.commands.table import CommandSpec
from bot.models import ChannelRef, User
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


def user_of(interaction: Interaction) -> User:
    """The person, with whether the server lets them manage the channel; in their own direct messages they may."""
    may = interaction.guild_id is None or interaction.permissions.manage_channels
    return User(str(interaction.user.id), interaction.user.display_name, may_manage=may)


def where(interaction: Interaction) -> ChannelRef:
    """The channel; a forum where its post is written in, for a forum has no other place to write."""
    channel = interaction.channel
    parent = channel.parent if isinstance(channel, discord.Thread) else None
    if parent is not None and kind_of(parent.type) == "forum":
        return ref(interaction.guild_id, parent.id)
    return ref(interaction.guild_id, interaction.channel_id or 0)


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
