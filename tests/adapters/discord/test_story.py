"""A reading group's first week with Paperboy, from the invitation to its return after a removal."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import discord
import pytest
import simcord
from redis.asyncio import Redis
from simcord.backend import serializers
from simcord.backend.models import Overwrite
from simcord.enums import OverwriteType

from bot.domain.models import Paper
from bot.sources.huggingface_papers import parse_list
from bot.store.outbox.outbox import Outbox
from tests.adapters.discord.harness import DiscordHarness, discord_harness, ref, seen_of
from tests.clock import advance
from tests.papers import a_paper
from tests.platform_harness import Seen, arrive, deliver

DAYS = [date(2026, 3, 16) + timedelta(days=n) for n in range(5)]
NOW = datetime(2026, 3, 21, tzinfo=UTC)
DAY = 86_400.0
PHRASE = re.compile(r"\blanguage[ -]models?\b")


def matches(paper: Paper, pattern: str) -> bool:
    """Whether a paper contains a pattern, without the program's own matching."""
    return any(re.search(pattern, text.lower()) for text in (paper.title, paper.abstract))


def shown_in(posts: Iterable[Seen], papers: Iterable[Paper]) -> list[str]:
    """Return the papers whose titles are in the posts, each as often as it occurs."""
    texts = [post.text for post in posts]
    return [paper.id for paper in papers for text in texts if paper.title[:60] in text]


def create_forum(harness: DiscordHarness) -> tuple[simcord.ChannelHandle, simcord.ChannelHandle]:
    """Create a forum with two tags, and a post in it that people can write in."""
    backend = harness.env.backend
    forum = harness.server.create_forum_channel("reading-list")
    tags = [
        {"name": name, "moderated": False, "emoji_id": None, "emoji_name": None} for name in ("cs.CL", "talk")
    ]
    backend.edit_channel(
        forum.id, {"available_tags": [{**tag, "id": str(backend.snowflake())} for tag in tags]}
    )
    thread = backend.create_thread(forum.id, "Welcome", harness.joe.id)
    return forum, simcord.ChannelHandle(harness.env, harness.server, thread)


def forbid(harness: DiscordHarness, channel: simcord.ChannelHandle, permission: str | None) -> None:
    """Deny Paperboy a permission in a channel; with None, restore all."""
    deny = discord.Permissions(**{permission: True}).value if permission else 0
    me = harness.env.backend.bot_user.id
    harness.env.backend.set_overwrite(channel.id, Overwrite(me, OverwriteType.MEMBER, 0, deny))


@pytest.mark.timeout(120)
async def test_a_reading_group_uses_paperboy_for_a_week(redis: Redis, shared_data: Path) -> None:
    papers: list[Paper] = []
    async with discord_harness(redis, lambda: NOW) as harness:
        robots = harness.server.create_text_channel("robots")
        forum, welcome = create_forum(harness)
        for channel, query in (
            (harness.papers, "diffusion"),
            (robots, "robot*"),
            (welcome, '"language model" -survey'),
        ):
            seen = await harness.say_in(channel, f"/paper subscribe {query} sure:yes")
            assert "Subscribed as #1" in seen.text

        for day in DAYS:
            news = parse_list((shared_data / "hf_daily" / f"{day}.json").read_bytes())
            papers += [paper for paper in news if paper.id not in {known.id for known in papers}]
            await arrive(harness.bot, *news)
            await advance(redis, DAY)
            await deliver(harness.bot)
        await _check_each_paper_was_posted_once(harness, papers, robots, forum)
        _check_forum_posts(harness, forum)

        card = next(post for post in await harness.posted() if "Full abstract" in post.buttons)
        assert "Saved to your list" in (await harness.press(card, "Save")).text
        assert "thread" in (await harness.press(card, "Full abstract")).text
        thread = harness.papers.threads[0]
        abstract = seen_of(thread.history()[-1])
        await harness.restart()
        assert "Saved to your list" in (await harness.press(card, "Save")).text
        await harness.press(card, "Full abstract")
        assert abstract.text in "".join(seen_of(message).text for message in thread.history())
        assert len(thread.history()) == 1, "the abstract is posted once"

        assert await harness.joe.autocomplete(
            harness.papers, "paper unsubscribe", "subscription", "diff"
        ) == [{"name": "#1 diffusion", "value": "#1"}]
        await harness.say("/paper settings detail:full")
        await arrive(harness.bot, a_paper(title="A diffusion of robots", abstract="All of it. Even this."))
        assert "Even this." in (await harness.posted())[-1].text

        await _permission_lost_and_regained(harness, robots)
        await _removed_and_back(harness)


