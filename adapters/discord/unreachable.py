"""Channels that can't be posted in, and the person who is notified of it."""

from collections.abc import Iterable

import aiohttp
import discord
import structlog
from redis.asyncio import Redis

from adapters.discord import keys
from bot.domain.errors import SendError
from bot.domain.models import ChannelRef
from bot.store.subscriptions import Subscriptions

log = structlog.get_logger(__name__)


class UnreachableChannels:
    """Discord's error code for each channel that can't be posted in, shared by all processes.

    The process that posts learns it from a refusal; the one at the gateway hears when it may be over. A server that
    Paperboy was removed from is recorded as a channel without an id, with code 0.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def add(self, channel: ChannelRef, code: int) -> None:
        """Record a channel."""
        await self._redis.hset(keys.UNREACHABLE, str(channel), str(code))

    async def remove(self, channel: ChannelRef) -> bool:
        """Drop a channel's record. Returns whether there was one."""
        return bool(await self._redis.hdel(keys.UNREACHABLE, str(channel)))

    async def among(self, channels: Iterable[ChannelRef]) -> dict[ChannelRef, int]:
        """The code of each of these channels that has a record; one request, whatever else is recorded."""
        wanted = list(channels)
        found = await self._redis.hmget(keys.UNREACHABLE, list(map(str, wanted))) if wanted else []
        return {
            channel: _code(str(text)) for channel, text in zip(wanted, found, strict=True) if text is not None
        }


def _code(text: str) -> int:
    """Records of version 0.1.0 hold a sentence in the code's place."""
    return int(text) if text.isdecimal() else 50013


async def notify(client: discord.Client, redis: Redis, channel: ChannelRef, problem: str) -> bool:
    """Send a direct message about a channel to its latest subscriber, or to the server's owner if they have left.

    Returns whether it reached one of them.
    """
    message = (
        f"About <#{channel.channel}>: {problem} Its subscriptions are safe, and posts go on by themselves."
    )
    subscriptions = await Subscriptions(redis).of(channel)
    subscribers = dict.fromkeys(s.created_by.partition(" ")[0] for s in reversed(subscriptions))
    try:
        guild = await client.fetch_guild(int(channel.workspace), with_counts=False)
        people = [int(person) for person in list(subscribers)[:1] if person.isdecimal()]
        for person in dict.fromkeys((*people, guild.owner_id)):
            if person and await _is_member(guild, person) and await _write(client, person, message):
                return True
    except (discord.DiscordException, aiohttp.ClientError, OSError, SendError, ValueError) as error:
        log.info("notification_failed", channel=str(channel), error=str(error))
    return False


async def _is_member(guild: discord.Guild, person: int) -> bool:
    try:
        await guild.fetch_member(person)
    except discord.NotFound:
        return False
    return True


async def _write(client: discord.Client, person: int, message: str) -> bool:
    try:
        direct = await client.create_dm(discord.Object(person))
        await direct.send(message)
    except discord.HTTPException as error:
        log.info("direct_message_refused", code=error.code)
        return False
    return True
