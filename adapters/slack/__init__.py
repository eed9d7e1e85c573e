"""Slack as a platform."""

from redis.asyncio import Redis

from adapters.slack.ways import choose_way
from bot.ports import Platform
from bot.settings import Settings


def build(settings: Settings, redis: Redis) -> Platform | None:
    """Slack as the settings say, or None. Raises ConfigurationError where they say it in half."""
    way = choose_way(settings)
    if way is None:
        return None
    # Only here, because whoever has no Slack should not pay for its library.
    from adapters.slack.platform import SlackPlatform  # noqa: PLC0415

    return SlackPlatform(way, redis)
