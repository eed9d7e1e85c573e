"""A picture that Slack can't load never hides a card, wherever the card is shown."""

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
from tests.adapters.slack.stage import SlackStage, slack_stage
from tests.papers import SPRING, a_paper
from tests.platform_harness import arrive

PICTURE = "https://cdn.example/gone.png"


@pytest.fixture
async def stage(redis: Redis) -> AsyncIterator[SlackStage]:
    async with slack_stage(redis) as made:
        made.slack.methods.broken_pictures.add(PICTURE)
        await made.say("subscribe diffusion")
        yield made


def pictured(title: str = "A diffusion model") -> Paper:
    return a_paper(title=title, thumbnail_url=PICTURE)


async def card(stage: SlackStage) -> Message:
    """The card of the paper, as it was posted."""
    await arrive(stage.bot, pictured())
    (posted,) = [m for m in stage.room.messages if m.metadata]
    return posted


async def test_a_posted_card_is_shown_without_its_picture(stage: SlackStage, redis: Redis) -> None:
    await ChannelSettingsStore(redis).put(stage.channel, ChannelSettings(detail="full"))
    posted = await card(stage)
    assert "We look at it closely." in words(posted.blocks)
    assert PICTURE not in str(posted.blocks)


async def test_a_thread_reply_is_shown_without_its_picture(stage: SlackStage) -> None:
    await card(stage)
    (seen,) = await stage.posted()
    full = await stage.press(seen, "Full abstract")
    assert "We look at it closely." in full.text
    assert full.raw.thread_ts
    assert PICTURE not in str(full.raw.blocks)


async def test_a_private_answer_is_shown_without_its_picture(stage: SlackStage) -> None:
    await card(stage)
    (seen,) = await stage.posted()
    stage.slack.faults.next("chat.postMessage", "cannot_reply_to_message")
    full = await stage.press(seen, "Full abstract")
    assert "We look at it closely." in full.text
    assert full.private
    assert PICTURE not in str(full.raw.blocks)


async def test_an_edited_card_is_shown_without_its_picture(stage: SlackStage) -> None:
    posted = await card(stage)
    message = await stage.platform.find(stage.channel, str(_key(posted)), SPRING)
    assert message is not None
    await stage.platform.edit(
        stage.channel, message, paper_card(pictured("A better title"), (), SPRING, "full")
    )
    assert "A better title" in words(posted.blocks)
    assert PICTURE not in str(posted.blocks)


async def test_a_modal_opens_without_its_picture(stage: SlackStage) -> None:
    platform = stage.platform
    replies = Replies(platform._api, platform._calls, platform._posting)
    asked = Interaction(User(stage.person.user, "ada"), stage.channel, stage.slack.trigger(stage.person.user))
    await replies.deliver(asked, Reply(paper_card(pictured(), (), SPRING, "full")))
    (modal,) = stage.person.modals()
    assert "We look at it closely." in modal.text
    assert PICTURE not in str(modal.view["blocks"])


async def test_a_layout_that_slack_refuses_becomes_text(stage: SlackStage) -> None:
    posted = await card(stage)
    message = await stage.platform.find(stage.channel, str(_key(posted)), SPRING)
    assert message is not None
    stage.slack.faults.next("chat.update", "invalid_blocks_format", "invalid_arguments")
    await stage.platform.edit(
        stage.channel, message, paper_card(pictured("A better title"), (), SPRING, "full")
    )
    assert posted.blocks == []
    assert posted.text.startswith("A better title")


def _key(message: Message) -> object:
    assert message.metadata is not None
    return message.metadata["event_payload"]["key"]
