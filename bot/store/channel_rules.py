"""Each channel's rules: its settings and its mutes."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from redis.asyncio import Redis

from bot.domain.models import ChannelRef, ChannelSettings, Mute, Rules
from bot.store import keys
from bot.store.scripts import Scripts, script
from bot.store.unreadable import UNREADABLE, load_each, set_aside

FIELD = "settings"
"""The field of the channel's hash that holds its settings."""
TASTE = "taste"
"""The field of the channel's hash that holds its taste."""
MOST_FITS, KEEP_FITS = 400, 14 * 86_400
"""Maximum number of fit scores stored for a channel, and the seconds for which they are stored after the last one."""


class ChannelSettingsStore:
    """Reads and writes settings. Stores only differences from the defaults: a better default reaches every channel."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def of(self, channel: ChannelRef) -> ChannelSettings:
        """Return the channel's settings; the defaults if they can't be read."""
        text: Any = await self._redis.hget(keys.channel(channel), FIELD)
        return await load_settings(self._redis, channel, text)

    async def put(self, channel: ChannelRef, settings: ChannelSettings) -> None:
        """Store the channel's settings."""
        await self._redis.hset(keys.channel(channel), FIELD, dump(settings))


def dump(settings: ChannelSettings) -> str:
    """Return settings as JSON, without the defaults."""
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
    """The inverse of `dump`. Settings that are missing or impossible get their defaults, unknown ones are ignored.

    Raises ValueError or TypeError if the text can't be read.
    """
    values = json.loads(text or "{}")
    if not isinstance(values, dict):
        raise TypeError(f"settings are {type(values).__name__}")
    values |= {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
    known = asdict(ChannelSettings())
    possible = {name: value for name, value in values.items() if _POSSIBLE.get(name, _any_value)(value)}
    return ChannelSettings(**{name: value for name, value in possible.items() if name in known})


async def load_settings(redis: Redis, channel: ChannelRef, text: str | None) -> ChannelSettings:
    """Parse the field of a channel's hash; returns the defaults if it can't be read. Raises RedisError."""
    try:
        return load(text or "")
    except UNREADABLE as error:
        await set_aside(redis, "settings", str(channel), text, error)
        return ChannelSettings()


def _any_value(_value: Any) -> bool:
    return True


class ChannelRules:
    """Reads the rules of many channels at once, and changes the mutes and the taste of one."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._scripts = Scripts(redis)

    async def of(self, channel: ChannelRef) -> Rules:
        """Return the rules of one channel."""
        return (await self.of_each([channel]))[channel]

    async def of_each(self, channels: Iterable[ChannelRef]) -> dict[ChannelRef, Rules]:
        """Return the rules of each channel, in one round trip; pass a few hundred at a time."""
        wanted = list(channels)
        pipeline = self._redis.pipeline(transaction=False)
        for channel in wanted:
            _ = pipeline.hmget(keys.channel(channel), FIELD, TASTE)
            _ = pipeline.hgetall(keys.mutes(channel))
        answers = await pipeline.execute()
        rules = {
            channel: Rules(
                await load_settings(self._redis, channel, settings),
                await self._mutes(channel, mutes),
                taste or "",
            )
            for channel, (settings, taste), mutes in zip(wanted, answers[::2], answers[1::2], strict=True)
        }
        return rules | await self._with_fits(rules)

    async def _with_fits(self, rules: Mapping[ChannelRef, Rules]) -> dict[ChannelRef, Rules]:
        """Return the rules of the channels that have a budget, with how well their latest papers fitted."""
        budgeted = {channel: one for channel, one in rules.items() if one.settings.most}
        pipeline = self._redis.pipeline(transaction=False)
        for channel in budgeted:
            _ = pipeline.lrange(keys.fits(channel), 0, -1)
        answers = await pipeline.execute() if budgeted else []
        return {
            channel: replace(one, fits=tuple(filter(None, map(_fit, stored))))
            for (channel, one), stored in zip(budgeted.items(), answers, strict=True)
        }

    async def put_taste(
        self,
        channel: ChannelRef,
        read: str,
        taste: str,
        fits: Iterable[tuple[float, float]] | None = None,
    ) -> bool:
        """Store a channel's learned taste, and how well its papers of the last days fit: (when in ms, fit).

        Returns False, without storing anything, if the stored taste is no longer `read`: read it again then.
        """
        lines = [f"{at:.0f} {value:.4f}" for at, value in sorted(fits or (), reverse=True)][:MOST_FITS]
        stored = await self._scripts.run(
            script("put_taste"),
            [keys.channel(channel), keys.fits(channel)],
            [read, taste, int(fits is not None), KEEP_FITS, *lines],
        )
        return bool(int(stored))

    async def _mutes(self, channel: ChannelRef, stored: Mapping[str, str]) -> tuple[Mute, ...]:
        named = [(f"{channel} {text}", (text, record)) for text, record in sorted(stored.items())]
        return tuple(
            mute for _, mute in await load_each(self._redis, "mute", named, lambda _name, one: _mute(*one))
        )

    async def mute(self, channel: ChannelRef, mute: Mute) -> None:
        """Mute something in the channel; replaces a mute of the same text."""
        await self._remove_expired(channel)
        until = mute.until.isoformat() if mute.until else None
        record = json.dumps({"by": mute.created_by, "until": until}, ensure_ascii=False)
        await self._redis.hset(keys.mutes(channel), mute.text, record)

    async def _remove_expired(self, channel: ChannelRef) -> None:
        """Remove expired mutes, which would pile up otherwise."""
        now = datetime.fromtimestamp(int((await self._redis.time())[0]), UTC)
        expired = [mute.text for mute in (await self.of(channel)).mutes if not mute.is_active(now)]
        if expired:
            await self._redis.hdel(keys.mutes(channel), *expired)

    async def unmute(self, channel: ChannelRef, text: str) -> bool:
        """Remove a mute. False if it was not muted."""
        return bool(await self._redis.hdel(keys.mutes(channel), text))


def _fit(line: str) -> tuple[float, float] | None:
    """Parse when a paper matched, and how well it fitted; None if the line can't be read."""
    at, _, value = line.partition(" ")
    try:
        return float(at), float(value)
    except ValueError:
        return None


def _mute(text: str, record: str) -> Mute:
    values: dict[str, Any] = json.loads(record)
    until = values.get("until")
    return Mute(
        text=text, created_by=values.get("by", ""), until=datetime.fromisoformat(until) if until else None
    )
