"""What the doctor says about the channels of Discord that have subscriptions."""

from redis.asyncio import Redis

from adapters.discord.permissions import NEEDED
from adapters.discord.platform import DiscordPlatform
from bot.domain.models import ChannelRef
from bot.store.subscriptions import Subscriptions
from tests.adapters.discord.double.service import GUILD, DiscordDouble, guild_payload

HERE = ChannelRef("discord", str(GUILD), "2000")


async def test_all_is_well(platform: DiscordPlatform, double: DiscordDouble, redis: Redis) -> None:
    await Subscriptions(redis).add(HERE, "paper", "now", "1 Joe")
    double.gateway.guilds = {0: [guild_payload()]}
    _, servers, channel = await platform.diagnose()
    assert servers.ok
    assert "client_id=900" in servers.message
    assert f"permissions={NEEDED.value}" in servers.message
    assert (channel.ok, channel.message) == (True, "#c2000 in lab can be posted in")
    assert not double.messages


async def test_a_missing_permission_is_named(
    platform: DiscordPlatform, double: DiscordDouble, redis: Redis
) -> None:
    await Subscriptions(redis).add(HERE, "paper", "now", "1 Joe")
    double.permissions = 1 << 10
    *_, channel = await platform.diagnose()
    assert (channel.ok, channel.todo) == (False, "give Paperboy Send Messages there")


async def test_what_was_deleted_is_named(
    platform: DiscordPlatform, double: DiscordDouble, redis: Redis
) -> None:
    await Subscriptions(redis).add(HERE, "paper", "now", "1 Joe")
    double.gone.add(2000)
    *_, channel = await platform.diagnose()
    assert (channel.ok, "no longer exists" in channel.message) == (False, True)
