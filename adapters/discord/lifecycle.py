"""Resumes channels and servers when the gateway's events show that a problem may be over, and forgets deleted ones.

Losing a permission doesn't pause a channel: the next refused post does, and the core notifies someone.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

import discord
import structlog
from redis.exceptions import RedisError

from adapters.discord.channel_kinds import ChannelKinds, kind_of, ref, usable_tags
from adapters.discord.greeting import Greeter
from adapters.discord.permissions import missing_permissions
from adapters.discord.settings import DiscordSettings
from adapters.discord.unreachable import UnreachableChannels
from bot.domain.models import ChannelRef
from bot.ports import Core

SETTLE = 2.0
"""Seconds from a change of roles to the check of a server's channels: reordering roles sends one event per role."""
AT_ONCE = 16
"""Max servers checked concurrently: at startup Discord lists thousands."""
MAX_ACTIVE_THREADS = 1000
"""Active threads of a server; one more is refused with 160006."""

Place = discord.abc.GuildChannel | discord.Thread

log = structlog.get_logger(__name__)


class Lifecycle:
    """Handles the gateway's events. Each may arrive twice, and after others have been missed.

    Events of one server are handled in order; servers don't wait for each other. `settle` in seconds, as SETTLE.
    """

    def __init__(
        self,
        core: Core,
        kinds: ChannelKinds,
        unreachable: UnreachableChannels,
        *,
        greeter: Greeter | None = None,
        settle: float = SETTLE,
    ) -> None:
        self._core = core
        self._greeter = greeter
        self._kinds = kinds
        self._unreachable = unreachable
        self._settle = settle
        self._locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._settling: set[int] = set()
        """Servers that will be checked soon."""
        self._tasks: set[asyncio.Task[None]] = set()

    async def added(self, guild: discord.Guild) -> None:
        """Resume the subscriptions of a server that Paperboy was added to, perhaps again; greet a new server."""
        async with self._turn(guild.id):
            await self._added(guild)
            await self._greet(guild)

    async def removed(self, guild: discord.Guild) -> None:
        """Pause a server that Paperboy was removed from. Its subscriptions stay, in case Paperboy is added again."""
        async with self._turn(guild.id):
            await self._core.pause_workspace("discord", str(guild.id), DiscordSettings.removed)
            await self._unreachable.add(_whole_server(guild), 0)

    async def available(self, guild: discord.Guild) -> None:
        """Check the unreachable channels of a server that is available again, after an outage or a new connection."""
        async with self._turn(guild.id):
            places = _places(guild)
            known = await self._unreachable.among((_whole_server(guild), *places))
            if _whole_server(guild) in known:
                await self._added(guild)
            else:
                await self._resume(places, known)
            await self._greet(guild)

    async def deleted(self, guild: int, channel: int) -> None:
        """Forget a deleted channel: Discord never uses its id again."""
        async with self._turn(guild):
            await self._core.forget(ref(guild, channel))
            await self._unreachable.remove(ref(guild, channel))

    async def changed(self, channel: Place) -> None:
        """Check a channel whose kind, permissions or state may have changed; for a thread, also its parent."""
        async with self._turn(channel.guild.id):
            await self._kinds.learn(channel.id, channel.type)
            places: dict[ChannelRef, Place] = {ref(channel.guild.id, channel.id): channel}
            if isinstance(channel, discord.Thread) and channel.parent is not None:
                places[ref(channel.guild.id, channel.parent.id)] = channel.parent
            await self._check(places)

    def roles_changed(self, guild: discord.Guild) -> None:
        """Check all channels of a server once its roles have settled: permissions may have changed in any of them."""
        if guild.id not in self._settling:
            self._settling.add(guild.id)
            task = asyncio.create_task(self._check_later(guild), name=f"check server {guild.id}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def used(
        self, channel: ChannelRef, kind: discord.ChannelType | None, permissions: discord.Permissions
    ) -> None:
        """Resume a channel where someone used a command, and learn its kind if the command changed something."""
        if kind is not None:
            await self._kinds.learn(int(channel.channel), kind)
        if not missing_permissions(permissions) and await self._unreachable.remove(channel):
            await self._core.resume(channel)

    async def close(self) -> None:
        """Cancel the pending checks."""
        for task in tuple(self._tasks):
            task.cancel()

    async def _added(self, guild: discord.Guild) -> None:
        await self._core.resume_workspace("discord", str(guild.id))
        await self._unreachable.remove(_whole_server(guild))
        await self._check(_places(guild))

    async def _greet(self, guild: discord.Guild) -> None:
        if self._greeter is not None:
            await self._greeter.greet(guild)

    async def _check_later(self, guild: discord.Guild) -> None:
        await asyncio.sleep(self._settle)
        self._settling.discard(guild.id)  # later changes need another check
        try:
            async with self._turn(guild.id):
                await self._check(_places(guild))
        except (RedisError, OSError) as error:  # the next refused post, change or command will find out
            log.warning("server_not_looked_at", server=guild.id, error=str(error))

    async def _check(self, places: Mapping[ChannelRef, Place]) -> None:
        await self._resume(places, await self._unreachable.among(places))

    async def _resume(self, places: Mapping[ChannelRef, Place], known: Mapping[ChannelRef, int]) -> None:
        for channel, code in known.items():
            if is_over(code, places[channel]) and await self._unreachable.remove(channel):
                await self._core.resume(channel)
                log.info("channel_resumed", channel=str(channel), kind=kind_of(places[channel].type))

    @asynccontextmanager
    async def _turn(self, guild: int) -> AsyncIterator[None]:
        """Handle a server's events one after the other, and not too many servers at once."""
        async with self._locks.setdefault(guild, asyncio.Lock()), self._slots:
            yield


def is_over(code: int, place: Place) -> bool:
    """Whether the error of this code is over, as far as the gateway's data shows."""
    if _missing(place):
        return False
    if isinstance(place, discord.Thread) and (place.locked or place.archived):
        return False
    if isinstance(place, discord.ForumChannel) and place.flags.require_tag and not usable_tags(place):
        return False
    return code != 160006 or len(place.guild.threads) < MAX_ACTIVE_THREADS


def _missing(place: Place) -> list[str]:
    if isinstance(place, discord.Thread) and place.parent is None:
        return ["View Channel"]
    ours: discord.Member | None = place.guild.me
    if ours is None:  # Discord left us out of the server's members: the next post finds out what we may do
        return []
    return missing_permissions(place.permissions_for(ours), thread=isinstance(place, discord.Thread))


def _places(guild: discord.Guild) -> dict[ChannelRef, Place]:
    places: tuple[Place, ...] = (*guild.channels, *guild.threads)
    return {ref(guild.id, place.id): place for place in places}


def _whole_server(guild: discord.Guild) -> ChannelRef:
    """Return the record of a whole server: a channel without an id."""
    return ChannelRef("discord", str(guild.id), "")
