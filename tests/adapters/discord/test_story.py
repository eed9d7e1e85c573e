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
from tests.adapters.discord.stage import DiscordStage, discord_stage, ref, seen_of
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
    """The papers whose titles are in the posts, each as often as it occurs."""
    texts = [post.text for post in posts]
    return [paper.id for paper in papers for text in texts if paper.title[:60] in text]


def forum_of(stage: DiscordStage) -> tuple[simcord.ChannelHandle, simcord.ChannelHandle]:
    """A forum with two tags, and a post in it that people can write in."""
    backend = stage.env.backend
    forum = stage.server.create_forum_channel("reading-list")
    tags = [
        {"name": name, "moderated": False, "emoji_id": None, "emoji_name": None} for name in ("cs.CL", "talk")
    ]
    backend.edit_channel(
        forum.id, {"available_tags": [{**tag, "id": str(backend.snowflake())} for tag in tags]}
    )
    thread = backend.create_thread(forum.id, "Welcome", stage.joe.id)
    return forum, simcord.ChannelHandle(stage.env, stage.server, thread)


def forbid(stage: DiscordStage, channel: simcord.ChannelHandle, permission: str | None) -> None:
    """Take a permission in a channel from Paperboy; with None, give all back."""
    deny = discord.Permissions(**{permission: True}).value if permission else 0
    me = stage.env.backend.bot_user.id
    stage.env.backend.set_overwrite(channel.id, Overwrite(me, OverwriteType.MEMBER, 0, deny))


@pytest.mark.timeout(120)
async def test_a_reading_groups_week(redis: Redis, shared_data: Path) -> None:
    papers: list[Paper] = []
    async with discord_stage(redis, lambda: NOW) as stage:
        robots = stage.server.create_text_channel("robots")
        forum, welcome = forum_of(stage)
        for channel, query in (
            (stage.papers, "diffusion"),
            (robots, "robot*"),
            (welcome, '"language model" -survey'),
        ):
            seen = await stage.say_in(channel, f"/paper subscribe {query} sure:yes")
            assert "Subscribed as #1" in seen.text

        for day in DAYS:
            news = parse_list((shared_data / "hf_daily" / f"{day}.json").read_bytes())
            papers += [paper for paper in news if paper.id not in {known.id for known in papers}]
            await arrive(stage.bot, *news)
            await advance(redis, DAY)
            await deliver(stage.bot)
        await _each_paper_was_posted_once(stage, papers, robots, forum)
        _forum_has_tags(stage, forum)

        card = next(post for post in await stage.posted() if "Full abstract" in post.buttons)
        assert "Saved to your list" in (await stage.press(card, "Save")).text
        assert "thread" in (await stage.press(card, "Full abstract")).text
        thread = stage.papers.threads[0]
        abstract = seen_of(thread.history()[-1])
        await stage.restart()
        assert "Saved to your list" in (await stage.press(card, "Save")).text
        await stage.press(card, "Full abstract")
        assert abstract.text in "".join(seen_of(message).text for message in thread.history())
        assert len(thread.history()) == 1, "the same abstract stands there once"

        assert await stage.joe.autocomplete(stage.papers, "paper unsubscribe", "subscription", "diff") == [
            {"name": "#1 diffusion", "value": "#1"}
        ]
        await stage.say("/paper settings detail:full")
        await arrive(stage.bot, a_paper(title="A diffusion of robots", abstract="All of it. Even this."))
        assert "Even this." in (await stage.posted())[-1].text

        await _permission_lost_and_regained(stage, robots)
        await _removed_and_back(stage)


async def _each_paper_was_posted_once(
    stage: DiscordStage, papers: list[Paper], robots: simcord.ChannelHandle, forum: simcord.ChannelHandle
) -> None:
    for channel, wanted in (
        (stage.papers, [p for p in papers if matches(p, r"\bdiffusions?\b")]),
        (robots, [p for p in papers if matches(p, r"\brobot")]),
        (forum, [p for p in papers if matches(p, PHRASE.pattern) and not matches(p, r"\bsurveys?\b")]),
    ):
        assert len(wanted) > 5
        for paper in wanted:
            assert await Outbox(stage.bot.redis).sent(ref(channel), paper.id), paper.title
        shown = shown_in(stage.posted_in(channel), papers)
        assert len(shown) == len(set(shown)), "a paper was posted twice"
        assert set(shown) <= {paper.id for paper in wanted}


def _forum_has_tags(stage: DiscordStage, forum: simcord.ChannelHandle) -> None:
    posts = [thread for thread in forum.threads if thread.name != "Welcome"]
    assert posts
    assert all(thread.name and len(thread.name) <= 100 for thread in posts)
    assert stage.client.user is not None
    assert {thread._channel.owner_id for thread in posts} == {stage.client.user.id}


async def _permission_lost_and_regained(stage: DiscordStage, robots: simcord.ChannelHandle) -> None:
    before = len(stage.posted_in(robots))
    forbid(stage, robots, "send_messages")
    await stage.env.settle()
    await arrive(stage.bot, a_paper("2603.90001", title="A robot that waits"))
    assert len(stage.posted_in(robots)) == before
    notice = stage.joe.user.dm_channel.last_message
    assert notice is not None
    assert "Send Messages" in notice.content
    forbid(stage, robots, None)
    await stage.env.settle()
    await deliver(stage.bot)
    assert "A robot that waits" in stage.posted_in(robots)[-1].text
    assert len(stage.joe.user.dm_channel.history()) == 1, "one notice per problem"


async def _removed_and_back(stage: DiscordStage) -> None:
    backend, guild = stage.env.backend, str(stage.server.id)
    before = len(await stage.posted())
    backend.emit("GUILD_DELETE", {"id": guild})
    await stage.env.settle()
    await arrive(stage.bot, a_paper("2603.90002", title="A diffusion that waits"))
    assert len(await stage.posted()) == before
    backend.emit(
        "GUILD_CREATE", serializers.guild_create_payload(backend, backend.get_guild(stage.server.id))
    )
    await stage.env.settle()
    await deliver(stage.bot)
    assert "A diffusion that waits" in (await stage.posted())[-1].text
    assert "1 subscription" in (await stage.say("/paper list")).text


async def test_a_forums_posts_are_tagged_by_category(redis: Redis) -> None:
    async with discord_stage(redis) as stage:
        forum, welcome = forum_of(stage)
        await stage.say_in(welcome, "/paper subscribe paper")
        await arrive(stage.bot, a_paper(categories=("cs.CL", "cs.LG")))
        post = next(thread for thread in forum.threads if thread.name != "Welcome")
        assert post.name == "On paper 2603.00001"
        tags = {int(str(tag["id"])): tag["name"] for tag in forum._channel.available_tags}
        assert [tags[tag] for tag in post._channel.applied_tags] == ["cs.CL"]
