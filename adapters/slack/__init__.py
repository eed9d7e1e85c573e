"""Slack as a platform."""

from redis.asyncio import Redis

from adapters.slack.connection_mode import choose_mode
from adapters.slack.settings import SlackSettings
from bot.ports import Platform
from bot.settings import Settings

SETTINGS = SlackSettings


def build(settings: Settings, redis: Redis) -> Platform | None:
    """Build the platform; None if Slack isn't configured. Raises ConfigurationError if settings are missing."""
    mode = choose_mode(settings)
    if mode is None:
        return None
    # Imported here, so that Slack's libraries are loaded only if they are used.
    from adapters.slack.platform import SlackPlatform  # noqa: PLC0415

    return SlackPlatform(mode, redis)
