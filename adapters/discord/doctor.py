"""What can be wrong with Discord, for `paperboy doctor`."""

from collections.abc import Awaitable, Callable, Iterator

import aiohttp
import discord

from adapters.discord.gateway import RESERVE, gateway_of
from adapters.discord.people import invite
from bot.ports import Finding

TOKEN_TODO = "copy it anew from the page Bot of your application at https://discord.com/developers"  # noqa: S105  # no secret
MANY = 200
"""Servers that are counted; one request's worth."""


async def examine(speaking: Callable[[], Awaitable[discord.Client]]) -> list[Finding]:
    """The token, the servers that the bot is in, and what is left of the day's connections."""
    try:
        client = await speaking()
        servers = [guild async for guild in client.fetch_guilds(limit=MANY)]
        gateway = await gateway_of(client)
    except discord.LoginFailure:
        return [Finding("discord", ok=False, message="Discord refuses DISCORD_TOKEN", todo=TOKEN_TODO)]
    except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
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
    return found


def _servers(count: int, application: int | None) -> Iterator[Finding]:
    if count:
        many = f"{MANY} servers or more" if count == MANY else f"{count} server{'s' if count > 1 else ''}"
        yield Finding("discord", ok=True, message=f"it is in {many}")
    elif application is not None:
        yield Finding(
            "discord", ok=False, message="it is in no server yet", todo=f"add it: {invite(application)}"
        )
