"""`paperboy doctor` reports problems with Slack, and where to fix them."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from adapters.slack.manifest import HISTORY, JOIN, manifest
from bot.ports import Diagnosable, Finding
from tests.adapters.slack.double import Slack
from tests.adapters.slack.harness import SlackHarness, slack_harness
from tests.adapters.slack.running import Running, install


@pytest.fixture
async def harness(redis: Redis) -> AsyncIterator[SlackHarness]:
    async with slack_harness(redis) as made:
        yield made


async def problems(platform: Diagnosable) -> dict[str, Finding]:
    """Return the findings that are not ok, by name."""
    assert isinstance(platform, Diagnosable)
    return {finding.name: finding async for finding in platform.diagnose() if not finding.ok}


async def test_doctor_finds_nothing_wrong_with_a_working_app(harness: SlackHarness) -> None:
    await harness.say("subscribe diffusion")
    found = {finding.name: finding.message async for finding in harness.platform.diagnose()}
    assert await problems(harness.platform) == {}
    assert "lab" in found["slack"]
    assert found[f"slack {harness.workspace.id}"] == "1 of 1 subscribed channels can be posted to"


async def test_doctor_names_missing_and_optional_scopes(harness: SlackHarness) -> None:
    (token,) = harness.slack.world.tokens.values()
    token.scopes -= set(HISTORY)
    todo = {f.name: f.todo async for f in harness.platform.diagnose()}
    assert "channels:history" in todo["slack scopes"]
    assert await problems(harness.platform) == {}
    token.scopes -= {"users:read"}
    assert "users:read" in (await problems(harness.platform))["slack scopes"].todo


async def test_doctor_reports_unknown_scopes_if_slack_does_not_name_them(harness: SlackHarness) -> None:
    harness.slack.names_scopes = False
    found = {finding.name: finding async for finding in harness.platform.diagnose()}
    assert found["slack scopes"].ok
    assert "unknown" in found["slack scopes"].message


async def test_doctor_names_channels_in_which_posts_cannot_be_looked_up(harness: SlackHarness) -> None:
    await harness.say("subscribe diffusion")
    harness.room.members.discard(harness.workspace.bot_user)
    found = {finding.name: finding async for finding in harness.platform.diagnose()}
    assert found[f"slack {harness.room.id}"].ok
    assert "not in it" in found[f"slack {harness.room.id}"].message
    assert "/invite @Paperboy" in found[f"slack {harness.room.id}"].todo
    (token,) = harness.slack.world.tokens.values()
    token.scopes -= {JOIN}
    found = {finding.name: finding async for finding in harness.platform.diagnose()}
    assert "channels:join" in found["slack scopes"].message


async def test_doctor_says_where_to_invite_the_app(harness: SlackHarness) -> None:
    await harness.say("subscribe diffusion")
    harness.room.private = True
    harness.room.members.discard(harness.workspace.bot_user)
    finding = (await problems(harness.platform))[f"slack {harness.room.id}"]
    assert finding.todo == f"/invite @Paperboy in https://lab.slack.com/archives/{harness.room.id}"
    harness.room.private, harness.room.archived = False, True
    assert "archived" in (await problems(harness.platform))[f"slack {harness.room.id}"].message


async def test_doctor_says_which_token_is_refused(harness: SlackHarness) -> None:
    harness.slack.faults.always |= {"auth.test": "invalid_auth", "apps.connections.open": "invalid_auth"}
    found = await problems(harness.platform)
    assert "OAuth & Permissions" in found["slack"].todo
    assert "App-Level Tokens" in found["slack socket"].todo
    harness.slack.faults.always["apps.connections.open"] = "forbidden_for_app"
    assert "Socket Mode" in (await problems(harness.platform))["slack socket"].todo


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
        assert await problems(running.platform) == {}
        await ada.uninstall()
        await running.settled()
        assert "install" in (await problems(running.platform))[f"slack {lab.id}"].todo
        await running.stop()
