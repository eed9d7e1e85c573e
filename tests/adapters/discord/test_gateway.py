"""Listening at the gateway: one identify, resumes, leases, a clean end."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import discord
import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from adapters.discord.platform import DiscordPlatform
from adapters.discord.shards import Gateway, Identifies, Shards
from bot.cards import Card, Choice
from bot.domain.errors import ConfigurationError
from bot.domain.models import ChannelRef, Command, User
from bot.ports import Core, Reply
from tests.adapters.discord.double.interactions import autocomplete, button, form, interaction
from tests.adapters.discord.double.service import GUILD, DiscordDouble, guild_payload
from tests.failing_core import FailingCore

GUILDS = 1
"""The only intent that is needed, as a bit."""
TURNS = "pb:{rate:discord:identify:any}:slots"
"""Deleted where a test would otherwise wait five seconds for its next identify."""


@dataclass
class Told(FailingCore):
    """A core that notes what it is told."""

    told: list[str] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    ready: asyncio.Event = field(default_factory=asyncio.Event)
    private: bool = True

    def __post_init__(self) -> None:
        self.ready.set()

    async def handle(self, command: Command) -> Reply:
        await self.ready.wait()
        return Reply(Card("reply", f"{command.name} by {command.user.name}"), private=self.private)

    async def handle_text(self, line: str, user: User, channel: ChannelRef) -> Reply:
        return Reply(Card("reply", f"{line} by {user.name} in {channel.channel}"))

    async def complete(
        self, command: str, option: str, typed: str, user: User, channel: ChannelRef
    ) -> Sequence[Choice]:
        return (Choice(typed, f"{command} {option} {user.name} {channel.channel}"),)

    async def subscriptions(self, channels: Any) -> Any:
        return {channel: () for channel in channels if channel in self.told}

    async def pause_workspace(self, platform: str, workspace: str, reason: str) -> None:
        self._note(f"pause {platform} {workspace}: {reason}")

    async def resume_workspace(self, platform: str, workspace: str) -> None:
        self._note(f"resume {platform} {workspace}")

    async def forget(self, channel: ChannelRef) -> None:
        self._note(f"forget {channel.channel}")

    async def until(self, count: int) -> None:
        while len(self.told) < count:
            self.changed.clear()
            await self.changed.wait()

    def _note(self, what: str) -> None:
        self.told.append(what)
        self.changed.set()


@asynccontextmanager
async def listening(platform: DiscordPlatform, core: Core) -> AsyncIterator[asyncio.Task[None]]:
    """The platform at the gateway, ended as SIGTERM would end it."""
    running = asyncio.create_task(platform.run(core))
    try:
        yield running
    finally:
        running.cancel()
        await asyncio.wait({running})


async def test_it_identifies_once_with_the_one_intent_and_ends_cleanly(
    platform: DiscordPlatform, double: DiscordDouble
) -> None:
    async with listening(platform, Told()):
        await double.gateway.until(lambda: double.gateway.shards == {0})
    await double.gateway.until(lambda: double.gateway.clean_closes == 1)
    assert [shard for shard, _ in double.gateway.identifies] == [0]
    assert double.gateway.intents == {GUILDS}


async def test_commands_are_synced_only_where_they_changed(
    platform: DiscordPlatform, double: DiscordDouble, redis: Redis
) -> None:
    for _ in range(2):
        async with listening(platform, Told()):
            await double.gateway.until(lambda: double.gateway.shards == {0})
        await double.gateway.until(lambda: not double.gateway.shards)
        await redis.delete(TURNS)
    assert double.syncs == 1
    (paper,) = double.commands
    assert (paper["name"], paper["integration_types"], paper["contexts"]) == ("paper", [0, 1], [0, 1, 2])
    told = {option["name"]: option for option in paper["options"]}
    assert told["unsubscribe"]["description"] == "Stop a subscription"
    assert told["unsubscribe"]["description_localizations"] == {"de": "Ein Abonnement beenden"}


@pytest.mark.parametrize("how", ["asked", "dropped"])
async def test_a_broken_connection_is_resumed(
    platform: DiscordPlatform, double: DiscordDouble, how: str
) -> None:
    double.gateway.guilds = {0: [guild_payload()]}
    core = Told()
    async with listening(platform, core):
        await double.gateway.until(lambda: double.gateway.shards == {0})
        if how == "asked":
            await double.gateway.ask_to_reconnect()
        else:
            await double.gateway.drop()
        await double.gateway.dispatch("GUILD_DELETE", {"id": str(GUILD)})  # is told when it is back
        await core.until(1)
    assert core.told == [f"pause discord {GUILD}: Paperboy was removed from the server"]
    assert double.gateway.resumes == [0]
    assert len(double.gateway.identifies) == 1


async def test_back_in_a_server_while_nobody_listened(
    platform: DiscordPlatform, double: DiscordDouble, redis: Redis
) -> None:
    double.gateway.guilds = {0: [guild_payload()]}
    core = Told()
    async with listening(platform, core):
        await double.gateway.until(lambda: double.gateway.shards == {0})
        await double.gateway.dispatch("GUILD_DELETE", {"id": str(GUILD)})
        await core.until(1)
    await redis.delete(TURNS)
    async with listening(platform, core):
        await core.until(2)
    assert core.told[1:] == [f"resume discord {GUILD}"]


async def test_an_outage_is_no_removal(platform: DiscordPlatform, double: DiscordDouble) -> None:
    double.gateway.guilds = {0: [guild_payload()]}
    core = Told()
    async with listening(platform, core):
        await double.gateway.until(lambda: double.gateway.shards == {0})
        await double.gateway.dispatch("GUILD_DELETE", {"id": str(GUILD), "unavailable": True})
        await double.gateway.dispatch("GUILD_CREATE", {**guild_payload(), "unavailable": False})
        await double.gateway.dispatch("GUILD_DELETE", {"id": str(GUILD)})
        await core.until(1)
    assert core.told == [f"pause discord {GUILD}: Paperboy was removed from the server"]


async def test_a_deleted_channel_is_forgotten(platform: DiscordPlatform, double: DiscordDouble) -> None:
    channel = {"id": "2000", "type": 0, "guild_id": str(GUILD), "name": "papers", "position": 0}
    thread = {"id": "2001", "parent_id": "2000", "guild_id": str(GUILD), "type": 11}
    double.gateway.guilds = {0: [guild_payload() | {"channels": [channel]}]}
    core = Told()
    async with listening(platform, core):
        await double.gateway.until(lambda: double.gateway.shards == {0})
        await double.gateway.dispatch("THREAD_DELETE", thread)
        await core.until(1)
        await double.gateway.dispatch("CHANNEL_DELETE", channel)
        await core.until(2)
    assert core.told == ["forget 2001", "forget 2000"]


async def test_a_refused_token_ends_the_role(double: DiscordDouble, redis: Redis) -> None:
    platform = DiscordPlatform("wrong", redis)
    with pytest.raises(ConfigurationError, match="DISCORD_TOKEN"):
        await platform.run(Told())
    double.gateway.refuses = 4004
    platform = DiscordPlatform(double.token, redis)
    with pytest.raises(ConfigurationError, match="DISCORD_TOKEN"):
        await platform.run(Told())
    await platform.close()
    assert len(double.gateway.identifies) == 1


async def test_a_command_is_answered_over_the_wire(platform: DiscordPlatform, double: DiscordDouble) -> None:
    double.gateway.guilds = {0: [guild_payload()]}
    async with listening(platform, Told()):
        await double.gateway.until(lambda: double.gateway.shards == {0})
        await double.gateway.dispatch("INTERACTION_CREATE", interaction("77", "help"))
        identity, body, _ = await double.callbacks.get()
    assert identity == "77"
    assert body["type"] == 4
    assert body["data"]["flags"] == 1 << 15 | 1 << 6
    assert "help by joe" in str(body["data"]["components"])


@pytest.mark.parametrize("private", [True, False])
async def test_what_is_slow_is_announced_first(
    platform: DiscordPlatform, double: DiscordDouble, *, private: bool
) -> None:
    double.gateway.guilds = {0: [guild_payload()]}
    core = Told(private=private)
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
async def test_an_interaction_that_is_over_is_one_debug_line_and_others_go_on(
    platform: DiscordPlatform,
    double: DiscordDouble,
    caplog: pytest.LogCaptureFixture,
    event: dict[str, Any],
) -> None:
    double.gateway.guilds = {0: [guild_payload()]}
    double.interactions_over = True
    with capture_logs() as logs:
        async with listening(platform, Told()):
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


async def test_every_request_says_who_we_are(platform: DiscordPlatform, double: DiscordDouble) -> None:
    double.gateway.guilds = {0: [guild_payload()]}
    core = Told(private=False)
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


@dataclass
class Listeners:
    """What listens on which shards."""

    on: set[int] = field(default_factory=set)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    fails: list[Exception] = field(default_factory=list)

    async def run(self, shards: Sequence[int], _count: int) -> None:
        assert not self.on & set(shards)
        self.on |= set(shards)
        self.changed.set()
        try:
            if self.fails:
                raise self.fails.pop()
            await asyncio.Event().wait()
        finally:
            self.on -= set(shards)
            self.changed.set()

    async def until(self, shards: set[int]) -> None:
        while self.on != shards:
            self.changed.clear()
            await self.changed.wait()


async def three() -> int:
    return 3


async def test_every_shard_is_held_by_one_process_and_taken_over(redis: Redis) -> None:
    first, second = Listeners(), Listeners()
    holding = asyncio.create_task(Shards(redis, every=0.05, at_most=2).listen(three, first.run))
    await first.until({0, 1})
    waiting = asyncio.create_task(Shards(redis, every=0.05).listen(three, second.run))
    await second.until({2})
    holding.cancel()
    await second.until({0, 1, 2})
    assert not first.on
    waiting.cancel()
    await asyncio.wait({holding, waiting})


async def test_shards_whose_leases_were_lost_are_left_at_once(redis: Redis) -> None:
    ours = Listeners()
    holding = asyncio.create_task(Shards(redis, every=0.05).listen(three, ours.run))
    await ours.until({0, 1, 2})
    await redis.set("pb:{discord}:shard:3:1", "somebody else", ex=60)
    await ours.until(set())
    await ours.until({0, 2})
    holding.cancel()
    await asyncio.wait({holding})


async def test_shards_that_fail_are_begun_anew(redis: Redis) -> None:
    ours = Listeners(fails=[RuntimeError("an event that can't be read")])
    holding = asyncio.create_task(Shards(redis, every=0.05).listen(three, ours.run))
    await ours.until({0, 1, 2})
    holding.cancel()
    await asyncio.wait({holding})
    assert await redis.keys("pb:{discord}:shard:*") == []


async def test_a_wrong_number_of_shards_is_asked_for_anew(redis: Redis) -> None:
    await redis.set("pb:{discord}:shards", 1)
    ours = Listeners(fails=[closed(4011)])
    holding = asyncio.create_task(Shards(redis, every=0.05).listen(three, ours.run))
    await ours.until({0, 1, 2})
    holding.cancel()
    await asyncio.wait({holding})


async def test_what_can_never_work_ends_the_role(redis: Redis) -> None:
    with pytest.raises(discord.ConnectionClosed):
        await Shards(redis, every=0.05).listen(three, Listeners(fails=[closed(4014)]).run)


def closed(code: int) -> discord.ConnectionClosed:
    return discord.ConnectionClosed(cast("Any", None), shard_id=0, code=code)


async def test_a_shard_does_not_identify_itself_again_and_again(redis: Redis) -> None:
    identifies = Identifies(redis)
    for _ in range(5):
        await identifies.turn(0, 100)
    sixth, other = (asyncio.create_task(identifies.turn(shard, 100)) for shard in (0, 1))
    await other
    assert not sixth.done()
    sixth.cancel()


async def test_identifies_of_the_day_are_not_used_up() -> None:
    await Gateway(shards=1, at_once=1, remaining=1000, reset_after=3600).allows(16)
    waiting = asyncio.create_task(Gateway(shards=1, at_once=1, remaining=55, reset_after=3600).allows(16))
    await asyncio.sleep(0)
    assert not waiting.done()
    waiting.cancel()
