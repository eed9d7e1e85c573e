"""Discord decides who can read and change a channel, for every type of interaction."""

import json
from collections.abc import AsyncIterator
from typing import Any

import discord
import pytest
from redis.asyncio import Redis

from adapters.discord import access
from adapters.discord.access import Verified
from adapters.discord.platform import DiscordPlatform
from bot.domain.errors import AccessUnknown
from bot.domain.models import ChannelRef, User
from bot.ports import Access
from tests.adapters.discord.double.faults import RawAnswer
from tests.adapters.discord.double.interactions import JOE, autocomplete, button, form, interaction
from tests.adapters.discord.double.payloads import DIRECT, GUILD, PRIVATE_THREAD, guild_payload
from tests.adapters.discord.double.service import DiscordDouble
from tests.adapters.discord.recording import listening
from tests.platform_harness import wired

HERE = ChannelRef("discord", str(GUILD), "2000")
PERSON = User(str(JOE), "joe", may_manage=True)
"""A person as an old button describes them. Their current permissions come from Discord."""
VIEW = discord.Permissions(view_channel=True).value
MANAGE = discord.Permissions(view_channel=True, manage_channels=True).value
READS, MANAGES, NOTHING = Access(True, False), Access(True, True), Access(False, False)
EVENTS = {
    "a button": button("77", "list page:2"),
    "a button that changes something": button("77", "mute robots"),
    "a form's button": button("77", "?0 settings"),
    "a form": form("77", "?0 settings", hour="9"),
    "an autocomplete": autocomplete("77", "unsubscribe", "subscription", "#"),
}


@pytest.fixture
async def running(platform: DiscordPlatform, double: DiscordDouble, redis: Redis) -> AsyncIterator[Any]:
    """Run the whole bot at the gateway. Yield a function that sends an event and returns the answer."""
    channel = {"id": "2000", "type": 0, "name": "papers", "position": 0, "permission_overwrites": []}
    double.gateway.guilds = {0: [guild_payload() | {"channels": [channel]}]}

    async def answer_to(event: dict[str, Any]) -> str:
        await double.gateway.dispatch("INTERACTION_CREATE", event)
        _, body, _ = await double.callbacks.get()
        if body["type"] == 5:
            _, body = await double.follows.get()
        return json.dumps(body)

    async with wired(redis, (platform,)) as bot, listening(platform, bot.core):
        await double.gateway.until(lambda: double.gateway.shards == {0})
        await answer_to(interaction("76", "subscribe", query="robots"))
        yield answer_to


