"""Each channel's settings."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import lru_cache
from typing import Any

from redis.asyncio import Redis

from bot.domain.models import ChannelRef, ChannelSettings
from bot.store import keys
from bot.store.unreadable import UNREADABLE, set_aside

FIELD = "settings"
"""The field of the channel's hash."""


class ChannelSettingsStore:
    """Reads and writes them. Only differences from the defaults are stored, so that a better default reaches every channel."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def of(self, channel: ChannelRef) -> ChannelSettings:
        """The channel's settings; the defaults if they can't be read."""
        text: Any = await self._redis.hget(keys.channel(channel), FIELD)
        return await load_settings(self._redis, channel, text)

    async def put(self, channel: ChannelRef, settings: ChannelSettings) -> None:
        """Store these."""
        await self._redis.hset(keys.channel(channel), FIELD, dump(settings))


def dump(settings: ChannelSettings) -> str:
    """As JSON, without the defaults."""
    defaults = asdict(ChannelSettings())
    return json.dumps({name: value for name, value in asdict(settings).items() if value != defaults[name]})


_HOURS = range(24)
_POSSIBLE: Mapping[str, Callable[[Any], bool]] = {
    "every": lambda value: value in {"now", "daily", "weekly"},
    "hour": lambda value: value in _HOURS,
    "weekday": lambda value: value in range(7),
    "zone": lambda value: isinstance(value, str),
    "quiet": lambda value: (
        value is None or (type(value) is tuple and len(value) == 2 and {*value} <= {*_HOURS})
    ),
    "digest_size": lambda value: isinstance(value, int) and value > 0,
    "most": lambda value: isinstance(value, int) and value >= 0,
    "always": lambda value: type(value) is tuple and all(isinstance(number, int) for number in value),
}
"""Checks of values that the planner relies on: a wrong one, say from an edited export, must not stop all matching."""


@lru_cache(maxsize=1000)
def load(text: str) -> ChannelSettings:
    """The inverse of `dump`. Settings that are unknown or impossible are the defaults, and so are all of them for "".

    Raises ValueError or TypeError if the text can't be read.
    """
    values = json.loads(text or "{}")
    if not isinstance(values, dict):
        raise TypeError(f"settings are {type(values).__name__}")
    values |= {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
    known = asdict(ChannelSettings())
    possible = {name: value for name, value in values.items() if _POSSIBLE.get(name, _anything)(value)}
    return ChannelSettings(**{name: value for name, value in possible.items() if name in known})


async def load_settings(redis: Redis, channel: ChannelRef, text: str | None) -> ChannelSettings:
    """From the field of a channel's hash; the defaults if it can't be read. Raises RedisError."""
    try:
        return load(text or "")
    except UNREADABLE as error:
        await set_aside(redis, "settings", str(channel), text, error)
        return ChannelSettings()


def _anything(_value: Any) -> bool:
    return True
