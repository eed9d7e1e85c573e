"""People's permissions to read and manage a channel, as Discord reports them now."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import aiohttp
import discord
import structlog

from adapters.discord.channel_kinds import DIRECT
from adapters.discord.commands import ROOT
from adapters.discord.permissions import added, channel_of, user_of
from adapters.discord.responses import Interaction
from bot.domain.errors import AccessUnknown, SendError
from bot.domain.models import ChannelRef, User
from bot.ports import Access

STRANGER = Access(member=False, may_manage=False)
UNKNOWN = frozenset({10003, 10004, 10007, 10013})
"""Discord's codes for a channel, a server, a member and a user that it doesn't know (any more)."""

log = structlog.get_logger(__name__)

FindServer = Callable[[int], discord.Guild | None]
"""Finds a server in the gateway's cache; None in a process that doesn't get its events."""


@dataclass(frozen=True, slots=True)
class Verified:
    """A person's permissions, from the event that is being answered."""

    user: str
    channel: ChannelRef
    may_manage: bool
    named: frozenset[str]
    """The ids of the person and their roles, which a server's settings can name."""


_verified: ContextVar[Verified | None] = ContextVar("verified", default=None)


@contextmanager
def from_payload(interaction: Interaction) -> Iterator[None]:
    """Within this block, take the person's permissions from a command's own payload.

    Buttons, forms and completion are checked over REST, unless Paperboy isn't in the server and can't ask.
    """
    is_command = interaction.type is discord.InteractionType.application_command
    is_elsewhere = not added(interaction) and not interaction.context.dm_channel
    user, verified = user_of(interaction), None
    if is_command or is_elsewhere:
        person = interaction.user
        named = ids_of(person) if added(interaction) and isinstance(person, discord.Member) else frozenset()
        verified = Verified(user.id, channel_of(interaction), user.may_manage, named)
    token = _verified.set(verified)
    try:
        yield
    finally:
        _verified.reset(token)


class AccessCheck:
    """Asks Discord for permissions. `rest` returns the REST client; `server` finds what the gateway already knows."""

    def __init__(self, rest: Callable[[], Awaitable[discord.Client]], server: FindServer) -> None:
        self._rest = rest
        self._server = server
        self._command: int | None = None

    async def of(self, user: User, channel: ChannelRef) -> Access:
        """Return the person's permissions in the channel now. Raises AccessUnknown if Discord doesn't say."""
        verified = _verified.get()
        try:
            if verified and (verified.user, verified.channel) == (user.id, channel):
                return Access(member=True, may_manage=verified.may_manage or await self._may_manage(verified))
            if channel.workspace == DIRECT:
                return await self._in_direct_messages(int(user.id), int(channel.channel))
            return await self._in_server(int(user.id), channel)
        except discord.HTTPException as error:
            if error.code in UNKNOWN:
                return STRANGER
            raise AccessUnknown(f"HTTP {error.status} {error.code}") from error
        except (discord.DiscordException, aiohttp.ClientError, OSError, SendError, ValueError) as error:
            raise AccessUnknown(str(error) or repr(error)) from error

    async def name(self, channel: ChannelRef) -> str:
        """Return the channel's name; "" for direct messages, and if Discord doesn't say."""
        if channel.workspace == DIRECT:
            return ""
        try:
            guild = self._server(int(channel.workspace))
            place = guild and guild.get_channel_or_thread(int(channel.channel))
            return str(
                getattr(place or await (await self._rest()).fetch_channel(int(channel.channel)), "name", "")
            )
        except (discord.DiscordException, aiohttp.ClientError, OSError, SendError, ValueError) as error:
            log.info("channel_name_unknown", channel=str(channel), error=str(error))
            return ""

    async def _in_server(self, user: int, channel: ChannelRef) -> Access:
        client, number = await self._rest(), int(channel.workspace)
        guild = self._server(number) or await client.fetch_guild(number, with_counts=False)
        member = await guild.fetch_member(user)
        place = guild.get_channel_or_thread(int(channel.channel))
        if place is None:
            place = await guild.fetch_channel(int(channel.channel))
        rights = await _rights(guild, place, member)
        may_read = rights.view_channel and await _can_enter(place, member, rights)
        if not may_read:
            return STRANGER
        may_manage = rights.manage_channels or await self._is_allowed(channel.workspace, ids_of(member))
        return Access(member=True, may_manage=may_manage)

    async def _in_direct_messages(self, user: int, channel: int) -> Access:
        """Return a person's permissions in direct messages: everything in their own with Paperboy."""
        found = await (await self._rest()).fetch_channel(channel)
        recipients = found.recipients if isinstance(found, discord.DMChannel) else ()
        own = any(recipient.id == user for recipient in recipients)
        return Access(member=own, may_manage=own)

    async def _is_allowed(self, server: str, named: frozenset[str]) -> bool:
        """Whether the server's settings (Integrations) allow `/paper` to this person, or to one of their roles."""
        rules = await self._rules(int(server)) if named else ()
        return any(rule["permission"] and str(rule["id"]) in named for rule in rules)

    async def _may_manage(self, verified: Verified) -> bool:
        """Like `_is_allowed` for a payload's person, but False if Discord doesn't answer: they can read anyway."""
        try:
            return await self._is_allowed(verified.channel.workspace, verified.named)
        except (discord.DiscordException, aiohttp.ClientError, OSError, SendError) as error:
            log.info("command_rules_unknown", channel=str(verified.channel), error=str(error))
            return False

    async def _rules(self, server: int) -> list[dict[str, Any]]:
        client = await self._rest()
        application = client.application_id
        if application is None:
            return []
        if self._command is None:
            commands = await client.http.get_global_commands(application)
            self._command = next((int(c["id"]) for c in commands if c["name"] == ROOT), None)
        if self._command is None:
            return []
        try:
            permissions: Any = await client.http.get_application_command_permissions(
                application, server, self._command
            )
        except discord.NotFound:  # most servers have no rules
            self._command = None  # or the command was recreated
            return []
        return list(permissions["permissions"])


def ids_of(member: discord.Member) -> frozenset[str]:
    """Return the ids of a person and of their roles."""
    return frozenset({str(member.id), *(str(role.id) for role in member.roles if not role.is_default())})


async def _rights(
    guild: discord.Guild, place: discord.abc.GuildChannel | discord.Thread, member: discord.Member
) -> discord.Permissions:
    """Return the person's permissions in a channel; in a thread, those in its parent, which has the overwrites."""
    if not isinstance(place, discord.Thread):
        return place.permissions_for(member)
    parent = place.parent or await guild.fetch_channel(place.parent_id)
    return parent.permissions_for(member)


async def _can_enter(
    place: discord.abc.GuildChannel | discord.Thread, member: discord.Member, rights: discord.Permissions
) -> bool:
    """Whether a private thread is open to the person: they were added to it, or can manage threads."""
    if not isinstance(place, discord.Thread) or not place.is_private() or rights.manage_threads:
        return True
    try:
        await place.fetch_member(member.id)
    except discord.NotFound:
        return False
    return True
