"""What can be wrong with Discord, for `paperboy doctor`."""

from collections.abc import Awaitable, Callable, Iterator

import aiohttp
import discord
from redis.asyncio import Redis

from adapters.discord import keys
from adapters.discord.errors import verdict
from adapters.discord.permissions import invite, lacking
from adapters.discord.shards import RESERVE, gateway_of
from bot.domain.errors import SendError
from bot.domain.models import ChannelRef
from bot.ports import Finding
from bot.store.subscriptions import Subscriptions

TOKEN_TODO = "copy it anew from the page Bot of your application at https://discord.com/developers"  # noqa: S105  # no secret
MANY = 200
"""Servers that are counted; one request's worth."""
CHANNELS = 50
"""Channels that are looked at."""


async def examine(speaking: Callable[[], Awaitable[discord.Client]], redis: Redis) -> list[Finding]:
    """The token, the servers that the bot is in, what is left of the day's connections, and the channels that have
    subscriptions."""
    try:
        client = await speaking()
        servers = [guild async for guild in client.fetch_guilds(limit=MANY)]
        gateway = await gateway_of(client)
    except discord.LoginFailure:
        return [Finding("discord", ok=False, message="Discord refuses DISCORD_TOKEN", todo=TOKEN_TODO)]
    except (discord.DiscordException, aiohttp.ClientError, OSError, SendError) as error:
        todo = "check this machine's way out (DNS, proxy, firewall); it is retried by itself"
        return [Finding("discord", ok=False, message=f"Discord can't be reached: {error}", todo=todo)]
    name = client.user.name if client.user else "the bot"
    found = [Finding("discord", ok=True, message=f"DISCORD_TOKEN is that of {name}")]
    found += _servers(len(servers), client.application_id)
    if gateway.remaining < RESERVE:
        found.append(
            Finding(
                "discord",
                ok=False,
                message=f"{gateway.remaining} connections are left of today's; Paperboy waits before it uses them up",
                todo=f"find out what keeps restarting; the next day begins in {gateway.reset_after / 3600:.1f} hours",
            )
        )
    found += await _commands(redis, client.application_id)
    return found + [await _channel(client, channel) for channel in await _subscribed(redis)]


async def _commands(redis: Redis, application: int | None) -> list[Finding]:
    """Whether Discord has our commands, as far as the processes at the gateway know."""
    problem = await redis.hget(keys.SYNC_PROBLEM, str(application))
    if problem is None:
        return []
    message = (
        f"Discord shows older commands, which still work, because of a problem with the new ones: {problem!s}"
    )
    todo = (
        "nothing if it passes: it is retried, every six hours at the latest. Restarting makes no difference"
    )
    return [Finding("discord commands", ok=False, message=message, todo=todo)]


def _servers(count: int, application: int | None) -> Iterator[Finding]:
    if count:
        many = f"{MANY} servers or more" if count == MANY else f"{count} server{'s' if count > 1 else ''}"
        yield Finding(
            "discord", ok=True, message=f"it is in {many}; others add it by {invite(application or 0)}"
        )
    elif application is not None:
        yield Finding(
            "discord", ok=False, message="it is in no server yet", todo=f"add it: {invite(application)}"
        )


async def _subscribed(redis: Redis) -> list[ChannelRef]:
    """Some of the channels that have subscriptions: each takes requests to look at."""
    found = {subscription.channel async for subscription in Subscriptions(redis).load()}
    return sorted(c for c in found if c.platform == "discord" and c.workspace.isdigit())[:CHANNELS]


async def _channel(client: discord.Client, channel: ChannelRef) -> Finding:
    """Whether it can be posted in."""
    name = "discord channel"
    try:
        guild = await client.fetch_guild(int(channel.workspace), with_counts=False)
        place = await guild.fetch_channel(int(channel.channel))
        if client.user is None or isinstance(place, discord.Thread):
            return Finding(name, ok=True, message=f"{channel.channel} is a thread in {guild.name}")
        missing = lacking(place.permissions_for(await guild.fetch_member(client.user.id)))
    except (discord.HTTPException, SendError) as error:
        todo = "invite Paperboy again, or unsubscribe there"
        return Finding(name, ok=False, message=f"{channel.channel}: {verdict(error)}", todo=todo)
    if missing:
        todo = f"give Paperboy {' and '.join(missing)} there"
        return Finding(name, ok=False, message=f"#{place.name} in {guild.name} can't be posted in", todo=todo)
    return Finding(name, ok=True, message=f"#{place.name} in {guild.name} can be posted in")
