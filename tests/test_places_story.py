"""“Already here” links, on the platforms that report who can read a channel."""

from collections.abc import Awaitable, Callable
from typing import Any

import discord
from redis.asyncio import Redis

from bot.domain.models import ChannelRef
from tests.adapters.discord.harness import discord_harness, ref
from tests.adapters.slack.harness import slack_harness
from tests.papers import a_paper
from tests.platform_harness import PlatformHarness, arrive
from tests.scenario import Clock

WHALES, ROBOTS, BEES = (
    a_paper(f"2611.0000{n}", title=title)
    for n, title in enumerate(("Whales sing", "Robots walk", "Bees dance"))
)


async def _follow(harness: PlatformHarness, channel: ChannelRef, query: str) -> None:
    await harness.bot.subscriptions.add(channel, query, "now", "U1 ben")


async def _the_story(harness: PlatformHarness, seen: Callable[[str], Awaitable[str]]) -> None:
    await harness.say("/paper subscribe whales")
    await arrive(harness.bot, WHALES, ROBOTS, BEES)
    assert "Posted here on" in await seen(WHALES.id)
    assert "in #nlp on 23 Nov" in await seen(ROBOTS.id)
    assert "secret" not in await seen(BEES.id)
    assert "Posted in" not in await seen(BEES.id)


async def test_slack_links_only_to_channels_that_the_person_can_read(redis: Redis, clock: Clock) -> None:
    async with slack_harness(redis, lambda: clock.now) as harness:
        ben = harness.slack.person(harness.workspace, "ben")
        for name, query, private in (("nlp", "robots", False), ("secret", "bees", True)):
            room = harness.slack.channel(harness.workspace, name, ben, private=private)
            room.members.add(harness.workspace.bot_user)
            await _follow(harness, ChannelRef("slack", harness.workspace.id, room.id), query)

        async def seen(paper: str) -> str:
            explained = await harness.say(f"/paper explain {paper}")
            shown = await harness.say(f"/paper show {paper}")
            assert ("Posted in #nlp" in explained.text) == ("Posted in #nlp" in shown.text)
            return shown.text

        await _the_story(harness, seen)
        assert room.messages


async def test_discord_links_only_to_channels_that_the_person_can_read(redis: Redis, clock: Clock) -> None:
    async with discord_harness(redis, lambda: clock.now) as harness:
        assert harness.client.user is not None
        hidden: Any = {
            harness.server.default_role: discord.PermissionOverwrite(view_channel=False),
            harness.client.user: discord.PermissionOverwrite(view_channel=True),
        }
        nlp = harness.server.create_text_channel("nlp")
        secret = harness.server.create_text_channel("secret", overwrites=hidden)
        await harness.env.settle()
        await _follow(harness, ref(nlp), "robots")
        await _follow(harness, ref(secret), "bees")

        async def seen(paper: str) -> str:
            return (await harness.say(f"/paper explain {paper}")).text

        await _the_story(harness, seen)
        assert harness.posted_in(secret)
