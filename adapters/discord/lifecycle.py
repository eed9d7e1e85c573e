"""What happens to servers and channels while Paperboy is there, told to the core."""

from collections.abc import Iterable, Mapping

import discord
import structlog

from adapters.discord.people import lacking
from adapters.discord.places import Places, kind_of, ref
from adapters.discord.troubles import Troubles
from bot.domain.models import ChannelRef
from bot.ports import Core

REMOVED = "Paperboy was removed from the server"

Place = discord.abc.GuildChannel | discord.Thread

log = structlog.get_logger(__name__)


class Lifecycle:
    """Each event ends in the right state, however often it is told."""

    def __init__(self, core: Core, places: Places, troubles: Troubles) -> None:
        self._core = core
        self._places = places
        self._troubles = troubles

    async def added(self, guild: discord.Guild) -> None:
        """Invited, or invited back: what was subscribed before is posted again."""
        await self._core.resume_workspace("discord", str(guild.id))
        await self._troubles.end(_whole(guild))
        await self.look_at(guild)

    async def removed(self, guild: discord.Guild) -> None:
        """A real removal. Subscriptions are kept for a return."""
        await self._core.pause_workspace("discord", str(guild.id), REMOVED)
        await self._troubles.begin(_whole(guild), REMOVED, tell=False)

    async def available(self, guild: discord.Guild) -> None:
        """There again, after an outage or, should Discord say it so, after a removal."""
        if _whole(guild) in await self._troubles.known():
            await self.added(guild)

    async def deleted(self, guild: int, channel: int) -> None:
        """A channel is gone for good: Discord never gives its id again."""
        await self._core.forget(ref(guild, channel))
        await self._troubles.end(ref(guild, channel))

    async def changed(self, channel: Place) -> None:
        """A channel's kind, permissions or state may be others now."""
        await self._places.learn(channel.id, channel.type)
        await self._look({ref(channel.guild.id, channel.id): channel})

    async def look_at(self, guild: discord.Guild) -> None:
        """Permissions may have changed in any channel of the server."""
        everywhere: Iterable[Place] = (*guild.channels, *guild.threads)
        await self._look({ref(guild.id, channel.id): channel for channel in everywhere})

    async def ready(self, client: discord.Client) -> None:
        """Connected anew: events may have been missed, so whatever is in trouble is looked at."""
        channels: dict[ChannelRef, Place] = {}
        for known in await self._troubles.known():
            guild = client.get_guild(int(known.workspace)) if known.workspace.isdigit() else None
            if guild and not known.channel:
                await self.added(guild)
            elif guild and (place := guild.get_channel_or_thread(int(known.channel))):
                channels[known] = place
        await self._look(channels)

    async def used(
        self, channel: ChannelRef, kind: discord.ChannelType | None, permissions: discord.Permissions
    ) -> None:
        """Somebody gave a command there: the moment to try again, and, where it changed something, to learn what kind
        of channel it is."""
        if kind is not None:
            await self._places.learn(int(channel.channel), kind)
        if not lacking(permissions) and await self._troubles.end(channel):
            await self._core.resume(channel)

    async def _look(self, channels: Mapping[ChannelRef, Place]) -> None:
        for channel in await self._core.subscriptions(channels):
            await self._look_at_one(channel, channels[channel])

    async def _look_at_one(self, channel: ChannelRef, place: Place) -> None:
        missing = lacking(place.permissions_for(place.guild.me), thread=isinstance(place, discord.Thread))
        if missing:
            why = f"I lack {' and '.join(missing)} there"
            await self._core.pause(channel, why)
            if await self._troubles.begin(channel, why):
                log.info("permissions lost", channel=str(channel), missing=missing)
        elif await self._troubles.end(channel):
            await self._core.resume(channel)
            log.info("permissions regained", channel=str(channel), kind=kind_of(place.type))


def _whole(guild: discord.Guild) -> ChannelRef:
    """A server as one place, among the troubles."""
    return ChannelRef("discord", str(guild.id), "")
