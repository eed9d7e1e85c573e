"""Paperboy's platforms: one package each. To add one, add its package here and its name to `PLATFORMS`.

A package has `SETTINGS`, its class of settings, and `build`, which returns the platform. Importing the package must not
import the platform's library, which costs memory and start-up time: only `build` does.
"""

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # so that `paperboy --help` can name the platforms at once
    from redis.asyncio import Redis

    from bot.ports import Platform
    from bot.settings import PlatformSettings, Settings

PLATFORMS = ("console", "slack", "discord", "email", "webhook")
FALLBACK = "console"
"""The platform that runs if no other one is connected."""


def setting_groups() -> "tuple[type[PlatformSettings], ...]":
    """Return the class of settings of each platform."""
    return tuple(platform_settings().values())


def platform_settings() -> "dict[str, type[PlatformSettings]]":
    """Return platform name -> its class of settings."""
    return {name: _package(name).SETTINGS for name in PLATFORMS}


def build(name: str, settings: "Settings", redis: "Redis") -> "Platform | None":
    """Build the platform of that name; None if the operator hasn't connected it. Raises ConfigurationError."""
    package = _package(name)
    group: type[PlatformSettings] = package.SETTINGS
    if not settings.of(group).is_configured:
        return None
    platform: Platform = package.build(settings, redis)
    return platform


def _package(name: str) -> ModuleType:
    return import_module(f"adapters.{name}")
