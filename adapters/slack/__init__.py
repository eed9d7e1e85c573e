"""Slack as a platform."""

from redis.asyncio import Redis

from adapters.slack.connection_mode import choose_mode
from adapters.slack.settings import SlackSettings
from bot.ports import Platform
from bot.settings import Settings

SETTINGS = SlackSettings


def build(settings: Settings, redis: Redis) -> Platform | None:
    """Slack as the settings describe it; None if they don't. Raises ConfigurationError if they are incomplete."""
    mode = choose_mode(settings)
    if mode is None:
        return None
    # Imported only now: without Slack there is no need to load its library.
    from adapters.slack.platform import SlackPlatform  # noqa: PLC0415

    return SlackPlatform(mode, redis)
