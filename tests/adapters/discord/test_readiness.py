"""Discord's status for operators and the front page."""

import asyncio
from contextlib import suppress

from redis.asyncio import Redis

from adapters.discord.platform import DiscordPlatform
from tests.adapters.discord.double.payloads import guild_payload
from tests.adapters.discord.double.service import DiscordDouble
from tests.adapters.discord.recording import RecordingCore
from tests.waiting import until

TOKEN = "MTEyMjMzNDQ1NTY2Nzc4ODk5MA.planted.token"
"""Token of the application 1122334455667788990."""


async def test_the_platform_is_connected_while_it_listens_at_the_gateway(
    redis: Redis, double: DiscordDouble
) -> None:
    platform, core = DiscordPlatform(double.token, redis), RecordingCore()
    assert not platform.connected()
    running = asyncio.create_task(platform.run(core))
    await until(platform.connected, "the gateway")
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    assert not platform.connected()
    await platform.close()


async def test_there_is_an_invite_link_unless_the_bot_is_private(redis: Redis, double: DiscordDouble) -> None:
    link = DiscordPlatform(TOKEN, redis).invitation()
    assert link is not None
    assert link.startswith("https://discord.com/oauth2/authorize?client_id=1122334455667788990&scope=bot+app")
    assert "planted" not in link
    assert DiscordPlatform("no token", redis).invitation() is None
    double.token = TOKEN
    platform = DiscordPlatform(TOKEN, redis)
    application = (await platform._rest_client()).application
    assert application is not None
    assert platform.invitation() == link
    application.bot_public = False
    assert platform.invitation() is None
    await platform.close()


async def test_the_doctor_reports_a_wrong_token_and_a_bot_without_a_server(
    redis: Redis, double: DiscordDouble
) -> None:
    wrong = DiscordPlatform("wrong", redis)
    (finding,) = [finding async for finding in wrong.diagnose()]
    assert (finding.ok, finding.message) == (False, "Discord refuses DISCORD_TOKEN")
    await wrong.close()
    right = DiscordPlatform(double.token, redis)
    found = {finding.message: finding async for finding in right.diagnose()}
    assert [finding.ok for finding in found.values()] == [True, False]
    assert "oauth2/authorize" in found["the bot is in no server yet"].todo
    double.gateway.guilds = {0: [guild_payload()]}
    double.gateway.remaining = 3
    findings = [(finding.ok, finding.message) async for finding in right.diagnose()]
    assert (findings[1][0], findings[1][1].partition(";")[0]) == (True, "the bot is in 1 server")
    assert (findings[2][0], findings[2][1].partition(" of ")[0]) == (False, "only 3")
    await right.close()
