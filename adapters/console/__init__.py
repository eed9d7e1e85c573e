"""The terminal as a platform, which Paperboy uses if no other one is connected."""

from redis.asyncio import Redis

from adapters.console.platform import CHANNEL, ConsolePlatform, on_terminal
from adapters.console.screen import JsonScreen, RichScreen
from adapters.console.settings import ConsoleSettings
from bot.settings import Settings

__all__ = ["CHANNEL", "SETTINGS", "ConsolePlatform", "build"]

SETTINGS = ConsoleSettings


def build(settings: Settings, _redis: Redis) -> ConsolePlatform:
    """Return the terminal with the configured output format."""
    if settings.of(ConsoleSettings).console_format == "json":
        return ConsolePlatform(JsonScreen())
    return ConsolePlatform(RichScreen(), interactive=on_terminal(), history=settings.data_dir / "history")
