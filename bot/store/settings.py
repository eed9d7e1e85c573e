"""Each channel's settings."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import lru_cache
from typing import Any

from redis.asyncio import Redis

from bot.domain.models import ChannelRef, ChannelSettings
from bot.store import keys

FIELD = "settings"
"""Of the channel's hash."""


class ChannelSettingsStore:
    """Reads and writes them. Only what differs from the defaults is kept, so that a better default reaches everyone."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def of(self, channel: ChannelRef) -> ChannelSettings:
        """The channel's settings."""
        text: Any = await self._redis.hget(keys.channel(channel), FIELD)
        return load(text) if text else ChannelSettings()

    async def put(self, channel: ChannelRef, settings: ChannelSettings) -> None:
        """Keep these."""
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
}
"""What else could stop the matching of everyone's papers, had somebody written it into a file that was imported."""


@lru_cache(maxsize=1000)
def load(text: str) -> ChannelSettings:
    """The inverse of `dump`; what is no longer known, or can't be, is left out. Of "" these are the defaults."""
    values: dict[str, Any] = json.loads(text or "{}")
    if isinstance(values.get("quiet"), list):
        values["quiet"] = tuple(values["quiet"])
    known = asdict(ChannelSettings())
    possible = {name: value for name, value in values.items() if _POSSIBLE.get(name, _anything)(value)}
    return ChannelSettings(**{name: value for name, value in possible.items() if name in known})


def _anything(_value: Any) -> bool:
    return True
