"""Each channel's rules: its settings and its mutes."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from redis.asyncio import Redis

from bot.domain.models import ChannelRef, Mute, Rules
from bot.store import keys
from bot.store.settings import FIELD, load_settings
from bot.store.unreadable import load_each


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
            _ = pipeline.hget(keys.channel(channel), FIELD)
            _ = pipeline.hgetall(keys.mutes(channel))
        answers = await pipeline.execute()
        return {
            channel: Rules(
                await load_settings(self._redis, channel, settings), await self._mutes(channel, mutes)
            )
            for channel, settings, mutes in zip(wanted, answers[::2], answers[1::2], strict=True)
        }

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


def _mute(text: str, record: str) -> Mute:
    values: dict[str, Any] = json.loads(record)
    until = values.get("until")
    return Mute(
        text=text, created_by=values.get("by", ""), until=datetime.fromisoformat(until) if until else None
    )
