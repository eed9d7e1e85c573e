"""Socket Mode: reconnecting, refused tokens, and a shutdown that handles everything acknowledged."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from adapters.slack.manifest import manifest
from adapters.slack.platform import SlackPlatform
from bot.domain.errors import ConfigurationError
from tests.adapters.slack.double import Message, Slack
from tests.adapters.slack.harness import SlackHarness, slack_harness
from tests.adapters.slack.running import Running
from tests.failing_core import FailingCore


class ResumedCore(FailingCore):
    """A core that accepts `resume_workspace`."""

    async def resume_workspace(self, platform: str, workspace: str) -> None: ...


@pytest.fixture
async def harness(redis: Redis) -> AsyncIterator[SlackHarness]:
    async with slack_harness(redis) as made:
        yield made


@pytest.mark.parametrize("reason", ["refresh_requested", "warning"])
async def test_the_socket_reconnects_when_slack_asks_for_it(harness: SlackHarness, reason: str) -> None:
    sockets = harness.slack.sockets
    first = sockets.open[0]
    assert harness.platform.connected()
    await sockets.disconnect(reason)
    await harness.slack.until(lambda: sockets.open and first not in sockets.open)
    assert "no subscriptions" in (await harness.say("list")).text


async def test_replicas_share_the_work_and_handle_each_envelope_once(
    harness: SlackHarness, redis: Redis
) -> None:
    second = Running(harness.slack, redis)
    harness.slack.sockets.opened.clear()
    await second.start(second.socket(next(iter(harness.slack.world.tokens))))
    try:
        for n in range(6):
            await harness.person.type(harness.room, f"subscribe topic{n}")
        await harness.settled()
        await second.settled()
        assert set(harness.slack.sockets.delivered) == {0, 1}
        assert len([m for m in harness.room.messages if m.only_for]) == 6
        assert "6 subscriptions" in (await harness.say("list")).text
    finally:
        await second.stop()


async def test_a_repeated_envelope_is_handled_once(harness: SlackHarness) -> None:
    trigger = harness.slack.trigger(harness.person.user)
    payload = {
        "team_id": harness.workspace.id,
        "channel_id": harness.room.id,
        "channel_name": "papers",
        "user_id": harness.person.user,
        "user_name": "ada",
        "command": "/paper",
        "text": "subscribe diffusion",
        "trigger_id": trigger,
        "response_url": harness.slack.response_url(harness.room, harness.person.user, trigger),
    }
    for _ in range(2):
        await harness.slack.send("slash_commands", payload)
    await harness.settled()
    assert len(harness.person.answers(trigger)) == 1


async def test_acknowledged_commands_are_answered_during_shutdown(harness: SlackHarness) -> None:
    trigger = await harness.person.type(harness.room, "subscribe diffusion")
    await harness.stop()
    (answer,) = harness.person.answers(trigger)
    assert isinstance(answer, Message)
    assert "diffusion" in answer.text
    assert harness.slack.sockets.open == []
    assert not harness.platform.connected()
    await harness.start()


async def test_app_rate_limited_is_acknowledged(harness: SlackHarness) -> None:
    await harness.slack.rate_limited(harness.workspace)


async def test_events_without_a_handler_are_acknowledged(harness: SlackHarness) -> None:
    payload = {"type": "event_callback", "event_id": "Ev1", "team_id": harness.workspace.id}
    await harness.slack.send("events_api", payload | {"event": {"type": "emoji_changed"}})


async def test_a_client_that_can_never_reconnect_is_replaced(
    harness: SlackHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Close the library's HTTP session, so that every attempt to reconnect fails, as after losing the network."""
    await harness.stop()
    monkeypatch.setattr("adapters.slack.socket_mode.CHECK_INTERVAL", 0.05)
    monkeypatch.setattr("adapters.slack.socket_mode.LOST_CHECKS", 3)
    await harness.start()
    sockets = harness.slack.sockets
    socket = harness.platform._socket
    assert socket is not None
    assert socket._handler is not None
    first = sockets.open[0]
    await socket._handler.client.aiohttp_client_session.close()
    await harness.slack.until(lambda: sockets.open and first not in sockets.open)
    assert "no subscriptions" in (await harness.say("list")).text


async def test_a_token_that_is_revoked_while_the_socket_is_open_stops_the_role(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.slack.socket_mode.CHECK_INTERVAL", 0.05)
    monkeypatch.setattr("adapters.slack.socket_mode.LOST_CHECKS", 3)
    async with Slack(manifest("socket")).serve() as slack:
        workspace = slack.workspace()
        token = slack.world.install(workspace, slack.person(workspace).user)
        platform = SlackPlatform(Running(slack, redis).socket(token.value), redis)
        listening = asyncio.create_task(platform.run(ResumedCore()))
        await slack.until(lambda: slack.sockets.open)
        slack.faults.always["apps.connections.open"] = "invalid_auth"
        await slack.sockets.open[0].close()
        with pytest.raises(ConfigurationError, match="SLACK_APP_TOKEN"):
            await listening
        await platform.close()


@pytest.mark.parametrize(
    ("method", "fault", "message"),
    [
        ("auth.test", "invalid_auth", "SLACK_BOT_TOKEN"),
        ("auth.test", "account_inactive", "SLACK_BOT_TOKEN"),
        ("apps.connections.open", "invalid_auth", "SLACK_APP_TOKEN"),
        ("apps.connections.open", "not_allowed_token_type", "SLACK_APP_TOKEN"),
        ("apps.connections.open", "missing_scope", "connections:write"),
    ],
)
async def test_invalid_token_stops_the_role(redis: Redis, method: str, fault: str, message: str) -> None:
    async with Slack(manifest("socket")).serve() as slack:
        workspace = slack.workspace()
        token = slack.world.install(workspace, slack.person(workspace).user)
        slack.faults.always[method] = fault
        platform = SlackPlatform(Running(slack, redis).socket(token.value), redis)
        with pytest.raises(ConfigurationError, match=message):
            await platform.run(FailingCore())
        await platform.close()


async def test_the_role_waits_for_slack_to_come_back(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.slack.socket_mode.RETRY_WAITS", (0.01,))
    async with Slack(manifest("socket")).serve() as slack:
        slack.faults.next("auth.test", "500", "500", "internal_error")
        slack.faults.next("apps.connections.open", "500", "500", "lose", "lose", "429 1")
        harness = SlackHarness(slack, redis)
        await harness.start()
        assert "no subscriptions" in (await harness.say("list")).text
        await harness.stop()
