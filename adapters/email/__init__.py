"""E-mail as a platform: the papers of a query, or what is trending, in an inbox."""

from redis.asyncio import Redis

from adapters.email.settings import EmailSettings
from bot.ports import Platform
from bot.settings import Settings

SETTINGS = EmailSettings


def build(settings: Settings, redis: Redis) -> Platform | None:
    """Return the platform; None without SMTP_URL. Raises ConfigurationError for a missing or wrong setting."""
    if not settings.of(EmailSettings).is_configured:
        return None
    # Imported only here, since its libraries cost memory and start-up time.
    from adapters.email.platform import build_platform  # noqa: PLC0415

    return build_platform(settings, redis)
