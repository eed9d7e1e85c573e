"""A picture that Slack can't load never prevents a card from being shown."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from adapters.slack.replies import Interaction, Replies
from bot.cards.paper import paper_card
from bot.domain.models import ChannelSettings, Paper, User
from bot.ports import Reply
from bot.store.channel_rules import ChannelSettingsStore
from tests.adapters.slack.double import Message
from tests.adapters.slack.double.people import words
from tests.adapters.slack.harness import SlackHarness, slack_harness
from tests.papers import SPRING, a_paper
from tests.platform_harness import arrive

PICTURE = "https://cdn.example/gone.png"


@pytest.fixture
async def harness(redis: Redis) -> AsyncIterator[SlackHarness]:
    async with slack_harness(redis) as made:
        made.slack.methods.broken_pictures.add(PICTURE)
        await made.say("subscribe diffusion")
        yield made


def pictured(title: str = "A diffusion model") -> Paper:
    return a_paper(title=title, thumbnail_url=PICTURE)


async def post_card(harness: SlackHarness) -> Message:
    """Post a paper with a picture. Return its card."""
    await arrive(harness.bot, pictured())
    (posted,) = [m for m in harness.room.messages if m.metadata]
    return posted


async def test_a_posted_card_is_shown_without_its_picture(harness: SlackHarness, redis: Redis) -> None:
    await ChannelSettingsStore(redis).put(harness.channel, ChannelSettings(detail="full"))
    posted = await post_card(harness)
    assert "We look at it closely." in words(posted.blocks)
    assert PICTURE not in str(posted.blocks)


async def test_a_thread_reply_is_shown_without_its_picture(harness: SlackHarness) -> None:
    await post_card(harness)
    (seen,) = await harness.posted()
    full = await harness.press(seen, "Full abstract")
    assert "We look at it closely." in full.text
    assert full.raw.thread_ts
    assert PICTURE not in str(full.raw.blocks)


async def test_a_private_answer_is_shown_without_its_picture(harness: SlackHarness) -> None:
    await post_card(harness)
    (seen,) = await harness.posted()
    harness.slack.faults.next("chat.postMessage", "cannot_reply_to_message")
    full = await harness.press(seen, "Full abstract")
    assert "We look at it closely." in full.text
    assert full.private
    assert PICTURE not in str(full.raw.blocks)


async def test_an_edited_card_is_shown_without_its_picture(harness: SlackHarness) -> None:
    posted = await post_card(harness)
    message = await harness.platform.find(harness.channel, str(_key(posted)), SPRING)
    assert message is not None
    await harness.platform.edit(
        harness.channel, message, paper_card(pictured("A better title"), (), SPRING, "full")
    )
    assert "A better title" in words(posted.blocks)
    assert PICTURE not in str(posted.blocks)


async def test_a_modal_opens_without_its_picture(harness: SlackHarness) -> None:
    platform = harness.platform
    replies = Replies(platform._api, platform._calls, platform._posting)
    request = Interaction(
        User(harness.person.user, "ada"), harness.channel, harness.slack.trigger(harness.person.user)
    )
    await replies.deliver(request, Reply(paper_card(pictured(), (), SPRING, "full")))
    (modal,) = harness.person.modals()
    assert "We look at it closely." in modal.text
    assert PICTURE not in str(modal.view["blocks"])


async def test_a_layout_that_slack_refuses_falls_back_to_text(harness: SlackHarness) -> None:
    posted = await post_card(harness)
    message = await harness.platform.find(harness.channel, str(_key(posted)), SPRING)
    assert message is not None
    harness.slack.faults.next("chat.update", "invalid_blocks_format", "invalid_arguments")
    await harness.platform.edit(
        harness.channel, message, paper_card(pictured("A better title"), (), SPRING, "full")
    )
    assert posted.blocks == []
    assert posted.text.startswith("A better title")


def _key(message: Message) -> object:
    assert message.metadata is not None
    return message.metadata["event_payload"]["key"]
