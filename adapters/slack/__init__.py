"""Slack as a platform."""

from redis.asyncio import Redis

from adapters.slack.platform import SlackPlatform
from adapters.slack.ways import choose_way
from bot.settings import Settings

__all__ = ["SlackPlatform", "build"]


def build(settings: Settings, redis: Redis) -> SlackPlatform | None:
    """Slack as the settings say, or None. Raises ConfigurationError where they say it in half."""
    way = choose_way(settings)
    return SlackPlatform(way, redis) if way else None
