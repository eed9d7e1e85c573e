"""Discord: one bot for any number of servers."""

from redis.asyncio import Redis

from adapters.discord.settings import DiscordSettings
from bot.domain.errors import ConfigurationError
from bot.ports import Platform
from bot.settings import Settings

SETTINGS = DiscordSettings


def build(settings: Settings, redis: Redis) -> Platform:
    """Build the platform from the settings. Raises ConfigurationError without a token."""
    # Imported here, so that discord.py is loaded only if it is used.
    from adapters.discord.platform import DiscordPlatform, configure_library  # noqa: PLC0415

    own = settings.of(DiscordSettings)
    if own.discord_token is None:
        raise ConfigurationError("DISCORD_TOKEN is missing")
    configure_library(own.discord_api_url)
    return DiscordPlatform(own.discord_token.get_secret_value(), redis)
