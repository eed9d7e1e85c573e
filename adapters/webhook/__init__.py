"""Webhooks as a platform: each post of a channel is sent as a signed request to a URL that its people chose."""

from redis.asyncio import Redis

from adapters.webhook.settings import WebhookSettings
from bot.ports import Platform
from bot.settings import Settings

SETTINGS = WebhookSettings


def build(settings: Settings, redis: Redis) -> Platform | None:
    """Return the platform; None without PAPERBOY_SECRET_KEY, which encrypts addresses. Raises ConfigurationError."""
    if settings.secret_key is None:
        return None
    from adapters.webhook.platform import build_platform  # noqa: PLC0415  # only where it is used

    return build_platform(settings, redis)
