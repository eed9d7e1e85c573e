"""Webhooks of some channels, and the double that receives their posts."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path

from redis.asyncio import Redis

from adapters.webhook.client import WebhookClient
from adapters.webhook.platform import WebhookPlatform
from bot.domain.models import ChannelRef
from bot.encryption import Encryptor
from bot.store.copies import Copies, Copy
from tests.adapters.webhook.listener import HOST, Listener, client_context
from tests.papers import a_channel

KEY = "a key that can't be guessed"
LOOPBACK = [ip_network(f"{HOST}/32")]


def webhook_platform(
    redis: Redis,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    patience: float = 2.0,
    known: Path | None = None,
) -> WebhookPlatform:
    """Return the real platform, except that it can connect to the double.

    `known` is the file of the double's certificate, if the double runs in another process.
    """
    client = WebhookClient(
        user_agent="Paperboy/test",
        now=now,
        private=LOOPBACK,
        trusted=client_context(known),
        patience=patience,
    )
    return WebhookPlatform(redis, Encryptor([KEY]), client, now=now)


@dataclass
class Scene:
    """The platform and the receiver."""

    redis: Redis
    listener: Listener
    platform: WebhookPlatform

    async def add(self, path: str = "/papers", channel: ChannelRef | None = None, form: str = "json") -> Copy:
        """Add a webhook to a channel."""
        to = await self.platform.destination(f"{self.listener.url}{path}", form, existing=())
        self.listener.secrets[path] = to.secret
        place = ChannelRef(self.platform.name, to.workspace, "")
        copy = Copy(to=place, by="U1 Ada", at=datetime(2026, 3, 3, tzinfo=UTC), sealed=to.sealed)
        return await Copies(self.redis).add(channel or a_channel(), copy)


@asynccontextmanager
async def open_scene(
    redis: Redis, now: Callable[[], datetime] = lambda: datetime.now(UTC), patience: float = 2.0
) -> AsyncIterator[Scene]:
    """Start a receiver, and a platform that posts to it."""
    async with Listener(now=lambda: now().timestamp()).open() as listener:
        platform = webhook_platform(redis, now, patience)
        yield Scene(redis, listener, platform)
        await platform.close()
