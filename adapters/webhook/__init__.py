"""Webhooks as a platform: each post of a channel is a signed request to an address that its users chose."""

from redis.asyncio import Redis

from adapters.webhook.settings import WebhookSettings
from bot.ports import Platform
from bot.settings import Settings

SETTINGS = WebhookSettings


def build(settings: Settings, redis: Redis) -> Platform | None:
    """Build it; None without PAPERBOY_SECRET_KEY, since addresses are stored encrypted. Raises ConfigurationError."""
    if settings.secret_key is None:
        return None
    from adapters.webhook.platform import build_platform  # noqa: PLC0415  # loaded only if used

    return build_platform(settings, redis)
