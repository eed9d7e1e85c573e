"""What each channel has laid down: its settings, and what is muted there."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from redis.asyncio import Redis

from bot.domain.models import ChannelRef, ChannelSettings, Mute, Rules
from bot.store import keys
from bot.store.settings import FIELD, load


class ChannelRules:
    """Reads the rules of many channels at once, and changes the mutes of one."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def of(self, channel: ChannelRef) -> Rules:
        """Those of one channel."""
        return (await self.of_each([channel]))[channel]

    async def of_each(self, channels: Iterable[ChannelRef]) -> dict[ChannelRef, Rules]:
        """Those of each channel. One round trip: some hundreds at a time are enough."""
        wanted = list(channels)
        pipeline = self._redis.pipeline(transaction=False)
        for channel in wanted:
            _ = pipeline.hget(keys.channel(channel), FIELD)
            _ = pipeline.hgetall(keys.mutes(channel))
        answers = await pipeline.execute()
        return {
            channel: Rules(load(settings) if settings else ChannelSettings(), _mutes(mutes))
            for channel, settings, mutes in zip(wanted, answers[::2], answers[1::2], strict=True)
        }

    async def mute(self, channel: ChannelRef, mute: Mute) -> None:
        """Keep it out of the channel; in the place of a mute of the same text."""
        until = mute.until.isoformat() if mute.until else None
        record = json.dumps({"by": mute.created_by, "until": until}, ensure_ascii=False)
        await self._redis.hset(keys.mutes(channel), mute.text, record)

    async def unmute(self, channel: ChannelRef, text: str) -> bool:
        """Let it in again. False where it was not muted."""
        return bool(await self._redis.hdel(keys.mutes(channel), text))


def _mutes(records: Mapping[str, str]) -> tuple[Mute, ...]:
    return tuple(_mute(text, json.loads(record)) for text, record in sorted(records.items()))


def _mute(text: str, values: Mapping[str, Any]) -> Mute:
    until = values["until"]
    return Mute(text=text, created_by=values["by"], until=datetime.fromisoformat(until) if until else None)