@pytest.mark.parametrize("name", EVENTS)
async def test_a_person_who_left_the_server_can_do_nothing_there(
    running: Any, double: DiscordDouble, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.commands.access.REMEMBERED_FOR", 0.0)
    if name == "an autocomplete":
        assert "robots" in await running(EVENTS[name])
    double.left.add(JOE)
    answer = await running(EVENTS[name] | {"id": "78", "token": "token-78"})
    assert "robots" not in answer
    if name != "an autocomplete":
        assert "not in this channel any more" in answer


def test_every_type_of_interaction_except_commands_is_among_the_events() -> None:
    kinds = {discord.InteractionType(event["type"]) for event in EVENTS.values()}
    fresh = {discord.InteractionType.ping, discord.InteractionType.application_command}
    assert kinds == set(discord.InteractionType) - fresh


async def test_permissions_in_the_payload_of_a_command_need_no_request(
    running: Any, double: DiscordDouble
) -> None:
    before = len(double.requests)
    assert "robots" in await running(interaction("78", "list"))
    assert not [path for _, path in double.requests[before:] if "/members/" in path]


@pytest.mark.parametrize(
    ("everyone", "overwrites", "expected"),
    [
        (VIEW, [], READS),
        (MANAGE, [], MANAGES),
        (0, [], NOTHING),
        (VIEW, [(GUILD, 0, 0, VIEW)], NOTHING),
        (VIEW, [(GUILD, 0, 0, VIEW), (55, 0, VIEW, 0)], READS),
        (VIEW, [(GUILD, 0, 0, VIEW), (55, 0, VIEW, 0), (JOE, 1, 0, VIEW)], NOTHING),
        (VIEW, [(JOE, 1, MANAGE, 0)], MANAGES),
        (MANAGE, [(55, 0, 0, MANAGE & ~VIEW)], READS),
        (discord.Permissions(administrator=True).value, [(GUILD, 0, 0, MANAGE)], MANAGES),
    ],
)
@pytest.mark.parametrize("channel", [2000, 2001])
async def test_permissions_and_overwrites_apply_to_a_channel_and_its_threads(
    platform: DiscordPlatform,
    double: DiscordDouble,
    *,
    everyone: int,
    overwrites: list[tuple[int, int, int, int]],
    expected: Access,
    channel: int,
) -> None:
    double.permissions = everyone
    double.more_roles = [(55, "readers")]
    double.roles[JOE] = ["55"]
    double.parents[2001] = 2000
    double.kinds[2001] = 11
    double.overwrites[2000] = [
        {"id": str(who), "type": kind, "allow": str(allow), "deny": str(deny)}
        for who, kind, allow, deny in overwrites
    ]
    assert await platform.access(PERSON, ChannelRef("discord", str(GUILD), str(channel))) == expected


async def test_only_people_who_were_added_to_a_private_thread_can_read_it(
    platform: DiscordPlatform, double: DiscordDouble
) -> None:
    double.permissions = VIEW
    double.parents[2001], double.kinds[2001] = 2000, PRIVATE_THREAD
    thread = ChannelRef("discord", str(GUILD), "2001")
    assert await platform.access(PERSON, thread) == NOTHING
    double.thread_members.add((2001, JOE))
    assert await platform.access(PERSON, thread) == READS


@pytest.mark.parametrize("name", [str(JOE), "55"], ids=["the person", "their role"])
async def test_the_servers_settings_can_allow_the_command_to_a_person_or_role(
    platform: DiscordPlatform, double: DiscordDouble, name: str
) -> None:
    double.permissions = VIEW
    double.more_roles = [(55, "readers")]
    double.roles[JOE] = ["55"]
    double.commands = [{"id": "1", "name": "paper", "type": 1}]
    assert await platform.access(PERSON, HERE) == READS
    double.allowed_by_name.add(name)
    assert await platform.access(PERSON, HERE) == MANAGES


async def test_a_member_can_read_with_a_command_during_an_outage_of_discord(
    platform: DiscordPlatform, double: DiscordDouble
) -> None:
    double.weather.spell = RawAnswer(status=403, body=b"<html>")
    token = access._verified.set(Verified(PERSON.id, HERE, may_manage=False, named=frozenset({PERSON.id})))
    try:
        assert await platform.access(PERSON, HERE) == READS
        with pytest.raises(AccessUnknown):
            await platform.access(User("5", "eve"), HERE)
    finally:
        access._verified.reset(token)


async def test_direct_messages_belong_to_the_person_in_them(
    platform: DiscordPlatform, double: DiscordDouble
) -> None:
    double.kinds[JOE + 1] = DIRECT
    direct = ChannelRef("discord", "@me", str(JOE + 1))
    assert await platform.access(PERSON, direct) == MANAGES
    assert await platform.access(User("5", "eve"), direct) == NOTHING


async def test_a_deleted_channel_has_no_members(platform: DiscordPlatform, double: DiscordDouble) -> None:
    double.gone.add(2000)
    assert await platform.access(PERSON, HERE) == NOTHING


@pytest.mark.parametrize("status", [403, 500, 503])
async def test_access_is_unknown_during_an_outage_of_discord(
    platform: DiscordPlatform, double: DiscordDouble, status: int
) -> None:
    double.weather.spell = RawAnswer(status=status, body=b"<html>")
    with pytest.raises(AccessUnknown):
        await platform.access(PERSON, HERE)
