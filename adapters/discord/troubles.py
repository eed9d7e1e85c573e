"""Channels that nothing can be posted in for now: their people are told once, and they are looked at again."""

from collections.abc import Iterable

import aiohttp
import discord
import structlog
from redis.asyncio import Redis

from bot.domain.models import ChannelRef
from bot.store import keys
from bot.store.subscriptions import Subscriptions

log = structlog.get_logger(__name__)


class Troubles:
    """Remembered for all processes: the one that posts finds them out, the one at the gateway hears when they end."""

    def __init__(self, client: discord.Client, redis: Redis) -> None:
        self._client = client
        self._redis = redis

    async def begin(self, channel: ChannelRef, why: str, *, tell: bool = True) -> bool:
        """Remember it, and tell somebody who can mend it. False where that was done before."""
        if not await self._redis.hsetnx(keys.DISCORD_TROUBLE, str(channel), why):
            return False
        if not tell:
            return True
        try:
            await self._tell(channel, why)
        except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
            log.info("nobody could be told", channel=str(channel), error=str(error))
        return True

    async def end(self, channel: ChannelRef) -> bool:
        """Forget it. -> whether there was any."""
        return bool(await self._redis.hdel(keys.DISCORD_TROUBLE, str(channel)))

    async def known(self) -> set[ChannelRef]:
        """Every channel that is in trouble."""
        return {ChannelRef.parse(str(name)) for name in await self._redis.hkeys(keys.DISCORD_TROUBLE)}

    async def _tell(self, channel: ChannelRef, why: str) -> None:
        """Whoever subscribed last, else the owner of the server."""
        message = (
            f"I can't post in <#{channel.channel}>: {why}. Its subscriptions are kept, and I go on by myself once that "
            "is mended; any `/paper` command there makes me look again."
        )
        subscriptions = await Subscriptions(self._redis).of(channel)
        people = [subscription.created_by.partition(" ")[0] for subscription in reversed(subscriptions)]
        if not await self._write(dict.fromkeys(people[:1]), message):
            guild = await self._client.fetch_guild(int(channel.workspace), with_counts=False)
            await self._write([str(guild.owner_id)], message)

    async def _write(self, people: Iterable[str], message: str) -> bool:
        for person in people:
            if not person.isdigit():
                continue
            try:
                direct = await self._client.create_dm(discord.Object(int(person)))
                await direct.send(message)
            except discord.HTTPException as error:
                log.info("a person takes no messages", code=error.code)
            else:
                return True
        return False
