"""Each channel's rules: its settings and its mutes."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from redis.asyncio import Redis

from bot.domain.models import ChannelRef, Mute, Rules
from bot.store import keys
from bot.store.settings import FIELD, load_settings
from bot.store.unreadable import load_each

TASTE = "taste"
"""The field of the channel's hash that holds its taste."""
MOST_FITS, KEEP_FITS = 400, 14 * 86_400
"""Stored scores of a channel's matched papers, and the seconds for which they are stored after the last one."""


class ChannelRules:
    """Reads the rules of many channels at once, and changes the mutes of one."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def of(self, channel: ChannelRef) -> Rules:
        """The rules of one channel."""
        return (await self.of_each([channel]))[channel]

    async def of_each(self, channels: Iterable[ChannelRef]) -> dict[ChannelRef, Rules]:
        """The rules of each channel, in one round trip; ask for some hundreds at a time."""
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
        """The rules of the channels that have a budget, with how well their latest papers fitted."""
        some = {channel: one for channel, one in rules.items() if one.settings.most}
        pipeline = self._redis.pipeline(transaction=False)
        for channel in some:
            _ = pipeline.lrange(keys.fits(channel), 0, -1)
        answers = await pipeline.execute() if some else []
        return {
            channel: replace(one, fits=tuple(filter(None, map(_fit, stored))))
            for (channel, one), stored in zip(some.items(), answers, strict=True)
        }

    async def put_taste(
        self, channel: ChannelRef, taste: str, fits: Iterable[tuple[float, float]] | None = None
    ) -> None:
        """Store what was learned about a channel, and how well its papers of the last days fit: (when in ms, fit)."""
        pipeline = self._redis.pipeline(transaction=True)
        _ = pipeline.hset(keys.channel(channel), TASTE, taste)
        if fits is not None:
            lines = [f"{at:.0f} {value:.4f}" for at, value in sorted(fits, reverse=True)][:MOST_FITS]
            _ = pipeline.delete(keys.fits(channel))
            if lines:
                _ = pipeline.rpush(keys.fits(channel), *lines)
                _ = pipeline.expire(keys.fits(channel), KEEP_FITS)
        await pipeline.execute()

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
        """Mutes that are over would pile up otherwise."""
        now = datetime.fromtimestamp(int((await self._redis.time())[0]), UTC)
        expired = [mute.text for mute in (await self.of(channel)).mutes if not mute.is_active(now)]
        if expired:
            await self._redis.hdel(keys.mutes(channel), *expired)

    async def unmute(self, channel: ChannelRef, text: str) -> bool:
        """Remove a mute. False if it was not muted."""
        return bool(await self._redis.hdel(keys.mutes(channel), text))


def _fit(line: str) -> tuple[float, float] | None:
    """When a paper matched, and how well it fitted; None if the line can't be read."""
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
