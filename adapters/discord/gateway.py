"""What Discord says about its gateway."""

import asyncio
from dataclasses import dataclass

import discord
import structlog
from discord.gateway import DiscordWebSocket
from yarl import URL

RESERVE = 50
"""Identifies of the day that are kept: past its thousand, Discord resets the token."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Gateway:
    """How it may be connected to."""

    shards: int
    at_once: int
    """Identifies in five seconds."""
    remaining: int
    """Identifies that are left of the day."""
    reset_after: float
    """Seconds until the day begins anew."""

    async def allows(self, identifies: int) -> None:
        """Wait for the next day where this one's identifies are used up: Discord would reset the token."""
        if self.remaining - identifies < RESERVE:
            log.error("too many connections to Discord today; waiting", seconds=self.reset_after)
            await asyncio.sleep(self.reset_after)


async def gateway_of(client: discord.Client) -> Gateway:
    """Ask, and let discord.py connect to where the answer says. Raises what discord.py raises."""
    shards, url, limit = await client.http.get_bot_gateway()
    DiscordWebSocket.DEFAULT_GATEWAY = URL(url)  # what it uses wherever the number of shards is given
    return Gateway(shards, limit["max_concurrency"], limit["remaining"], limit["reset_after"] / 1000)
