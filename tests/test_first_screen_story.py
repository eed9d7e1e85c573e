"""The first minute in a channel: an introduction, a paper, and three subscriptions that suit the channel."""

from datetime import timedelta

import pytest

from bot.cards import Actions, Paragraph
from bot.domain.models import ChannelRef
from tests.conftest import MORNING
from tests.papers import a_paper
from tests.platform_harness import arrive
from tests.platform_harnesses import Opened

FOLLOW = "Language models"


@pytest.mark.usefixtures("clock")
async def test_the_first_help_in_a_channel_shows_how_to_begin(opened: Opened) -> None:
    async with opened() as harness:
        listed = [
            a_paper("2611.00001", title="A study of cats", published=MORNING - timedelta(days=1)),
            a_paper(
                "2611.00002", title="Scaling a language model", abstract="On scaling.", published=MORNING
            ),
        ]
        await arrive(harness.bot, *listed, trending=("2611.00001", "2611.00002"))
        first = await harness.say("/paper help")
        assert "I post new research papers here" in first.text
        assert "Scaling a language model" in first.text, "it suits the presets; the first on the list doesn't"
        assert {FOLLOW, "Robotics", "All commands", "Trending now"} <= set(first.buttons)
        assert "/paper unsubscribe" not in first.text
        everything = await harness.press(first, "All commands")
        assert "/paper unsubscribe" in everything.text
        subscribed = await harness.press(first, FOLLOW)
        assert "Subscribed as #1" in subscribed.text
        assert "/paper unsubscribe" in (await harness.say("/paper help")).text


async def test_before_the_first_poll_the_example_is_a_sample_paper(opened: Opened) -> None:
    async with opened() as harness:
        first = await harness.say("/paper help")
        assert "I post new research papers here" in first.text
        assert "Trending today" not in first.text
        assert "For example, until today's papers are loaded" in first.text
        assert "sample" in first.text
        assert FOLLOW in first.buttons


@pytest.mark.usefixtures("clock")
async def test_without_a_list_of_trending_papers_a_new_one_is_shown(opened: Opened) -> None:
    async with opened() as harness:
        robots = a_paper("2611.00002", title="A robot that walks", published=MORNING)
        await arrive(harness.bot, a_paper("2611.00001", title="A study of cats", published=MORNING), robots)
        first = await harness.say("/paper help")
        assert "A robot that walks" in first.text
        assert "For example" not in first.text
        assert "Trending today" not in first.text


async def test_a_new_server_is_greeted_with_subscriptions_that_suit_its_name(opened: Opened) -> None:
    async with opened() as harness:
        here = ChannelRef(harness.bot.platforms[0].name, "1000", "2000")
        card = await harness.bot.core.greeting(here, everywhere="Quantum computing club")
        lines = [
            "".join(span.text for span in block.text) for block in card.blocks if isinstance(block, Paragraph)
        ]
        assert lines == [
            "I post new research papers in any channel, as soon as they match what it subscribes to.",
            (
                "Begin with one of these here, or in another channel with your own words: "
                '/paper subscribe "language model" -survey'
            ),
        ]
        rows = [
            [button.label for button in block.buttons] for block in card.blocks if isinstance(block, Actions)
        ]
        assert [len(row) for row in rows] == [3, 2]
        assert rows[0][0] == "Quantum computing"
