"""Connections to the gateway: one identify, resumes, leases, a clean shutdown."""

import re
from typing import Any

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from adapters.discord.platform import DiscordPlatform
from bot.domain.errors import ConfigurationError
from tests.adapters.discord.double.interactions import autocomplete, button, form, interaction
from tests.adapters.discord.double.payloads import GUILD, guild_payload
from tests.adapters.discord.double.service import DiscordDouble
from tests.adapters.discord.recording import TURNS, RecordingCore, listening

GUILDS = 1
"""Bit of the only intent that is needed."""


async def test_the_platform_identifies_once_with_one_intent_and_closes_cleanly(
    platform: DiscordPlatform, double: DiscordDouble
) -> None:
    async with listening(platform, RecordingCore()):
        await double.gateway.until(lambda: double.gateway.shards == {0})
    await double.gateway.until(lambda: double.gateway.clean_closes == 1)
    assert [shard for shard, _ in double.gateway.identifies] == [0]
    assert double.gateway.intents == {GUILDS}


async def test_commands_are_synced_only_when_they_changed(
    platform: DiscordPlatform, double: DiscordDouble, redis: Redis
) -> None:
    for _ in range(2):
        async with listening(platform, RecordingCore()):
            await double.gateway.until(lambda: double.gateway.shards == {0})
        await double.gateway.until(lambda: not double.gateway.shards)
        await redis.delete(TURNS)
    assert double.syncs == 1
    paper, *menus = double.commands
    assert {menu["type"] for menu in menus} == {3}
    assert (paper["name"], paper["integration_types"], paper["contexts"]) == ("paper", [0, 1], [0, 1, 2])
    options = {option["name"]: option for option in paper["options"]}
    assert options["unsubscribe"]["description"] == "Stop a subscription"
    assert options["unsubscribe"]["description_localizations"] == {"de": "Ein Abonnement beenden"}


@pytest.mark.parametrize("how", ["requested", "dropped"])
async def test_a_broken_connection_is_resumed(
    platform: DiscordPlatform, double: DiscordDouble, how: str
) -> None:
    double.gateway.guilds = {0: [guild_payload()]}
    core = RecordingCore()
    async with listening(platform, core):
        await double.gateway.until(lambda: double.gateway.shards == {0})
        if how == "requested":
            await double.gateway.ask_to_reconnect()
        else:
            await double.gateway.drop()
        await double.gateway.dispatch("GUILD_DELETE", {"id": str(GUILD)})  # sent after the resume
        await core.until(1)
    assert core.events == [f"pause discord {GUILD}: Paperboy was removed from the server"]
    assert double.gateway.resumes == [0]
    assert len(double.gateway.identifies) == 1


async def test_a_server_that_was_rejoined_while_no_process_listened_is_resumed(
    platform: DiscordPlatform, double: DiscordDouble, redis: Redis
) -> None:
    double.gateway.guilds = {0: [guild_payload()]}
    core = RecordingCore()
    async with listening(platform, core):
        await double.gateway.until(lambda: double.gateway.shards == {0})
        await double.gateway.dispatch("GUILD_DELETE", {"id": str(GUILD)})
        await core.until(1)
    await redis.delete(TURNS)
    async with listening(platform, core):
        await core.until(2)
    assert core.events[1:] == [f"resume discord {GUILD}"]


async def test_an_outage_of_a_server_is_not_a_removal(
    platform: DiscordPlatform, double: DiscordDouble
) -> None:
    double.gateway.guilds = {0: [guild_payload()]}
    core = RecordingCore()
    async with listening(platform, core):
        await double.gateway.until(lambda: double.gateway.shards == {0})
        await double.gateway.dispatch("GUILD_DELETE", {"id": str(GUILD), "unavailable": True})
        await double.gateway.dispatch("GUILD_CREATE", {**guild_payload(), "unavailable": False})
        await double.gateway.dispatch("GUILD_DELETE", {"id": str(GUILD)})
        await core.until(1)
    assert core.events == [f"pause discord {GUILD}: Paperboy was removed from the server"]


async def test_a_deleted_channel_is_forgotten(platform: DiscordPlatform, double: DiscordDouble) -> None:
    channel = {"id": "2000", "type": 0, "guild_id": str(GUILD), "name": "papers", "position": 0}
    thread = {"id": "2001", "parent_id": "2000", "guild_id": str(GUILD), "type": 11}
    double.gateway.guilds = {0: [guild_payload() | {"channels": [channel]}]}
    core = RecordingCore()
    async with listening(platform, core):
        await double.gateway.until(lambda: double.gateway.shards == {0})
        await double.gateway.dispatch("THREAD_DELETE", thread)
        await core.until(1)
        await double.gateway.dispatch("CHANNEL_DELETE", channel)
        await core.until(2)
    assert core.events == ["forget 2001", "forget 2000"]


