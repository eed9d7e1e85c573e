"""Discord as a platform."""

import asyncio
import logging
from base64 import b64decode
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime
from typing import Literal, TypeVar

import aiohttp
import discord
import structlog
from redis.asyncio import Redis

from adapters.discord.access import AccessCheck
from adapters.discord.client import GatewayClient
from adapters.discord.doctor import examine
from adapters.discord.errors import TOKEN_REFUSED, Unreachable, classify_error
from adapters.discord.follow_ups import RATE
from adapters.discord.greeting import Greeter
from adapters.discord.permissions import invite
from adapters.discord.posting import Poster
from adapters.discord.responses import Responder
from adapters.discord.rest import rest_client
from adapters.discord.settings import DiscordSettings
from adapters.discord.shards import Gateway, IdentifyQueue, Shards, gateway_of
from adapters.discord.unreachable import UnreachableChannels, notify
from bot.cards import Card
from bot.clock import Clock, wall_clock
from bot.domain.errors import ConfigurationError, RetryLater, SendError
from bot.domain.models import ChannelRef, MessageRef, User
from bot.ports import Access, Core, Finding, Rate, Rates
from bot.store.limits import TurnedAway

WRONG_TOKEN = (  # no secret
    "Discord refuses DISCORD_TOKEN. Copy a new token from the page Bot of your application."  # noqa: S105
)
RETRY_AFTER = 10.0
"""Seconds between attempts to reach the gateway."""

_T = TypeVar("_T")

log = structlog.get_logger(__name__)


