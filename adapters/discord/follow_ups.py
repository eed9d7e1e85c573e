"""Follow-ups of a post, over REST: a ping, a thread, publishing. Each is best-effort."""

import asyncio
from collections.abc import Coroutine
from datetime import datetime
from typing import Any
from uuid import uuid4

import aiohttp
import discord
import structlog
from redis.asyncio import Redis

from adapters.discord import errors
from adapters.discord.buttons import mark
from adapters.discord.markup import fitted
from bot.cards import Card, PaperBlock
from bot.cards.paper import short_date
from bot.cards.sanitize import plain
from bot.clock import Clock
from bot.domain.errors import SendError
from bot.ports import Rate
from bot.store.limits import RateLimiter, TurnedAway
from bot.text import shorten

MAX_NAME = 100
"""Characters of a thread's name."""
MAX_CONTENT = 2000
"""Characters of a message of plain text."""
RATE = Rate(5, 0.105)
"""Rate limit for posts of the whole bot. Discord allows 50 requests a second; the rest is for requests that aren't
posts. The window is short, so that two bursts around the end of a second don't exceed the limit together."""
PUBLISHED = Rate(10, 3600.0)
"""Discord's rate limit for publishing the posts of one announcement channel."""
FOLLOW_UP_TIMEOUT = 4.0
"""Seconds for each request after a post. The post itself must be confirmed before the core's time-out."""

log = structlog.get_logger(__name__)


class FollowUps:
    """Requests after a post, and the bot's rate limit that they share with posts."""

    def __init__(self, client: discord.Client, redis: Redis, now: Clock) -> None:
        self._client = client
        self._rates = RateLimiter(redis)
        self._now = now

    async def ping(
        self,
        channel: discord.abc.Messageable,
        message: discord.Message,
        card: Card,
        role: discord.Object,
        key: str,
    ) -> None:
        """Ping the role in a message of plain text: components would make an empty notification."""
        text = f"<@&{role.id}> {fitted(card.notice, MAX_CONTENT - 100)}"
        await channel.send(
            text,
            reference=message.to_reference(fail_if_not_exists=False),
            nonce=mark(f"{key} ping"),
            allowed_mentions=mention_only(role),
            suppress_embeds=True,
        )

    async def start_thread(self, channel: int, message: int, card: Card) -> None:
        try:  # discord.py's own method needs the server, which only the gateway knows
            await self._client.http.start_thread_with_message(
                channel, message, name=name_of(card, self._now()), auto_archive_duration=1440
            )
        except discord.HTTPException as error:
            if error.code != errors.THREAD_EXISTS:
                raise

    async def publish(self, message: discord.Message) -> None:
        """Publish the post to the channels that follow this one. Raises TurnedAway if this hour's ten are used up."""
        await asyncio.sleep(
            await self._rates.turn(PUBLISHED, str(message.id), "discord", "publish", str(message.channel.id))
        )
        try:
            await message.publish()
        except discord.HTTPException as error:
            if error.code != errors.ALREADY_PUBLISHED:
                raise

    async def attempt(self, name: str, request: Coroutine[Any, Any, None]) -> None:
        """Make a best-effort request after a post; a failure doesn't fail the post."""
        try:
            async with asyncio.timeout(FOLLOW_UP_TIMEOUT):
                await self.turn("follow-up")
                await request
        except (discord.DiscordException, aiohttp.ClientError, OSError, SendError, TurnedAway) as error:
            request.close()
            log.warning("follow_up_failed", request=name, error=str(error) or repr(error))

    async def turn(self, key: str) -> None:
        """Wait until the bot's rate limit allows a request that isn't a post. Raises TurnedAway."""
        await asyncio.sleep(await self._rates.turn(RATE, f"{uuid4().hex} {key}", "discord"))


def name_of(card: Card, now: datetime) -> str:
    """Return a thread's name: the paper's title, or the digest's heading with the day."""
    paper = next((block.title for block in card.blocks if isinstance(block, PaperBlock)), card.notice)
    name = f"{card.heading} · {short_date(now, now)}" if card.heading else paper
    return shorten(plain(name), MAX_NAME) or "New papers"


def mention_only(role: discord.Object | None) -> discord.AllowedMentions:
    """Let a message mention at most this role."""
    return discord.AllowedMentions(
        everyone=False, users=False, roles=[role] if role else False, replied_user=False
    )
