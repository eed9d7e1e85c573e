"""A server that adds Paperboy is greeted once, in its system channel, and only if it has no subscriptions yet."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import discord
import pytest
from redis.asyncio import Redis

from adapters.discord import keys
from adapters.discord.greeting import Greeter
from adapters.discord.platform import DiscordPlatform
from adapters.discord.rest import rest_client
from bot.cards import Card
from bot.clock import wall_clock
from bot.domain.models import ChannelRef
from bot.store.data_deletion import DataDeletion
from tests.adapters.discord.double.payloads import BOT, GUILD, MEMBER, USER, guild_payload
from tests.adapters.discord.double.service import DiscordDouble
from tests.adapters.discord.recording import TURNS, RecordingCore, listening
from tests.waiting import until

SYSTEM, OTHER = 2000, 2002
SEND = 1 << 11
EVERYONE = (1 << 52) - 1 & ~(1 << 3)
"""All permissions except administrator, which bypasses a channel's overwrites."""


@dataclass
class GreetingCore(RecordingCore):
    """A core that greets, and has subscriptions in the channels of `subscribed`."""

    subscribed: set[str] = field(default_factory=set)

    async def subscriptions(self, channels: Any) -> Any:
        return {channel: () for channel in channels if channel.channel in self.subscribed}

    async def greeting(self, channel: ChannelRef, everywhere: str = "") -> Card:
        return Card("help", f"Hello {everywhere} in {channel.channel}")


def joined_server(*denied: Mapping[str, Any], ago: timedelta = timedelta(0), **more: Any) -> dict[str, Any]:
    """Return the server as its event describes it; `denied` are overwrites of the system channel."""
    at = (datetime.now(UTC) - ago).isoformat()
    channels = [
        {"id": str(n), "type": 0, "name": f"c{n}", "position": 0, "permission_overwrites": list(denied) if n == SYSTEM else []}
        for n in (SYSTEM, OTHER)
    ]  # fmt: skip
    me = MEMBER | {"joined_at": at}
    facts = {"system_channel_id": str(SYSTEM), "channels": channels, "members": [me], "joined_at": at}
    return guild_payload(EVERYONE) | facts | more


@asynccontextmanager
async def at_the_gateway(
    platform: DiscordPlatform, double: DiscordDouble, core: RecordingCore, redis: Redis
) -> AsyncIterator[None]:
    await redis.delete(TURNS)
    async with listening(platform, core):
        await double.gateway.until(lambda: double.gateway.shards == {0})
        await until(platform.connected, "the gateway")
        yield
        await settled(double, core)
    await double.gateway.until(lambda: not double.gateway.shards)


async def settled(double: DiscordDouble, core: RecordingCore) -> None:
    """Wait until all earlier events are handled: events of a server are handled in order."""
    known = len(core.events)
    await double.gateway.dispatch("GUILD_DELETE", {"id": str(GUILD)})
    await core.until(known + 1)


def shown(double: DiscordDouble) -> list[tuple[int, str]]:
    return [(message.channel, str(message.body)) for message in double.messages]


async def test_a_new_server_is_greeted_once_despite_restarts_and_rejoining(
    platform: DiscordPlatform, double: DiscordDouble, redis: Redis
) -> None:
    core = GreetingCore()
    for _ in range(2):
        async with at_the_gateway(platform, double, core, redis):
            for _ in range(2):
                await double.gateway.dispatch("GUILD_CREATE", joined_server())
                await settled(double, core)
    ((channel, body),) = shown(double)
    assert channel == SYSTEM
    assert f"Hello lab in {SYSTEM}" in body


async def test_processes_that_receive_the_same_event_greet_once(redis: Redis) -> None:
    state = rest_client()._connection
    state.user = discord.ClientUser(state=state, data=USER)  # type: ignore[arg-type]  # as Discord sends it
    guild = discord.Guild(state=state, data=joined_server())  # type: ignore[arg-type]
    sent: list[ChannelRef] = []

    async def send(to: ChannelRef, _card: Card, _key: str) -> None:
        sent.append(to)

    await asyncio.gather(*(Greeter(GreetingCore(), redis, send, wall_clock).greet(guild) for _ in range(20)))
    assert sent == [ChannelRef("discord", str(GUILD), str(SYSTEM))]


async def test_a_server_that_was_joined_during_a_restart_is_greeted(
    platform: DiscordPlatform, double: DiscordDouble, redis: Redis
) -> None:
    double.gateway.guilds = {0: [joined_server(ago=timedelta(minutes=10))]}
    core = GreetingCore()
    async with at_the_gateway(platform, double, core, redis):
        await until(lambda: len(double.messages) == 1, "the greeting")


@pytest.mark.parametrize(
    "server",
    [
        pytest.param(joined_server(ago=timedelta(days=2)), id="added long ago"),
        pytest.param(joined_server(system_channel_id=None), id="no system channel"),
        pytest.param(joined_server(system_channel_id="2999"), id="the system channel was deleted"),
        pytest.param(joined_server(members=[]), id="our permissions are unknown"),
        pytest.param(
            joined_server({"id": str(GUILD), "type": 0, "allow": "0", "deny": str(SEND)}), id="no one can post there"
        ),
        pytest.param(
            joined_server({"id": str(BOT), "type": 1, "allow": "0", "deny": str(SEND)}), id="Paperboy can't post there"
        ),
    ],
)  # fmt: skip
async def test_a_greeting_that_makes_no_sense_is_not_attempted(
    platform: DiscordPlatform, double: DiscordDouble, redis: Redis, server: dict[str, Any]
) -> None:
    core = GreetingCore()
    async with at_the_gateway(platform, double, core, redis):
        await double.gateway.dispatch("GUILD_CREATE", server)
        await settled(double, core)
    assert not double.messages
    assert not [path for method, path in double.requests if method == "POST" and "/messages" in path]
    assert not await redis.exists(keys.greeted(GUILD)), "it can be greeted later"


async def test_a_server_with_a_subscription_is_not_greeted(
    platform: DiscordPlatform, double: DiscordDouble, redis: Redis
) -> None:
    core = GreetingCore(subscribed={str(OTHER)})
    async with at_the_gateway(platform, double, core, redis):
        await double.gateway.dispatch("GUILD_CREATE", joined_server())
        await settled(double, core)
    assert not double.messages


async def test_a_greeting_that_discord_refuses_is_not_retried(
    platform: DiscordPlatform, double: DiscordDouble, redis: Redis
) -> None:
    double.permissions = EVERYONE
    double.overwrites[SYSTEM] = [{"id": str(BOT), "type": 1, "allow": "0", "deny": str(SEND)}]
    core = GreetingCore()
    async with at_the_gateway(platform, double, core, redis):
        for _ in range(2):
            await double.gateway.dispatch("GUILD_CREATE", joined_server())  # still with the permission
            await settled(double, core)
    assert not double.messages
    tried = [path for method, path in double.requests if method == "POST" and "/messages" in path]
    assert tried == [f"/channels/{SYSTEM}/messages"]


async def test_the_record_of_a_greeting_expires_and_is_deleted_with_the_server(
    platform: DiscordPlatform, double: DiscordDouble, redis: Redis
) -> None:
    core = GreetingCore()
    async with at_the_gateway(platform, double, core, redis):
        await double.gateway.dispatch("GUILD_CREATE", joined_server())
        await settled(double, core)
    assert 0 < await redis.ttl(keys.greeted(GUILD)) <= timedelta(days=90).total_seconds()
    await DataDeletion(redis).workspace("discord", str(GUILD))
    assert not await redis.exists(keys.greeted(GUILD))
