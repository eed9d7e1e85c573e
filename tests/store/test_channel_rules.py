"""Each channel's settings are stored, and invalid ones affect no other channel."""

from datetime import UTC, datetime

import pytest
from redis.asyncio import Redis

from bot.domain.models import ChannelSettings
from bot.policy.schedule import due, in_words
from bot.store import keys
from bot.store.channel_rules import FIELD, ChannelSettingsStore, dump, load
from tests.papers import a_channel

ALL = ChannelSettings(
    every="weekly", hour=7, weekday=6, zone="Asia/Tokyo", quiet=(22, 6), weekends=False, detail="full", threads=True,
    embeds=True, publish=True, editors="managers", ping="R1", digest_size=9, edits=True,
)  # fmt: skip


async def test_settings_are_read_as_they_were_written(redis: Redis) -> None:
    settings = ChannelSettingsStore(redis)
    assert await settings.of(a_channel()) == ChannelSettings()
    await settings.put(a_channel(), ALL)
    assert await settings.of(a_channel()) == ALL
    await settings.put(a_channel(), ChannelSettings())
    assert await redis.hget(keys.channel(a_channel()), FIELD) == "{}"


@pytest.mark.parametrize(
    "text",
    ['{"hour":99}', '{"weekday":7}', '{"quiet":[3]}', '{"quiet":5}', '{"quiet":[3,30]}', '{"every":"never"}', '{"zone":1}',
     '{"digest_size":"many"}', '{"of a newer version":1}'],
)  # fmt: skip
def test_invalid_settings_are_ignored(text: str) -> None:
    assert load(text) == ChannelSettings()


def test_an_unknown_zone_counts_as_utc() -> None:
    now = datetime(2026, 11, 23, 8, tzinfo=UTC)
    for zone in ("Mars/Olympus", "../../etc/passwd", ""):
        settings = load(dump(ChannelSettings(zone=zone)))
        assert due("daily", settings, now) == now.replace(hour=9)
        assert in_words(now, zone).startswith("Mon 23 Nov 08:00")
