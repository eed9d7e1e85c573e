"""After an outage with foreign answers, every channel gets its post once, and nothing stays paused."""

import pytest
from redis.asyncio import Redis

from adapters.discord import errors
from adapters.discord.errors import Retry
from bot.store.outbox.outbox import Outbox
from tests.adapters.discord.spells import CHANNELS, SPELLS, recover


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", SPELLS)
async def test_after_an_outage_every_channel_gets_its_post_once_automatically(
    redis: Redis, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(errors, "SPELL", 0.2)
    monkeypatch.setitem(errors.BY_CODE, 40333, Retry(0.2, "platform"))
    _, double = await recover(redis, SPELLS[name])
    assert sorted(posted.channel for posted in double.messages) == [5000 + n for n in range(CHANNELS)]
    assert await Outbox(redis, durable=False).open() == 0
    assert not [key async for key in redis.scan_iter("*") if await is_paused(redis, key)]


async def is_paused(redis: Redis, key: str) -> bool:
    return await redis.type(key) == "hash" and bool(await redis.hexists(key, "paused"))
