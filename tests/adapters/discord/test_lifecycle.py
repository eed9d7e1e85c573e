"""A paused channel resumes once its problem is solved, not before. Large servers need few reads."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import discord
import pytest
from redis.asyncio import Redis

from adapters.discord import client
from adapters.discord.channel_kinds import ChannelKinds
from adapters.discord.lifecycle import Lifecycle
from adapters.discord.platform import DiscordPlatform
from adapters.discord.rest import rest_client
from adapters.discord.unreachable import UnreachableChannels
from bot.cards.paper import paper_card
from bot.domain.errors import ChannelGone
from bot.domain.models import ChannelRef, Reason, Subscription
from bot.pipeline.pauses import Pauses
from bot.store.outbox.outbox import Outbox
from bot.store.subscriptions import Subscriptions
from tests.adapters.discord.double.payloads import BOT, FORUM, GUILD, USER, guild_payload, text_channel
from tests.adapters.discord.double.service import DiscordDouble
from tests.adapters.discord.recording import RecordingCore, listening
from tests.failing_core import FailingCore
from tests.papers import SPRING, a_paper
from tests.waiting import until

CARD = paper_card(a_paper(), [Reason(1, "paper")], SPRING)
HERE = ChannelRef("discord", str(GUILD), "2000")
THREAD = ChannelRef("discord", str(GUILD), "2001")
READING = ChannelRef("discord", str(GUILD), "2005")
SERVERS, CHANNELS = 1000, 20


@dataclass
class ChannelCore(RecordingCore):
    """A core that also records pauses and resumes of channels, with the subscriptions in `stored`."""

    stored: Mapping[ChannelRef, Sequence[Subscription]] = field(default_factory=dict)

    async def subscriptions(self, channels: Any) -> Any:
        return {channel: self.stored[channel] for channel in channels if channel in self.stored}

    async def pause(self, channel: ChannelRef, reason: str) -> None:
        self._note(f"pause {channel.channel}: {reason}")

    async def resume(self, channel: ChannelRef) -> None:
        self._note(f"resume {channel.channel}")


@pytest.fixture(autouse=True)
def _settle_immediately(monkeypatch: pytest.MonkeyPatch) -> None:
    defaults = {**(client.GatewayClient.__init__.__kwdefaults__ or {}), "settle": 0.0}
    monkeypatch.setattr(client.GatewayClient.__init__, "__kwdefaults__", defaults)


def thread(number: int = 2001, parent: int = 2000, **state: Any) -> dict[str, Any]:
    metadata = {"auto_archive_duration": 1440, "archive_timestamp": "2026-01-01T00:00:00+00:00"}
    return {
        **text_channel(number, type=11, parent_id=str(parent), owner_id=str(BOT)),
        "message_count": 1,
        "member_count": 1,
        "rate_limit_per_user": 0,
        "thread_metadata": {**metadata, "archived": False, "locked": False, **state},
    }


def forum(*tags: str, required: bool = True, moderated: bool = False) -> dict[str, Any]:
    listed = [
        {"id": str(n), "name": name, "moderated": moderated, "emoji_id": None, "emoji_name": None}
        for n, name in enumerate(tags, 1)
    ]
    return text_channel(2005, type=FORUM, flags=(1 << 4) * required, available_tags=listed)


@asynccontextmanager
async def run_in_server(
    platform: DiscordPlatform, double: DiscordDouble, core: ChannelCore, **more: Any
) -> AsyncIterator[Callable[..., Any]]:
    """Run Paperboy in a server. Yield a function that sends an event and waits until it was handled."""
    double.gateway.guilds = {0: [guild_payload() | {"channels": [text_channel(2000), forum()]} | more]}

    async def send_event(event: str, data: dict[str, Any], times: int = 1) -> None:
        (listener,) = platform._listening
        for _ in range(times):
            await double.gateway.dispatch(event, data)
        marker = {"id": "9", "parent_id": "2000", "guild_id": str(GUILD), "type": 11}
        before = core.events.count("forget 9")
        await double.gateway.dispatch("THREAD_DELETE", marker)
        await until(
            lambda: core.events.count("forget 9") > before and not listener._lifecycle._tasks,
            "the events to be handled",
        )

    async with listening(platform, core):
        await double.gateway.until(lambda: double.gateway.shards == {0})
        await until(platform.connected, "the gateway")
        yield send_event


async def fail_post(platform: DiscordPlatform, redis: Redis, channel: ChannelRef) -> None:
    """Fail to post, and pause the channel as the delivery worker does."""
    with pytest.raises(ChannelGone) as caught:
        await platform.send(channel, CARD, "key")
    await Pauses(platform, Outbox(redis)).pause(channel, caught.value)


def channel_events(core: ChannelCore) -> list[str]:
    return [event for event in core.events if not event.startswith("forget 9")]


ROLE = {"guild_id": str(GUILD), "role": guild_payload()["roles"][0]}


async def test_a_locked_thread_stays_paused_through_role_changes_and_one_person_is_notified_once(
    platform: DiscordPlatform, double: DiscordDouble, redis: Redis
) -> None:
    await Subscriptions(redis).add(THREAD, "paper", "now", "4242 Joe")
    double.weather.refuse[2001] = (400, 160005)
    core = ChannelCore()
    async with run_in_server(platform, double, core, threads=[thread(locked=True)]) as send_event:
        for _ in range(4):
            await fail_post(platform, redis, THREAD)
            await send_event("GUILD_ROLE_UPDATE", ROLE)
        assert channel_events(core) == []
        await send_event("THREAD_UPDATE", thread(locked=True, archived=True))
        assert channel_events(core) == []
        await send_event("THREAD_UPDATE", thread())
        assert channel_events(core) == ["resume 2001"]
    (notice,) = double.messages
    assert (notice.channel, "<#2001>" in notice.body["content"]) == (4243, True)
    assert "Unlock it" in notice.body["content"]


async def test_a_channel_that_a_lookup_could_not_reach_is_resumed_by_its_update(
    platform: DiscordPlatform, double: DiscordDouble
) -> None:
    core = ChannelCore()
    async with run_in_server(platform, double, core) as send_event:
        double.gone.add(2000)
        with pytest.raises(ChannelGone):
            await platform.find(HERE, "key", SPRING)
        double.gone.clear()
        await send_event("CHANNEL_UPDATE", text_channel(2000))
        assert channel_events(core) == ["resume 2000"]


async def test_a_forum_that_requires_a_tag_is_paused_until_everyone_can_use_one(
    platform: DiscordPlatform, double: DiscordDouble, redis: Redis
) -> None:
    await redis.hset("pb:{discord}:kinds", "2005", "forum")
    double.kinds[2005] = FORUM
    double.weather.refuse[2005] = (400, 40067)
    core = ChannelCore()
    async with run_in_server(platform, double, core) as send_event:
        await fail_post(platform, redis, READING)
        await send_event("GUILD_ROLE_UPDATE", ROLE)
        await send_event("CHANNEL_UPDATE", forum("papers", moderated=True))
        assert channel_events(core) == []
        await send_event("CHANNEL_UPDATE", forum("papers"))
        assert channel_events(core) == ["resume 2005"]


async def test_a_server_with_too_many_open_threads_resumes_once_some_are_closed(
    platform: DiscordPlatform, double: DiscordDouble, redis: Redis
) -> None:
    await redis.hset("pb:{discord}:kinds", "2005", "forum")
    await Subscriptions(redis).add(READING, "paper", "now", "4242 Joe")
    double.kinds[2005] = FORUM
    double.weather.refuse[2005] = (400, 160006)
    core, threads = ChannelCore(), [thread(4000 + n, 2005) for n in range(1000)]
    channels = [text_channel(2000), forum("papers")]
    async with run_in_server(platform, double, core, channels=channels, threads=threads) as send_event:
        for _ in range(3):
            await fail_post(platform, redis, READING)
            await send_event("GUILD_ROLE_UPDATE", ROLE)
        assert channel_events(core) == []
        await send_event("THREAD_UPDATE", thread(4000, 2005, archived=True))
        assert channel_events(core) == ["resume 2005"]
    (notice,) = double.messages
    assert "Close some" in notice.body["content"]


async def test_a_deleted_channel_is_forgotten_and_its_subscriber_is_notified(
    platform: DiscordPlatform, double: DiscordDouble, redis: Redis
) -> None:
    subscriptions = Subscriptions(redis)
    await subscriptions.add(HERE, "paper", "now", "4242 Joe")
    core = ChannelCore(stored=await subscriptions.of_each([HERE]))
    channels = [text_channel(2000, name="read_me"), forum()]
    async with run_in_server(platform, double, core, channels=channels) as send_event:
        await send_event("CHANNEL_DELETE", text_channel(2000, name="read_me"))
        await send_event("CHANNEL_DELETE", text_channel(2000, name="read_me"))
        await send_event("CHANNEL_DELETE", forum())
    assert channel_events(core) == ["forget 2000", "forget 2005"]
    (notice,) = double.messages
    assert notice.channel == 4243
    assert notice.body["content"] == (
        "The channel #read\\_me was deleted, and its subscription with it: `paper`. "
        "To go on, use `/paper subscribe` in another channel."
    )


async def test_a_channel_is_resumed_if_the_server_event_lacks_our_own_member(
    platform: DiscordPlatform, double: DiscordDouble, redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    double.weather.refuse[2000] = (403, 50013)
    core = ChannelCore()
    async with run_in_server(platform, double, core, members=[]) as send_event:
        await fail_post(platform, redis, HERE)
        await send_event("GUILD_ROLE_UPDATE", ROLE)
        assert channel_events(core) == ["resume 2000"]
        await send_event("CHANNEL_UPDATE", text_channel(2000))
    assert not [record for record in caplog.records if record.levelname in {"WARNING", "ERROR"}]


async def test_each_of_a_thousand_servers_and_reordering_roles_need_one_small_read(
    redis: Redis,
) -> None:
    core, state = FailingCore(), rest_client()._connection
    state.user = discord.ClientUser(state=state, data=USER)  # type: ignore[arg-type]  # as Discord sends it
    lifecycle = Lifecycle(core, ChannelKinds(redis), UnreachableChannels(redis), settle=0.0)
    servers = [server(state, 1_000_000 + n) for n in range(SERVERS)]
    await redis.hset("pb:{discord}:trouble", mapping={f"discord:5:{n}": "50013" for n in range(5000)})
    await redis.config_resetstat()

    for at in range(0, SERVERS, 500):
        await asyncio.gather(*map(lifecycle.available, servers[at : at + 500]))
    assert await calls(redis) == {"hmget": SERVERS}

    await redis.config_resetstat()
    for _ in range(250):
        lifecycle.roles_changed(servers[0])
    await asyncio.gather(*lifecycle._tasks)
    assert await calls(redis) == {"hmget": 1}


def server(state: Any, number: int) -> discord.Guild:
    payload = guild_payload()
    role = payload["roles"][0] | {"id": str(number)}
    channels = [text_channel(number * 100 + n) | {"guild_id": str(number)} for n in range(CHANNELS)]
    return discord.Guild(
        state=state,
        data=payload | {"id": str(number), "roles": [role], "channels": channels},  # type: ignore[arg-type]
    )


async def calls(redis: Redis) -> dict[str, int]:
    """Return the number of calls of each Redis command."""
    stats = await redis.info("commandstats")
    counted = {name.removeprefix("cmdstat_"): int(found["calls"]) for name, found in stats.items()}
    return {
        name: count
        for name, count in counted.items()
        if name not in {"info", "config|resetstat", "hello", "client|setinfo"}
    }
