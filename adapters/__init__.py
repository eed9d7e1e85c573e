"""The platforms, one package each, with a `build` that answers None where its settings are not given."""

from importlib import import_module

from redis.asyncio import Redis

from bot.ports import Platform
from bot.settings import Settings

PLATFORMS = ("console", "slack", "discord", "email")


def build(name: str, settings: Settings, redis: Redis) -> Platform | None:
    """The platform of that name, imported only now: a platform's library costs memory and start-up time."""
    platform: Platform | None = import_module(f"adapters.{name}").build(settings, redis)
    return platform