async def test_an_invalid_token_stops_the_role(double: DiscordDouble, redis: Redis) -> None:
    platform = DiscordPlatform("wrong", redis)
    with pytest.raises(ConfigurationError, match="DISCORD_TOKEN"):
        await platform.run(RecordingCore())
    double.gateway.refuses = 4004
    platform = DiscordPlatform(double.token, redis)
    with pytest.raises(ConfigurationError, match="DISCORD_TOKEN"):
        await platform.run(RecordingCore())
    await platform.close()
    assert len(double.gateway.identifies) == 1


async def test_a_command_is_answered_over_the_wire(platform: DiscordPlatform, double: DiscordDouble) -> None:
    double.gateway.guilds = {0: [guild_payload()]}
    async with listening(platform, RecordingCore()):
        await double.gateway.until(lambda: double.gateway.shards == {0})
        await double.gateway.dispatch("INTERACTION_CREATE", interaction("77", "help"))
        identity, body, _ = await double.callbacks.get()
    assert identity == "77"
    assert body["type"] == 4
    assert body["data"]["flags"] == 1 << 15 | 1 << 6
    assert "help by joe" in str(body["data"]["components"])


@pytest.mark.parametrize("private", [True, False])
async def test_a_slow_answer_is_deferred(
    platform: DiscordPlatform, double: DiscordDouble, *, private: bool
) -> None:
    double.gateway.guilds = {0: [guild_payload()]}
    core = RecordingCore(private=private)
    core.ready.clear()
    async with listening(platform, core):
        await double.gateway.until(lambda: double.gateway.shards == {0})
        await double.gateway.dispatch("INTERACTION_CREATE", interaction("77", "help"))
        _, announced, _ = await double.callbacks.get()
        core.ready.set()
        followed = [await double.follows.get() for _ in range(1 if private else 2)]
    assert (announced["type"], announced["data"]["flags"]) == (5, 1 << 6)
    assert [method for method, _ in followed] == (["PATCH"] if private else ["PATCH", "POST"])
    assert "help by joe" in str(followed[-1][1]["components"])


@pytest.mark.parametrize(
    "event",
    [
        interaction("77", "help"),
        button("77", "list page:2"),
        button("77", "?0 settings"),
        form("77", "?0 settings", hour="9"),
        autocomplete("77", "search", "query", "diff"),
    ],
    ids=["a command", "a button", "a form's button", "a form", "an autocomplete"],
)
async def test_an_expired_interaction_logs_one_debug_line_and_others_are_answered(
    platform: DiscordPlatform,
    double: DiscordDouble,
    caplog: pytest.LogCaptureFixture,
    event: dict[str, Any],
) -> None:
    double.gateway.guilds = {0: [guild_payload()]}
    double.interactions_over = True
    with capture_logs() as logs:
        async with listening(platform, RecordingCore()):
            await double.gateway.until(lambda: double.gateway.shards == {0})
            await double.gateway.dispatch("INTERACTION_CREATE", event)
            await double.callbacks.get()
            double.interactions_over = False
            await double.gateway.dispatch("INTERACTION_CREATE", interaction("78", "help"))
            _, body, _ = await double.callbacks.get()
    assert "help by joe" in str(body["data"]["components"])
    over = [line for line in logs if line["event"] == "interaction_over"]
    assert [(line["log_level"], line["code"]) for line in over] == [("debug", 10062)]
    assert not [line for line in logs if line["log_level"] in {"warning", "error"}]
    assert not [record for record in caplog.records if record.levelname in {"WARNING", "ERROR"}]


async def test_an_answer_after_the_15_minutes_of_an_interaction_logs_one_debug_line(
    platform: DiscordPlatform, double: DiscordDouble, caplog: pytest.LogCaptureFixture
) -> None:
    double.gateway.guilds = {0: [guild_payload()]}
    double.follow_ups_over = True
    core = RecordingCore(private=False)
    core.ready.clear()
    with capture_logs() as logs:
        async with listening(platform, core):
            await double.gateway.until(lambda: double.gateway.shards == {0})
            await double.gateway.dispatch("INTERACTION_CREATE", interaction("77", "help"))
            await double.callbacks.get()
            core.ready.set()
            await double.follows.get()
            await double.gateway.dispatch("INTERACTION_CREATE", interaction("78", "help"))
            await double.callbacks.get()
    over = [line for line in logs if line["event"] == "interaction_over"]
    assert [(line["log_level"], line["code"]) for line in over] == [("debug", 50027)]
    assert not [record for record in caplog.records if record.levelname in {"WARNING", "ERROR"}]


async def test_every_request_has_the_user_agent_that_discord_requires(
    platform: DiscordPlatform, double: DiscordDouble
) -> None:
    double.gateway.guilds = {0: [guild_payload()]}
    core = RecordingCore(private=False)
    core.ready.clear()
    async with listening(platform, core):
        await double.gateway.until(lambda: double.gateway.shards == {0})
        await double.gateway.dispatch("INTERACTION_CREATE", interaction("77", "help"))
        await double.callbacks.get()
        core.ready.set()
        for _ in range(2):
            await double.follows.get()
    (agent,) = double.agents
    assert re.match(r"DiscordBot \(https://[^ ]+, [0-9.]+\)", agent)
    assert double.gateway.agents == {agent}
