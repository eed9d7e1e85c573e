"""The greeting in a server that Paperboy was just added to: once, in the channel for the system's messages."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import discord
import structlog
from redis.asyncio import Redis

from adapters.discord import keys
from adapters.discord.channel_kinds import ref
from adapters.discord.permissions import missing_permissions
from bot.cards import Card
from bot.clock import Clock
from bot.domain.errors import SendError
from bot.domain.models import ChannelRef
from bot.ports import Core

JUST_ADDED = timedelta(hours=1)
"""Time after Paperboy is added within which a server is greeted: Paperboy may have been restarting at that moment."""
REMEMBERED = timedelta(days=90)
"""Time for which a greeting isn't repeated in a server that removes Paperboy and adds it again."""

Send = Callable[[ChannelRef, Card, str], Awaitable[object]]
"""Posts a card once. Raises a SendError."""

log = structlog.get_logger(__name__)


class Greeter:
    """Greets servers. A greeting that can't be posted is dropped."""

    def __init__(self, core: Core, redis: Redis, send: Send, now: Clock) -> None:
        self._core = core
        self._redis = redis
        self._send = send
        self._now = now

    async def greet(self, guild: discord.Guild) -> None:
        """Greet the server if it is new and has no subscriptions. Any process may call it, any number of times."""
        channel = place_to_greet(guild, self._now())
        if channel is None:
            return
        places = [ref(guild.id, place.id) for place in (*guild.channels, *guild.threads)]
        if await self._core.subscriptions(places):
            return
        if not await self._redis.set(keys.greeted(guild.id), 1, nx=True, ex=REMEMBERED):
            return
        here = ref(guild.id, channel.id)
        card = await self._core.greeting(here, everywhere=guild.name)
        try:
            await self._send(here, card, f"greeting {guild.id}")
        except SendError as error:
            log.info("greeting_not_posted", server=guild.id, error=str(error))


def place_to_greet(guild: discord.Guild, now: datetime) -> discord.TextChannel | None:
    """Return the channel in which to greet a server; None if the server isn't new, or Paperboy can't post there."""
    ours: discord.Member | None = guild.me
    channel = guild.system_channel
    if ours is None or ours.joined_at is None or channel is None:
        return None
    is_new = now - ours.joined_at <= JUST_ADDED
    return channel if is_new and not missing_permissions(channel.permissions_for(ours)) else None
