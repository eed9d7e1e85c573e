"""Checks the connection to Discord, for `paperboy doctor`."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import aiohttp
import discord
from redis.asyncio import Redis

from adapters.discord import keys
from adapters.discord.errors import classify_error
from adapters.discord.permissions import invite, missing_permissions
from adapters.discord.shards import RESERVE, gateway_of
from bot.domain.errors import SendError
from bot.domain.models import ChannelRef
from bot.domain.network_errors import network_reason
from bot.ports import CHECK_NETWORK, Finding
from bot.store.subscriptions import Subscriptions

TOKEN_TODO = "copy a new token from the page Bot of your application at https://discord.com/developers"  # noqa: S105  # no secret
MANY = 200
"""Maximum number of servers counted: as many as one request returns."""
CHANNELS = 50
"""Max channels that are checked: each takes three requests."""
AT_ONCE = 8
"""Channels checked at the same time, so that all are done within the doctor's few seconds."""


async def examine(rest: Callable[[], Awaitable[discord.Client]], redis: Redis) -> AsyncIterator[Finding]:
    """Check the token, the servers, today's connections, the commands, and some channels with subscriptions."""
    try:
        client = await rest()
        servers = [guild async for guild in client.fetch_guilds(limit=MANY)]
        gateway = await gateway_of(client)
    except discord.LoginFailure:
        yield Finding("discord", ok=False, message="Discord refuses DISCORD_TOKEN", todo=TOKEN_TODO)
        return
    except (discord.DiscordException, aiohttp.ClientError, OSError, SendError) as error:
        message = f"Discord can't be reached: {network_reason(error)}"
        yield Finding("discord", ok=False, message=message, todo=CHECK_NETWORK)
        return
    name = client.user.name if client.user else "the bot"
    yield Finding("discord", ok=True, message=f"DISCORD_TOKEN belongs to {name}")
    for finding in _servers(len(servers), client.application_id):
        yield finding
    if gateway.remaining < RESERVE:
        yield Finding(
            "discord",
            ok=False,
            message=f"only {gateway.remaining} of today's connections are left; Paperboy waits rather than use them up",
            todo=f"find out what keeps restarting; the next day begins in {gateway.reset_after / 3600:.1f} hours",
        )
    for finding in await _commands(redis, client.application_id):
        yield finding
    channels = await _subscribed(redis)
    for start in range(0, len(channels), AT_ONCE):
        checks = (_channel(client, channel) for channel in channels[start : start + AT_ONCE])
        for finding in await asyncio.gather(*checks):
            yield finding


async def _commands(redis: Redis, application: int | None) -> list[Finding]:
    """Report a problem with the command sync that the processes at the gateway stored."""
    problem = await redis.hget(keys.SYNC_PROBLEM, str(application))
    if problem is None:
        return []
    message = (
        f"Discord shows older commands, which still work, because of a problem with the new ones: {problem!s}"
    )
    todo = "nothing, if it passes: Paperboy retries at least every six hours. A restart doesn't help"
    return [Finding("discord commands", ok=False, message=message, todo=todo)]


def _servers(count: int, application: int | None) -> Iterator[Finding]:
    if count:
        many = f"{MANY} servers or more" if count == MANY else f"{count} server{'s' if count > 1 else ''}"
        yield Finding(
            "discord",
            ok=True,
            message=f"the bot is in {many}; this link adds it to others: {invite(application or 0)}",
        )
    elif application is not None:
        yield Finding(
            "discord", ok=False, message="the bot is in no server yet", todo=f"add it: {invite(application)}"
        )


async def _subscribed(redis: Redis) -> list[ChannelRef]:
    """Return some of the channels with subscriptions."""
    found = {subscription.channel async for subscription in Subscriptions(redis).load()}
    return sorted(c for c in found if c.platform == "discord" and c.workspace.isdigit())[:CHANNELS]


async def _channel(client: discord.Client, channel: ChannelRef) -> Finding:
    """Check whether Paperboy can post in the channel."""
    name = "discord channel"
    try:
        guild = await client.fetch_guild(int(channel.workspace), with_counts=False)
        place = await guild.fetch_channel(int(channel.channel))
        if client.user is None or isinstance(place, discord.Thread):
            return Finding(name, ok=True, message=f"{channel.channel} is a thread in {guild.name}")
        missing = missing_permissions(place.permissions_for(await guild.fetch_member(client.user.id)))
    except (discord.HTTPException, SendError) as error:
        todo = "invite Paperboy again, or unsubscribe there"
        return Finding(
            name, ok=False, message=f"{channel.channel}: {classify_error(error, posts=False)}", todo=todo
        )
    if missing:
        todo = f"give Paperboy {' and '.join(missing)} there"
        return Finding(
            name, ok=False, message=f"Paperboy can't post in #{place.name} in {guild.name}", todo=todo
        )
    return Finding(name, ok=True, message=f"Paperboy can post in #{place.name} in {guild.name}")
