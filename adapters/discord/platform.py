"""Discord as a platform."""

import asyncio
from datetime import datetime
from typing import Literal

import aiohttp
import discord
from redis.asyncio import Redis

from adapters.discord.answers import Answers
from adapters.discord.client import Listening, speaking
from adapters.discord.errors import verdict
from adapters.discord.posting import Poster
from bot.cards import Card
from bot.errors import ConfigurationError, RetryLater
from bot.models import ChannelRef, MessageRef
from bot.ports import Core, Rate, Rates

WRONG_TOKEN = "Discord refuses DISCORD_TOKEN: copy it anew from the page Bot of your application"  # noqa: S105  # no secret


class DiscordPlatform:
    """One bot. `rest` is a client that has logged in, where there is one already."""

    name = "discord"
    unclear: Literal["resend", "hold"] = "resend"
    rates = Rates(platform=Rate(48, 1.0), channel=Rate(5, 5.0))
    """Discord allows 50 requests a second; a few are left for what comes beside the posts."""

    def __init__(self, token: str, redis: Redis, *, rest: discord.Client | None = None) -> None:
        self._token = token
        self._redis = redis
        self._rest = rest
        self._login = asyncio.Lock()

    async def run(self, core: Core) -> None:
        """Listen at the gateway until cancelled. Raises ConfigurationError where Discord refuses the token."""
        client = self.listening(core)
        try:
            await client.start(self._token)
        except discord.LoginFailure as error:
            raise ConfigurationError(WRONG_TOKEN) from error
        finally:
            await client.close()

    def listening(self, core: Core, answers: Answers | None = None) -> Listening:
        """A client for the gateway."""
        return Listening(core, self._redis, answers or Answers())

    async def send(self, to: ChannelRef, card: Card, key: str) -> MessageRef:
        """Post a card once. Raises a SendError."""
        poster = await self._poster()
        try:
            return await poster.send(to, card, key)
        except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
            raise verdict(error) from error

    async def find(self, to: ChannelRef, key: str, since: datetime) -> MessageRef | None:
        """What a delivery became. Raises Unknowable, or a SendError where Discord can't be asked."""
        poster = await self._poster()
        try:
            return await poster.find(to, key, since)
        except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
            raise verdict(error) from error

    async def edit(self, to: ChannelRef, message: MessageRef, card: Card) -> None:
        """Show another card in a message's place. Raises a SendError."""
        poster = await self._poster()
        try:
            await poster.edit(to, message, card)
        except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
            raise verdict(error) from error

    async def close(self) -> None:
        """Give the connections back."""
        if self._rest is not None:
            await self._rest.close()

    async def _poster(self) -> Poster:
        async with self._login:
            if self._rest is None:
                client = speaking()
                try:
                    await client.login(self._token)
                except discord.LoginFailure as error:
                    await client.close()
                    raise RetryLater(WRONG_TOKEN, after=300, scope="platform", counts=False) from error
                except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
                    await client.close()
                    raise RetryLater(
                        f"Discord can't be reached: {error}", scope="platform", counts=False
                    ) from error
                self._rest = client
        return Poster(self._rest, self._redis)
