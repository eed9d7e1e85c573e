"""Discord: one bot for any number of servers."""

from redis.asyncio import Redis

from adapters.discord.settings import DiscordSettings
from bot.domain.errors import ConfigurationError
from bot.ports import Platform
from bot.settings import Settings

SETTINGS = DiscordSettings


def build(settings: Settings, redis: Redis) -> Platform:
    """Discord as the settings describe it. Raises ConfigurationError without a token."""
    # Imported only now: without Discord there is no need to load its library.
    from adapters.discord.platform import DiscordPlatform, configure_library  # noqa: PLC0415

    own = settings.of(DiscordSettings)
    if own.discord_token is None:
        raise ConfigurationError("DISCORD_TOKEN is missing")
    configure_library(own.discord_api_url)
    return DiscordPlatform(own.discord_token.get_secret_value(), redis)
