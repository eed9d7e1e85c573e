"""The bot connects whatever Discord answers to a sync of commands, and retries until Discord has them all."""

import json

import pytest
from redis.asyncio import Redis

from adapters.discord import command_sync, keys
from adapters.discord.platform import DiscordPlatform
from bot.commands.table import message_commands
from tests.adapters.discord.double.faults import RawAnswer
from tests.adapters.discord.double.interactions import interaction
from tests.adapters.discord.double.payloads import guild_payload
from tests.adapters.discord.double.service import DiscordDouble
from tests.adapters.discord.recording import TURNS, RecordingCore, listening
from tests.waiting import until

ENTRY_POINT = {
    "id": "77",
    "type": 4,
    "name": "launch",
    "description": "Open the game",
    "handler": 2,
    "application_id": "900",
    "version": "3",
    "default_member_permissions": None,
    "integration_types": [0],
    "contexts": None,
}


def refusal(status: int, code: int) -> RawAnswer:
    body = json.dumps({"code": code, "message": "no"}).encode()
    return RawAnswer(status=status, body=body, content_type="application/json")


@pytest.fixture
def _quick_retry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retry a sync immediately."""
    monkeypatch.setattr(command_sync, "TIMEOUT", 1.0)
    monkeypatch.setattr(command_sync.CommandSync.__init__, "__kwdefaults__", {"first_wait": 0.01})


@pytest.mark.usefixtures("_quick_retry")
@pytest.mark.parametrize(
    "answer",
    [
        refusal(400, 30034),
        refusal(400, 50240),
        refusal(400, 50035),
        refusal(403, 40333),
        RawAnswer(status=403, body=b"<html>"),
        RawAnswer(status=429, body=b"error code: 1015"),
        RawAnswer(status=503),
        RawAnswer(status=200, hangs=True),
        RawAnswer(status=200, body=b"[", content_type="application/json"),
        RawAnswer(status=200, body=b"[", content_type="application/json", cut_off=True),
    ],
    ids=[
        "30034",
        "50240",
        "50035",
        "40333",
        "a 403 page",
        "a 429 page",
        "503",
        "no answer",
        "half an answer",
        "a cut-off answer",
    ],
)
async def test_after_a_refused_sync_the_bot_connects_and_the_sync_is_retried(
    platform: DiscordPlatform, double: DiscordDouble, answer: RawAnswer
) -> None:
    double.sync_answers.append(answer)
    async with listening(platform, RecordingCore()):
        await double.gateway.until(lambda: double.gateway.shards == {0})
        await until_synced(double)
    paper, *menus = double.commands
    assert {menu["type"] for menu in menus} == {3}
    assert paper["integration_types"] == [0, 1], "a temporary error doesn't disable user install"


async def test_while_the_sync_fails_commands_are_answered_and_the_doctor_reports_it(
    platform: DiscordPlatform, double: DiscordDouble, redis: Redis
) -> None:
    double.sync_answers.extend([refusal(400, 30034)] * 3)
    double.gateway.guilds = {0: [guild_payload()]}
    async with listening(platform, RecordingCore()):
        await double.gateway.until(lambda: double.gateway.shards == {0})
        await double.gateway.dispatch("INTERACTION_CREATE", interaction("77", "help"))
        _, body, _ = await double.callbacks.get()
    assert "help by joe" in str(body["data"]["components"])
    found = {finding.name: finding async for finding in platform.diagnose()}
    assert not found["discord commands"].ok
    assert "200 new commands are used up" in found["discord commands"].message
    await redis.hdel(keys.SYNC_PROBLEM, "900")
    assert "discord commands" not in {finding.name async for finding in platform.diagnose()}


@pytest.mark.usefixtures("_quick_retry")
async def test_a_sync_keeps_an_entry_point_command(platform: DiscordPlatform, double: DiscordDouble) -> None:
    double.commands = [ENTRY_POINT]
    async with listening(platform, RecordingCore()):
        await until_synced(double)
    names = {command["name"]: command for command in double.commands}
    assert names.keys() == {"paper", "launch", *(spec.on_message for spec in message_commands())}
    assert (names["launch"]["id"], names["launch"]["handler"]) == ("77", 2)


async def test_commands_are_synced_without_user_install_until_it_is_enabled(
    platform: DiscordPlatform, double: DiscordDouble, redis: Redis
) -> None:
    installs = []
    for user_install in (False, False, True):
        double.user_install = user_install
        async with listening(platform, RecordingCore()):
            await double.gateway.until(lambda: double.gateway.shards == {0})
        await double.gateway.until(lambda: not double.gateway.shards)
        await redis.delete(TURNS)
        (types,) = {tuple(command["integration_types"]) for command in double.commands}
        installs.append((types, double.syncs))
    assert installs == [((0,), 1), ((0,), 1), ((0, 1), 2)]


async def until_synced(double: DiscordDouble) -> None:
    await until(lambda: double.syncs, "a command sync")