async def _check_each_paper_was_posted_once(
    harness: DiscordHarness, papers: list[Paper], robots: simcord.ChannelHandle, forum: simcord.ChannelHandle
) -> None:
    for channel, expected in (
        (harness.papers, [p for p in papers if matches(p, r"\bdiffusions?\b")]),
        (robots, [p for p in papers if matches(p, r"\brobot")]),
        (forum, [p for p in papers if matches(p, PHRASE.pattern) and not matches(p, r"\bsurveys?\b")]),
    ):
        assert len(expected) > 5
        for paper in expected:
            assert await Outbox(harness.bot.redis).sent(ref(channel), paper.id), paper.title
        shown = shown_in(harness.posted_in(channel), papers)
        assert len(shown) == len(set(shown)), "a paper was posted twice"
        assert set(shown) <= {paper.id for paper in expected}


def _check_forum_posts(harness: DiscordHarness, forum: simcord.ChannelHandle) -> None:
    posts = [thread for thread in forum.threads if thread.name != "Welcome"]
    assert posts
    assert all(thread.name and len(thread.name) <= 100 for thread in posts)
    assert harness.client.user is not None
    assert {thread._channel.owner_id for thread in posts} == {harness.client.user.id}


async def _permission_lost_and_regained(harness: DiscordHarness, robots: simcord.ChannelHandle) -> None:
    before = len(harness.posted_in(robots))
    forbid(harness, robots, "send_messages")
    await harness.env.settle()
    await arrive(harness.bot, a_paper("2603.90001", title="A robot that waits"))
    assert len(harness.posted_in(robots)) == before
    notice = harness.joe.user.dm_channel.last_message
    assert notice is not None
    assert "Send Messages" in notice.content
    forbid(harness, robots, None)
    await harness.env.settle()
    await deliver(harness.bot)
    assert "A robot that waits" in harness.posted_in(robots)[-1].text
    assert len(harness.joe.user.dm_channel.history()) == 1, "one notice per problem"


async def _removed_and_back(harness: DiscordHarness) -> None:
    backend, guild = harness.env.backend, str(harness.server.id)
    before = len(await harness.posted())
    backend.emit("GUILD_DELETE", {"id": guild})
    await harness.env.settle()
    await arrive(harness.bot, a_paper("2603.90002", title="A diffusion that waits"))
    assert len(await harness.posted()) == before
    backend.emit(
        "GUILD_CREATE", serializers.guild_create_payload(backend, backend.get_guild(harness.server.id))
    )
    await harness.env.settle()
    await deliver(harness.bot)
    assert "A diffusion that waits" in (await harness.posted())[-1].text
    assert "1 subscription" in (await harness.say("/paper list")).text


async def test_posts_in_a_forum_are_tagged_by_category(redis: Redis) -> None:
    async with discord_harness(redis) as harness:
        forum, welcome = create_forum(harness)
        await harness.say_in(welcome, "/paper subscribe paper")
        await arrive(harness.bot, a_paper(categories=("cs.CL", "cs.LG")))
        post = next(thread for thread in forum.threads if thread.name != "Welcome")
        assert post.name == "On paper 2603.00001"
        tags = {int(str(tag["id"])): tag["name"] for tag in forum._channel.available_tags}
        assert [tags[tag] for tag in post._channel.applied_tags] == ["cs.CL"]
