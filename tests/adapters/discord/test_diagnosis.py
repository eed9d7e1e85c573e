"""What the doctor says about Discord."""

from redis.asyncio import Redis

from adapters.discord import DiscordPlatform
from bot.models import ChannelRef
from bot.store.subscriptions import Subscriptions
from tests.adapters.discord.double.service import GUILD, DiscordDouble

HERE = ChannelRef("discord", str(GUILD), "2000")


async def test_all_is_well(platform: DiscordPlatform, double: DiscordDouble, redis: Redis) -> None:
    await Subscriptions(redis).add(HERE, "paper", "now", "1 Joe")
    found = {finding.name: finding for finding in await platform.diagnose()}
    assert all(finding.ok for finding in found.values())
    link = found["discord invite"].message
    assert "client_id=900" in link
    assert "permissions=309237730304" in link
    assert "#c2000 in lab can be posted in" in found["discord channel 2000"].message
    assert "1000 connections left" in found["discord gateway"].message
    assert not double.messages


async def test_a_missing_permission_is_named(
    platform: DiscordPlatform, double: DiscordDouble, redis: Redis
) -> None:
    await Subscriptions(redis).add(HERE, "paper", "now", "1 Joe")
    double.permissions = 1 << 10
    *_, channel = await platform.diagnose()
    assert (channel.ok, channel.todo) == (False, "give Paperboy Send Messages in #c2000")


async def test_a_wrong_token_says_where_to_get_one(double: DiscordDouble, redis: Redis) -> None:
    platform = DiscordPlatform("wrong", redis)
    (finding,) = await platform.diagnose()
    assert (finding.ok, "page Bot" in finding.todo) == (False, True)
    assert double.token not in str(finding)


async def test_connections_used_up_are_a_finding(platform: DiscordPlatform, double: DiscordDouble) -> None:
    double.gateway.remaining = 20
    assert [finding.ok for finding in await platform.diagnose()] == [True, False, True]
