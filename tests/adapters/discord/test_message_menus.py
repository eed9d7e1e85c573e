"""The menu of a message shows, saves and compares its papers, in servers and for user installs."""

from collections.abc import Sequence
from typing import Any

import pytest
from redis.asyncio import Redis

from adapters.discord.platform import DiscordPlatform
from bot.commands.table import message_commands
from bot.domain.models import User
from bot.ports import Batch
from bot.text.mentions import papers_in
from tests.adapters.discord.double.interactions import JOE, interaction, menu
from tests.adapters.discord.double.service import DiscordDouble
from tests.adapters.discord.harness import DiscordHarness, discord_harness, shown
from tests.adapters.discord.recording import RecordingCore, listening
from tests.papers import a_paper
from tests.platform_harness import Seen, arrive
from tests.text.paper_addresses import NONE, SAME

GUILDS = 1 << 0
SHOW, SAVE, SIMILAR = (spec.on_message for spec in message_commands())


async def store_papers(harness: DiscordHarness, *ids: str, titles: Sequence[str] = ()) -> None:
    """Store papers without posting anything."""
    named = titles or [f"On paper {one}" for one in ids]
    papers = tuple(a_paper(one, title=title) for one, title in zip(ids, named, strict=True))
    await harness.bot.papers.ingest("test", Batch((), "c", history=papers), 0)


async def use_menu(harness: DiscordHarness, content: str, entry: str) -> Seen:
    """Post a message as Kim, and choose an entry of its menu as Joe. Return the answer."""
    kim = harness.server.add_member(harness.env.create_user("kim"))
    message = await kim.send(harness.papers, content)
    return shown(await harness.joe.context_menu(harness.papers, entry, message))


@pytest.mark.timeout(240)
async def test_every_form_of_link_in_a_message_leads_to_its_paper(redis: Redis) -> None:
    async with discord_harness(redis) as harness:
        titles = [f"The paper with number {number}." for number in range(len(SAME))]
        await store_papers(harness, *SAME, titles=titles)
        count = 0
        for title, shapes in zip(titles, SAME.values(), strict=True):
            for shape in shapes:
                message = await harness.joe.send(harness.papers, f"Look: {shape}")
                seen = shown(await harness.joe.context_menu(harness.papers, SHOW, message))
                assert title in seen.text, shape
                count += 1
        assert count >= 200


async def test_a_message_without_papers_gets_a_friendly_answer(redis: Redis) -> None:
    async with discord_harness(redis) as harness:
        pages = [page for page in NONE if page.startswith("http") and not papers_in(page)]
        for content in ("lunch at 12.30?", *pages):
            for entry in (SHOW, SAVE, SIMILAR):
                seen = await use_menu(harness, content, entry)
                assert "I found no paper in this message." in seen.text
                assert seen.private


async def test_papers_of_a_message_are_saved_together_and_can_be_removed_again(redis: Redis) -> None:
    async with discord_harness(redis) as harness:
        await store_papers(harness, "2603.00001", "2603.00002")
        content = "**[One](<https://arxiv.org/abs/2603.00001>)** ||https://arxiv.org/pdf/2603.00002|| and 2603.00001"
        seen = await use_menu(harness, content, SAVE)
        assert "Saved to your list: 2 papers" in seen.text
        assert seen.private
        joe = User(str(harness.joe.id), "joe")
        assert len(await harness.bot.core.saved(joe, harness.channel)) == 2
        assert "Already on your list" in (await use_menu(harness, content, SAVE)).text
        await harness.press(seen, "Undo")
        assert await harness.bot.core.saved(joe, harness.channel) == []


async def test_similar_papers_asks_which_paper_if_there_are_several(redis: Redis) -> None:
    async with discord_harness(redis) as harness:
        await store_papers(harness, "2603.00001", "2603.00002")
        assert "Like “On paper 2603.00001”" in (await use_menu(harness, "see 2603.00001", SIMILAR)).text
        several = await use_menu(harness, "2603.00001 or 2603.00002", SIMILAR)
        assert "Similar to which paper?" in several.text
        assert "Similar" in several.buttons


