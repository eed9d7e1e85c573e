"""Answers to commands, buttons and forms."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import discord
import pytest
import simcord
from redis.asyncio import Redis

from adapters.discord.client import GatewayClient
from bot.cards import Button, Card, Choice, Field, Form
from bot.cards.build import actions, paragraph
from bot.domain.models import ChannelRef, Command, User
from bot.ports import Reply
from tests.adapters.discord.double.openapi import judged
from tests.adapters.discord.harness import (
    PATIENT,
    DiscordHarness,
    buttons,
    discord_harness,
    seen_of,
    shown,
    walk,
)
from tests.failing_core import FailingCore
from tests.papers import a_paper
from tests.platform_harness import arrive


def a_card(message: str, *more: Button) -> Card:
    return Card("reply", message, blocks=(paragraph(message), *actions(*more)))


FORM = Form(
    "Paperboy here",
    "settings",
    (
        *(Field(f"hour{n}", f"Hour {n}", str(n), "when it is due") for n in range(6)),
        Field("detail", "Size", "compact", choices=(Choice("compact", "small"), Choice("full", "large"))),
    ),
)


@dataclass
class ScriptedCore(FailingCore):
    """A core that gives the reply of a test, and records its calls."""

    reply: Reply = field(default_factory=lambda: Reply(a_card("quick")))
    calls: list[tuple[str, dict[str, str], User]] = field(default_factory=list)

    async def handle(self, command: Command) -> Reply:
        self.calls.append((command.name, dict(command.options), command.user))
        return self.reply

    async def handle_text(self, line: str, user: User, channel: ChannelRef) -> Reply:
        self.calls.append((line, {}, user))
        assert channel.platform == "discord"
        return self.reply

    async def subscriptions(self, channels: Any) -> Any:
        return {channel: () for channel in channels if not channel.platform}


@dataclass
class Room:
    """A server whose bot has a scripted core."""

    env: simcord.Env
    core: ScriptedCore
    channel: simcord.ChannelHandle
    joe: simcord.MemberActor
    guest: simcord.MemberActor


@pytest.fixture
async def room(redis: Redis) -> AsyncIterator[Room]:
    core = ScriptedCore()
    env = simcord.Env(GatewayClient(core, redis, PATIENT), settle_timeout=20)
    with judged():
        async with _opened(env, core) as room:
            yield room


@asynccontextmanager
async def _opened(env: simcord.Env, core: ScriptedCore) -> AsyncIterator[Room]:
    await env.start()
    try:
        server = env.create_guild("lab")
        manager = server.create_role("managers", permissions=discord.Permissions(manage_channels=True))
        channel = server.create_text_channel("papers")
        joe = server.add_member(env.create_user("joe"), roles=[manager])
        guest = server.add_member(env.create_user("guest"))
        await env.settle()
        yield Room(env, core, channel, joe, guest)
        env._raise_errors_since(env._errors_acknowledged)
    finally:
        await env.shutdown()


async def test_a_quick_answer_is_immediate_and_private(room: Room) -> None:
    result = await room.joe.slash(room.channel, "paper list")
    assert (result.deferred, result.ephemeral, shown(result).text) == (False, True, "quick")


async def test_a_public_answer_is_seen_by_everyone(room: Room) -> None:
    room.core.reply = Reply(a_card("for all"), private=False)
    result = await room.joe.slash(room.channel, "paper list")
    assert not shown(result).private
    assert len(room.channel.history(viewer=room.guest)) == 1


async def test_a_fuller_answer_replaces_the_first_one(room: Room) -> None:
    async def later() -> Card:
        return a_card("fuller")

    room.core.reply = Reply(a_card("first"), later=later)
    result = await room.joe.slash(room.channel, "paper list")
    assert shown(result).text == "fuller"


async def test_paging_replaces_the_message(room: Room) -> None:
    room.core.reply = Reply(a_card("page 1", Button("Next", "list page:2")))
    first = await room.joe.slash(room.channel, "paper list")
    room.core.reply = Reply(a_card("page 2", Button("Previous", "list page:1")))
    assert first.response is not None
    await room.joe.click(first.response, label="Next")
    assert shown(first).text == "page 2"
    assert room.core.calls[-1][0] == "list page:2"


async def test_options_reach_the_core_by_name(room: Room) -> None:
    await room.joe.slash(room.channel, "paper mute", query="robots", **{"for": "7d"})
    name, options, user = room.core.calls[-1]
    assert (name, options) == ("mute", {"query": "robots", "for": "7d"})
    assert (user.id, user.name, user.may_manage) == (str(room.joe.id), "joe", True)


async def test_changes_need_manage_channels_or_a_command_permission(redis: Redis) -> None:
    async with discord_harness(redis) as harness:
        guest = harness.server.add_member(harness.env.create_user("guest"))
        await harness.env.settle()
        refused = await harness.say_in(harness.papers, "/paper mute robots", guest)
        assert "Only people who manage this channel" in refused.text
        other = harness.server.add_member(harness.env.create_user("other"))
        command = next(c for c in harness.env.backend.commands[None].values() if c["name"] == "paper")
        harness.server.set_command_permissions(int(command["id"]), {other: True})
        assert "muted" in (await harness.say_in(harness.papers, "/paper mute robots", other)).text.lower()


async def test_direct_messages_are_a_personal_channel(room: Room) -> None:
    user = room.joe.user
    assert "quick" in shown(await user.slash("paper trending")).text
    assert "quick" in shown(await user.slash("paper subscribe", query="robots")).text
    assert [name for name, _, _ in room.core.calls] == ["trending", "subscribe"]


async def test_subscribing_where_posting_is_forbidden_shows_a_warning(room: Room) -> None:
    me = room.env.backend.bot_user.id
    deny = discord.Permissions(send_messages=True).value
    overwrite = simcord.backend.models.Overwrite(me, simcord.enums.OverwriteType.MEMBER, 0, deny)
    room.env.backend.channels[room.channel.id].overwrites.append(overwrite)
    seen = shown(await room.joe.slash(room.channel, "paper subscribe", query="robots"))
    assert "can't post here yet" in seen.text
    assert "Send Messages" in seen.text


async def test_a_long_form_is_opened_in_parts_and_submitted_as_a_whole(room: Room) -> None:
    room.core.reply = Reply(a_card("settings"), form=FORM)
    offered = await room.joe.slash(room.channel, "paper settings")
    assert offered.response is not None
    labels = [label for label, _ in buttons(offered.response)]
    assert labels == ["Change Hour 0, Hour 1, Hour 2, Hour 3, Hour 4", "Change Hour 5, Size"]
    opened = await room.joe.click(offered.response, label=labels[1])
    assert opened.modal is not None
    assert opened.modal["title"] == "Paperboy here"
    await room.joe.submit_modal(opened, {"hour5": "17", "detail": ["full"]})
    name, options, _ = room.core.calls[-1]
    assert (name, options["hour5"], options["detail"], options["hour0"]) == ("settings", "17", "full", "0")


async def test_a_short_form_opens_at_once_and_works_after_a_restart(room: Room, redis: Redis) -> None:
    room.core.reply = Reply(a_card("settings"), form=Form("Paperboy here", "settings", FORM.fields[:2]))
    opened = await room.joe.slash(room.channel, "paper settings")
    assert opened.modal is not None
    await room.env.restart_bot(GatewayClient(room.core, redis, PATIENT))
    sent = await room.joe.submit_modal(opened, {"hour0": "8", "hour1": ""})
    assert room.core.calls[-1][1] == {"hour0": "8", "hour1": ""}
    assert sent.acknowledged


async def test_an_error_on_our_side_is_shown(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(_command: Command) -> Reply:
        raise RuntimeError("a bug")

    monkeypatch.setattr(room.core, "handle", broken)
    result = await room.joe.slash(room.channel, "paper list")
    assert "on our side" in shown(result).text
    assert ["a bug" in str(error) for error in room.env.errors] == [True]


async def test_an_abstract_is_posted_in_the_thread_once(redis: Redis) -> None:
    async with discord_harness(redis) as harness:
        await harness.say("/paper subscribe paper")
        await arrive(harness.bot, a_paper(abstract="First. Second."))
        (post,) = await harness.posted()
        for _ in range(3):
            assert "thread" in (await harness.press(post, "Full abstract")).text
        (thread,) = harness.papers.threads
        assert ["Second." in seen_of(message).text for message in thread.history()] == [True]


async def test_an_announcement_channel_gets_embeds(redis: Redis) -> None:
    async with discord_harness(redis) as harness:
        news = harness.server.create_news_channel("news")
        await harness.env.settle()
        await harness.say_in(news, "/paper subscribe paper")
        await arrive(harness.bot, a_paper())
        (post,) = harness.posted_in(news)
        assert post.raw.embeds[0].title == "On paper 2603.00001"
        assert "Saved to your list" in (await harness.press(post, "Save")).text


async def test_roles_are_completed_by_name_and_pinged(redis: Redis) -> None:
    async with discord_harness(redis) as harness:
        readers = harness.server.create_role("Readers")
        await harness.env.settle()
        offered = await harness.joe.autocomplete(harness.papers, "paper settings", "ping", "read")
        assert offered == [{"name": "@Readers", "value": str(readers.id)}]
        await _ping(harness, readers)


async def _ping(harness: DiscordHarness, role: simcord.RoleHandle) -> None:
    await harness.say(f"/paper settings ping:{role.id}")
    await harness.say("/paper subscribe paper")
    await arrive(harness.bot, a_paper())
    card, ping = harness.papers.history()[-2:]
    assert ping.content.startswith(f"<@&{role.id}> ")
    assert [mentioned.id for mentioned in ping.role_mentions] == [role.id]
    assert ping.reference is not None
    assert ping.reference.message_id == card.id


def _parts(message: Any) -> list[Any]:
    return list(walk(message.message.components))