class DiscordPlatform:
    """One bot, in any number of servers. `rest` is a client that has logged in, if there is one already."""

    name = "discord"
    title = DiscordSettings.title
    on_uncertain: Literal["resend", "hold"] = "resend"
    rates = Rates(platform=RATE, channel=Rate(5, 5.0))

    def __init__(
        self, token: str, redis: Redis, *, rest: discord.Client | None = None, now: Clock = wall_clock
    ) -> None:
        self._token = token
        self._redis = redis
        self._rest = rest
        self._now = now
        self._login = asyncio.Lock()
        self._listening: list[GatewayClient] = []
        """The clients at the gateway, one per group of shards."""
        self._access = AccessCheck(self._rest_client, self._server)

    async def run(self, core: Core) -> None:
        """Listen at the gateway until cancelled. Raises ConfigurationError if Discord refuses the token."""
        identifies = IdentifyQueue(self._redis)

        async def recommended() -> int:
            return (await self._gateway()).shards

        async def listen(shards: Sequence[int], count: int) -> None:
            gateway = await self._gateway()
            await gateway.allows(len(shards))

            async def identify(shard: int) -> None:
                await identifies.turn(shard, gateway.at_once)

            client = GatewayClient(
                core,
                self._redis,
                Responder(),
                identify,
                greeter=Greeter(core, self._redis, self.send, self._now),
                shard_ids=shards,
                shard_count=count,
            )
            self._listening.append(client)
            try:
                async with client:
                    await client.login(self._token)
                    await client.connect()
            finally:
                self._listening.remove(client)

        try:
            await Shards(self._redis).listen(recommended, listen)
        except (discord.LoginFailure, discord.ConnectionClosed) as error:
            raise ConfigurationError(WRONG_TOKEN) from error

    def connected(self) -> bool:
        """Whether this process listens at the gateway. It doesn't while other processes have all shards."""
        return any(client.is_ready() and not client.is_closed() for client in self._listening)

    async def access(self, user: User, channel: ChannelRef) -> Access:
        """Return the person's permissions in the channel now. Raises AccessUnknown if Discord doesn't say."""
        return await self._access.of(user, channel)

    async def channel_name(self, channel: ChannelRef) -> str:
        """Return the channel's name; "" if Discord doesn't say."""
        return await self._access.name(channel)

    def _server(self, number: int) -> discord.Guild | None:
        return next(filter(None, (client.get_guild(number) for client in self._listening)), None)

    def invitation(self) -> str | None:
        """Return the link that adds the bot to a server; None if the bot is private."""
        application = self._rest.application if self._rest else None
        if application is not None and not application.bot_public:
            return None
        number = application_of(self._token)
        return None if number is None else invite(number)

    async def _gateway(self) -> Gateway:
        """Ask Discord how to connect, until it answers. Raises LoginFailure."""
        while True:
            try:
                return await gateway_of(await self._rest_client())
            except discord.LoginFailure:
                raise
            except (discord.DiscordException, aiohttp.ClientError, OSError, SendError) as error:
                log.warning("discord_unreachable", error=str(error))
                await asyncio.sleep(RETRY_AFTER)

    async def send(self, to: ChannelRef, card: Card, key: str) -> MessageRef:
        """Post a card once. Raises a SendError."""
        return await self._ask(to, lambda poster: poster.send(to, card, key), posts=True)

    async def notify(self, channel: ChannelRef, problem: str) -> bool:
        """Send `problem` to the channel's latest subscriber, or to the server's owner. Returns whether it arrived."""
        try:
            client = await self._rest_client()
        except (discord.DiscordException, aiohttp.ClientError, OSError, SendError) as error:
            log.info("notification_failed", channel=str(channel), error=str(error))
            return False
        return await notify(client, self._redis, channel, problem)

    async def find(self, to: ChannelRef, key: str, since: datetime) -> MessageRef | None:
        """Find the message of a delivery. Raises LookupUnsupported, or a SendError if the request fails."""
        return await self._ask(to, lambda poster: poster.find(to, key, since))

    async def reply(self, to: ChannelRef, message: MessageRef, card: Card, key: str) -> MessageRef:
        """Post a card in a message's thread. Raises a SendError."""
        return await self._ask(to, lambda poster: poster.reply(to, message, card, key), posts=True)

    async def find_reply(
        self, to: ChannelRef, message: MessageRef, key: str, since: datetime
    ) -> MessageRef | None:
        """Find the message of a delivery in a message's thread. Raises a SendError if the request fails."""
        return await self._ask(to, lambda poster: poster.find_reply(to, message, key, since))

    async def edit(self, to: ChannelRef, message: MessageRef, card: Card) -> None:
        """Replace the card of a message. Raises a SendError."""
        await self._ask(to, lambda poster: poster.edit(to, message, card))

    def diagnose(self) -> AsyncIterator[Finding]:
        """Check the token, the servers, the commands, today's connections and the subscribed channels."""
        return examine(self._rest_client, self._redis)

    async def close(self) -> None:
        """Close the REST client."""
        if self._rest is not None:
            await self._rest.close()

    async def _ask(
        self, to: ChannelRef, request: Callable[[Poster], Awaitable[_T]], *, posts: bool = False
    ) -> _T:
        try:
            return await self._answer(request, posts=posts)
        except Unreachable as error:  # the process at the gateway notices when it may be over
            if not to.person:
                await UnreachableChannels(self._redis).add(to, error.code)
            raise

    async def _answer(self, request: Callable[[Poster], Awaitable[_T]], *, posts: bool) -> _T:
        """Return the result of a request. Raises its error as a SendError."""
        try:
            return await request(Poster(await self._rest_client(), self._redis, self._now))
        except discord.LoginFailure as error:
            raise RetryLater(WRONG_TOKEN, after=TOKEN_REFUSED, scope="platform", counts=False) from error
        except TurnedAway as away:
            raise RetryLater(str(away), after=away.after, counts=False) from away
        except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
            raise classify_error(error, posts=posts) from error

    async def _rest_client(self) -> discord.Client:
        """Return the REST client, logged in. Raises discord.py's errors."""
        async with self._login:
            if self._rest is None:
                client = rest_client()
                try:
                    await client.login(self._token)
                except BaseException:
                    await client.close()
                    raise
                self._rest = client
            return self._rest


def application_of(token: str) -> int | None:
    """Return the application's id, which a bot's token begins with; None if the token isn't a bot's."""
    first = token.partition(".")[0]
    try:
        return int(b64decode(f"{first}{'=' * (-len(first) % 4)}", altchars=b"-_").decode("ascii"))
    except ValueError:
        return None


def configure_library(api_url: str) -> None:
    """Point discord.py at Discord's REST API, and silence its warnings about what Paperboy doesn't use."""
    logging.getLogger("discord.state").setLevel(logging.ERROR)  # posting needs no intents
    discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False
    discord.http.Route.BASE = api_url  # all of discord.py reads it there
