"""Channels that can't be posted in, and notices about them to a person who can help."""

from collections.abc import Iterable, Sequence

import aiohttp
import discord
import structlog
from redis.asyncio import Redis

from adapters.discord import keys
from bot.domain.errors import SendError
from bot.domain.models import ChannelRef, Subscription
from bot.store.subscriptions import Subscriptions

LISTED = 5
"""Maximum number of queries listed in a message about a deleted channel."""
MAX_CONTENT = 2000
"""Characters of a message."""

log = structlog.get_logger(__name__)


class UnreachableChannels:
    """Discord's error code for each channel that can't be posted in, shared by all processes.

    The process that posts learns the code from a refusal; the process at the gateway sees when the problem may be over.
    A server that Paperboy was removed from is recorded as a channel without an id, with code 0.
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
        """Return the code of each of these channels that has a record, in one request for any number of records."""
        wanted = list(channels)
        found = await self._redis.hmget(keys.UNREACHABLE, list(map(str, wanted))) if wanted else []
        return {
            channel: _code(str(text)) for channel, text in zip(wanted, found, strict=True) if text is not None
        }


def _code(text: str) -> int:
    """Parse a record's code. Records of version 0.1.0 hold a sentence instead."""
    return int(text) if text.isdecimal() else 50013


async def notify(client: discord.Client, redis: Redis, channel: ChannelRef, problem: str) -> bool:
    """Send a direct message about a channel to its latest subscriber, or to the server's owner if they have left.

    Returns whether it reached one of them.
    """
    if not channel.channel:  # the whole server: Paperboy was removed, and can write to no one there
        return False
    message = f"About <#{channel.channel}>: {problem} Its subscriptions are safe, and posts will resume automatically."
    return await _write_to_helper(client, channel, await Subscriptions(redis).of(channel), message)


async def report_deletion(
    client: discord.Client, channel: ChannelRef, name: str, subscriptions: Sequence[Subscription]
) -> bool:
    """Report that a channel was deleted, and its subscriptions with it. Returns whether it reached anyone."""
    listed = ", ".join(f"`{one.query.replace('`', ' ')}`" for one in subscriptions[:LISTED])
    more = f" and {len(subscriptions) - LISTED} more" if len(subscriptions) > LISTED else ""
    message = (
        f"The channel #{discord.utils.escape_markdown(name)} was deleted, and its {_counted(subscriptions)} with it: "
        f"{listed}{more}. To go on, use `/paper subscribe` in another channel."
    )
    return await _write_to_helper(client, channel, subscriptions, message[:MAX_CONTENT])


def _counted(subscriptions: Sequence[Subscription]) -> str:
    return "subscription" if len(subscriptions) == 1 else f"{len(subscriptions)} subscriptions"


async def _write_to_helper(
    client: discord.Client, channel: ChannelRef, subscriptions: Sequence[Subscription], message: str
) -> bool:
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
