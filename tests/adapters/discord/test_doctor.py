"""The findings of the doctor about Discord channels with subscriptions."""

from redis.asyncio import Redis

from adapters.discord.permissions import NEEDED
from adapters.discord.platform import DiscordPlatform
from bot.domain.models import ChannelRef
from bot.store.subscriptions import Subscriptions
from tests.adapters.discord.double.payloads import GUILD, guild_payload
from tests.adapters.discord.double.service import DiscordDouble

HERE = ChannelRef("discord", str(GUILD), "2000")


async def test_a_working_setup_has_no_problems(
    platform: DiscordPlatform, double: DiscordDouble, redis: Redis
) -> None:
    await Subscriptions(redis).add(HERE, "paper", "now", "1 Joe")
    double.gateway.guilds = {0: [guild_payload()]}
    _, servers, channel = [finding async for finding in platform.diagnose()]
    assert servers.ok
    assert "client_id=900" in servers.message
    assert f"permissions={NEEDED.value}" in servers.message
    assert (channel.ok, channel.message) == (True, "Paperboy can post in #c2000 in lab")
    assert not double.messages


async def test_a_missing_permission_is_named(
    platform: DiscordPlatform, double: DiscordDouble, redis: Redis
) -> None:
    await Subscriptions(redis).add(HERE, "paper", "now", "1 Joe")
    double.permissions = 1 << 10
    *_, channel = [finding async for finding in platform.diagnose()]
    assert (channel.ok, channel.todo) == (False, "give Paperboy Send Messages there")


async def test_a_deleted_channel_is_named(
    platform: DiscordPlatform, double: DiscordDouble, redis: Redis
) -> None:
    await Subscriptions(redis).add(HERE, "paper", "now", "1 Joe")
    double.gone.add(2000)
    *_, channel = [finding async for finding in platform.diagnose()]
    assert (channel.ok, "no longer exists" in channel.message) == (False, True)