async def test_the_menu_works_on_our_own_posts(redis: Redis) -> None:
    async with discord_harness(redis) as harness:
        await harness.say("/paper subscribe paper")
        await arrive(harness.bot, *(a_paper(f"2603.0001{number}") for number in range(8)))
        [post] = await harness.posted()
        seen = shown(await harness.joe.context_menu(harness.papers, SHOW, post.raw))
        assert "On paper 2603.0001" in seen.text
        assert "papers in this message" in seen.text


PERSON = {"id": str(JOE), "username": "joe", "discriminator": "0", "avatar": None}
INSTALLED = {"authorizing_integration_owners": {"1": str(JOE)}}
SERVER: dict[str, Any] = INSTALLED | {
    "guild_id": "5555",
    "channel_id": "6000",
    "channel": {"id": "6000", "type": 0, "guild_id": "5555", "name": "x", "position": 0},
}
"""A server without Paperboy."""
GROUP: dict[str, Any] = INSTALLED | {
    "guild_id": None,
    "context": 2,
    "member": None,
    "user": PERSON,
    "channel_id": "7000",
    "channel": {"id": "7000", "type": 3, "recipients": [], "name": None, "owner_id": "1", "icon": None},
}
DIRECT: dict[str, Any] = INSTALLED | {
    "guild_id": None,
    "context": 1,
    "member": None,
    "user": PERSON,
    "channel_id": "8000",
    "channel": {"id": "8000", "type": 1, "recipients": []},
}


def sent_from(event: dict[str, Any], place: dict[str, Any]) -> dict[str, Any]:
    """Return an event as Discord sends it from another place, without fields that are None."""
    return {name: value for name, value in (event | place).items() if value is not None}


async def test_the_menu_works_for_user_installs_and_needs_no_intent(
    platform: DiscordPlatform, double: DiscordDouble
) -> None:
    """It works in a server without Paperboy, in a group, and in direct messages."""
    async with listening(platform, RecordingCore()):
        await double.gateway.until(lambda: double.gateway.shards == {0})
        for number, place in enumerate((SERVER, GROUP, DIRECT)):
            event = sent_from(menu(str(number), SHOW, "2603.00001"), place)
            await double.gateway.dispatch("INTERACTION_CREATE", event)
            _, body, _ = await double.callbacks.get()
            assert "papers by joe" in str(body["data"]["components"])
    assert double.gateway.intents == {GUILDS}


async def test_for_user_installs_channel_commands_work_only_in_direct_messages(
    platform: DiscordPlatform, double: DiscordDouble
) -> None:
    async with listening(platform, RecordingCore()):
        await double.gateway.until(lambda: double.gateway.shards == {0})
        for number, place in enumerate((SERVER, GROUP, DIRECT)):
            event = sent_from(interaction(str(number), "list"), place)
            await double.gateway.dispatch("INTERACTION_CREATE", event)
            _, body, _ = await double.callbacks.get()
            answer = str(body["data"]["components"])
            if place is DIRECT:
                assert "list by joe" in answer
            else:
                assert "server that Paperboy was added to" in answer
                assert "scope=bot+applications.commands" in answer


async def test_an_interaction_that_arrives_three_times_is_answered_once(
    platform: DiscordPlatform, double: DiscordDouble
) -> None:
    async with listening(platform, RecordingCore()):
        await double.gateway.until(lambda: double.gateway.shards == {0})
        for identity in ("77", "77", "77", "78"):
            await double.gateway.dispatch("INTERACTION_CREATE", menu(identity, SAVE, "2603.00001"))
        answered = [(await double.callbacks.get())[0] for _ in range(2)]
    assert answered == ["77", "78"]
    assert double.follows.empty()
