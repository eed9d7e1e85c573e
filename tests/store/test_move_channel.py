"""When a platform gives a channel another id, everything stored of it goes along."""

from datetime import UTC, datetime

import pytest
from redis.asyncio import Redis

from bot.domain.life import IMPORTANT, Watch
from bot.domain.models import ChannelRef, ChannelSettings, MessageRef, Mute
from bot.store import keys
from bot.store.backup.move_channel import move_channel
from bot.store.channel_rules import ChannelRules, ChannelSettingsStore
from bot.store.outbox.outbox import Outbox
from bot.store.subscriptions import Subscriptions
from bot.store.watches import Watches

OLD, NEW = ChannelRef("slack", "T1", "G0OLD"), ChannelRef("slack", "T1", "C0NEW")


async def fill(redis: Redis) -> None:
    """Two subscriptions, one of them changed, settings, a mute, and a paper that was posted."""
    subscriptions = Subscriptions(redis)
    await subscriptions.add(OLD, "diffusion", "now", "U1 ada")
    await subscriptions.add(OLD, "robots", "weekly", "U2 ben")
    await subscriptions.change(OLD, 2, query="robots OR drones")
    await ChannelSettingsStore(redis).put(OLD, ChannelSettings(zone="Europe/Berlin"))
    await ChannelRules(redis).mute(OLD, Mute(text="survey", created_by="U1 ada"))
    await Watches(redis).put(OLD, "2603.00001", Watch(IMPORTANT, "U1 ada", datetime.now(UTC)))
    period = int(datetime.now(UTC).timestamp()) // keys.PERIOD
    text = f"{int(datetime.now(UTC).timestamp() * 1000)} 12.5 https://lab.slack.com/archives/G0OLD/p125"
    await redis.hset(keys.sent(OLD, period), "2603.00001", text)


async def stored(redis: Redis, channel: ChannelRef) -> dict[str, object]:
    """All that is stored of a channel."""
    sent = await Outbox(redis).sent(channel, "2603.00001")
    return {
        "subscriptions": [(s.number, s.query, s.was) for s in await Subscriptions(redis).of(channel)],
        "settings": (await ChannelSettingsStore(redis).of(channel)).zone,
        "mutes": [mute.text for mute in (await ChannelRules(redis).of(channel)).mutes],
        "watched": list(await Watches(redis).of(channel)),
        "sent": sent.message if sent else None,
    }


SUBSCRIPTIONS = [(1, "diffusion", ""), (2, "robots OR drones", "robots")]
MOVED: dict[str, object] = {
    "subscriptions": SUBSCRIPTIONS,
    "settings": "Europe/Berlin",
    "mutes": ["survey"],
    "watched": ["2603.00001"],
    "sent": MessageRef("12.5", "https://lab.slack.com/archives/C0NEW/p125"),
}
NOTHING: dict[str, object] = {
    "subscriptions": [],
    "settings": "UTC",
    "mutes": [],
    "watched": [],
    "sent": None,
}


async def test_everything_is_moved_and_the_old_id_forgotten(redis: Redis) -> None:
    await fill(redis)
    await move_channel(redis, OLD, NEW)
    assert await stored(redis, NEW) == MOVED
    assert await stored(redis, OLD) == NOTHING
    assert not [key async for key in redis.scan_iter("*G0OLD*")]


async def test_moving_twice_changes_nothing(redis: Redis) -> None:
    await fill(redis)
    for _ in range(2):
        await move_channel(redis, OLD, NEW)
    await move_channel(redis, NEW, NEW)
    assert await stored(redis, NEW) == MOVED


async def test_an_interrupted_move_can_be_repeated(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    await fill(redis)

    async def interrupted(_self: Outbox, channel: ChannelRef) -> None:
        raise ConnectionError(str(channel))

    with monkeypatch.context() as patch:
        patch.setattr(Outbox, "forget", interrupted)
        with pytest.raises(ConnectionError):
            await move_channel(redis, OLD, NEW)
    await Subscriptions(redis).add(NEW, "speech", "now", "U3 eve")
    await move_channel(redis, OLD, NEW)
    found = await stored(redis, NEW)
    assert found == MOVED | {"subscriptions": [*SUBSCRIPTIONS, (3, "speech", "")]}
    assert await stored(redis, OLD) == NOTHING
