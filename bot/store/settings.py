"""Each channel's settings."""

import json
from dataclasses import asdict
from functools import lru_cache
from typing import Any

from redis.asyncio import Redis

from bot.models import ChannelRef, ChannelSettings
from bot.store import keys

FIELD = "settings"
"""Of the channel's hash."""


class SettingsOfChannels:
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


@lru_cache(maxsize=1000)
def load(text: str) -> ChannelSettings:
    """The inverse of `dump`; a name that is no longer known is left out. Of "" these are the defaults."""
    values: dict[str, Any] = json.loads(text or "{}")
    if values.get("quiet"):
        begin, end = values["quiet"]
        values["quiet"] = (begin, end)
    known = asdict(ChannelSettings())
    return ChannelSettings(**{name: value for name, value in values.items() if name in known})
