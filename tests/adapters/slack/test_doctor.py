"""`paperboy doctor` says what is wrong with Slack, and what to click."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from adapters.slack.manifest import HISTORY, JOIN, manifest
from bot.ports import Diagnosable, Finding
from tests.adapters.slack.double import Slack
from tests.adapters.slack.running import Running, install
from tests.adapters.slack.stage import SlackStage, slack_stage


@pytest.fixture
async def stage(redis: Redis) -> AsyncIterator[SlackStage]:
    async with slack_stage(redis) as made:
        yield made


async def wrong(platform: Diagnosable) -> dict[str, Finding]:
    """The findings that are not ok, by name."""
    assert isinstance(platform, Diagnosable)
    return {finding.name: finding for finding in await platform.diagnose() if not finding.ok}


async def test_doctor_finds_nothing_wrong_with_a_working_app(stage: SlackStage) -> None:
    await stage.say("subscribe diffusion")
    found = {finding.name: finding.message for finding in await stage.platform.diagnose()}
    assert await wrong(stage.platform) == {}
    assert "lab" in found["slack"]
    assert found[f"slack {stage.workspace.id}"] == "1 of 1 subscribed channels can be posted to"


async def test_doctor_names_missing_and_optional_scopes(stage: SlackStage) -> None:
    (token,) = stage.slack.world.tokens.values()
    token.scopes -= set(HISTORY)
    todo = {f.name: f.todo for f in await stage.platform.diagnose()}
    assert "channels:history" in todo["slack scopes"]
    assert await wrong(stage.platform) == {}
    token.scopes -= {"users:read"}
    assert "users:read" in (await wrong(stage.platform))["slack scopes"].todo


async def test_doctor_calls_scopes_unknown_if_slack_does_not_name_them(stage: SlackStage) -> None:
    stage.slack.names_scopes = False
    found = {finding.name: finding for finding in await stage.platform.diagnose()}
    assert found["slack scopes"].ok
    assert "unknown" in found["slack scopes"].message


async def test_doctor_names_channels_in_which_posts_can_not_be_looked_up(stage: SlackStage) -> None:
    await stage.say("subscribe diffusion")
    stage.room.members.discard(stage.workspace.bot_user)
    found = {finding.name: finding for finding in await stage.platform.diagnose()}
    assert found[f"slack {stage.room.id}"].ok
    assert "not in it" in found[f"slack {stage.room.id}"].message
    assert "/invite @Paperboy" in found[f"slack {stage.room.id}"].todo
    (token,) = stage.slack.world.tokens.values()
    token.scopes -= {JOIN}
    found = {finding.name: finding for finding in await stage.platform.diagnose()}
    assert "channels:join" in found["slack scopes"].message


async def test_doctor_says_where_to_invite_the_app(stage: SlackStage) -> None:
    await stage.say("subscribe diffusion")
    stage.room.private = True
    stage.room.members.discard(stage.workspace.bot_user)
    finding = (await wrong(stage.platform))[f"slack {stage.room.id}"]
    assert finding.todo == f"/invite @Paperboy in https://lab.slack.com/archives/{stage.room.id}"
    stage.room.private, stage.room.archived = False, True
    assert "archived" in (await wrong(stage.platform))[f"slack {stage.room.id}"].message


async def test_doctor_says_which_token_is_refused(stage: SlackStage) -> None:
    stage.slack.faults.always |= {"auth.test": "invalid_auth", "apps.connections.open": "invalid_auth"}
    found = await wrong(stage.platform)
    assert "OAuth & Permissions" in found["slack"].todo
    assert "App-Level Tokens" in found["slack socket"].todo
    stage.slack.faults.always["apps.connections.open"] = "forbidden_for_app"
    assert "Socket Mode" in (await wrong(stage.platform))["slack socket"].todo


async def test_doctor_names_workspaces_that_uninstalled_the_app(redis: Redis) -> None:
    async with Slack(manifest("http")).serve() as slack:
        running = Running(slack, redis)
        await running.start(running.http())
        lab = slack.workspace("lab")
        ada = slack.person(lab)
        room = slack.channel(lab, "papers", ada)
        await install(slack, running.address, ada)
        await ada.type(room, "subscribe diffusion")
        await running.settled()
        assert await wrong(running.platform) == {}
        await ada.uninstall()
        await running.settled()
        assert "install" in (await wrong(running.platform))[f"slack {lab.id}"].todo
        await running.stop()
