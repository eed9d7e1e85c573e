"""Following people, labs and fields of science, as stories on every platform."""

from tests.adapters.discord.harness import DiscordHarness
from tests.adapters.slack.harness import SlackHarness
from tests.papers import a_paper
from tests.platform_harness import PlatformHarness, arrive, pass_on
from tests.platform_harnesses import Opened
from tests.scenario import Clock


async def rename(harness: PlatformHarness, name: str) -> bool:
    """Rename the person's channel. Returns False if the platform's channels have no names."""
    if isinstance(harness, SlackHarness):
        harness.room.name = name
    elif isinstance(harness, DiscordHarness):
        harness.papers = harness.server.create_text_channel(name)
        await harness.env.settle()
    else:
        return False
    return True


async def test_follow_an_author_and_a_lab_from_a_card(opened: Opened, clock: Clock) -> None:
    async with opened() as harness:
        await harness.say("/paper subscribe laundry")
        await arrive(
            harness.bot,
            a_paper(
                title="Robots fold laundry", authors=("Ada Lovelace", "Alan Turing"), organization="Meta AI"
            ),
        )
        [card] = await harness.posted()
        menu = await harness.press(card, "Follow")
        assert "should this channel follow" in menu.text
        assert {"Ada Lovelace", "Alan Turing", "Meta AI"} <= set(menu.buttons)
        assert 'author:"Ada Lovelace"' in (await harness.press(menu, "Ada Lovelace")).text
        assert 'org:"Meta AI"' in (await harness.press(menu, "Meta AI")).text
        await arrive(harness.bot, a_paper("2603.00002", title="On engines", authors=("A. B. Lovelace",)))
        await arrive(harness.bot, a_paper("2603.00003", title="On graphs", organization="FAIR"))
        await arrive(harness.bot, a_paper("2603.00004", title="On poems", authors=("B. Lovelace",)))
        await pass_on(harness.bot, clock, 2)
        posted = [seen.text for seen in await harness.posted()]
        assert len(posted) == 3
        assert "On engines" in posted[1]
        assert "On graphs" in posted[2]


async def test_a_newcomer_in_a_channel_is_offered_its_field(opened: Opened) -> None:
    async with opened() as harness:
        named = await rename(harness, "math-alg-geom")
        empty = await harness.say("/paper list")
        first = "Algebraic geometry" if named else "Language models"
        assert first in empty.buttons
        answer = await harness.press(empty, first)
        assert ("cat:math.AG" if named else "language model") in answer.text
        assert ("Following math.AG from now" in answer.text) == named
