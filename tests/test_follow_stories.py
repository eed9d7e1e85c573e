"""Following people, labs and fields of science, as stories on every platform."""

import pytest
from redis.asyncio import Redis

from tests.adapters.discord.stage import DiscordStage
from tests.adapters.slack.stage import SlackStage
from tests.papers import a_paper
from tests.platform_harness import Stage, arrive
from tests.platform_harnesses import STAGES, Opened


@pytest.fixture(params=list(STAGES))
def opened(request: pytest.FixtureRequest, redis: Redis) -> Opened:
    """Opens each stage."""
    return lambda: STAGES[request.param](redis)


async def rename(stage: Stage, name: str) -> bool:
    """Give the person's channel another name; False if the platform's channels have none."""
    if isinstance(stage, SlackStage):
        stage.room.name = name
    elif isinstance(stage, DiscordStage):
        stage.papers = stage.server.create_text_channel(name)
        await stage.env.settle()
    else:
        return False
    return True


async def test_follow_an_author_and_a_lab_from_a_card(opened: Opened) -> None:
    async with opened() as stage:
        await stage.say("/paper subscribe laundry")
        await arrive(
            stage.bot,
            a_paper(
                title="Robots fold laundry", authors=("Ada Lovelace", "Alan Turing"), organization="Meta AI"
            ),
        )
        [card] = await stage.posted()
        menu = await stage.press(card, "Follow")
        assert "Follow whom" in menu.text
        assert {"Ada Lovelace", "Alan Turing", "Meta AI"} <= set(menu.buttons)
        assert 'author:"ada lovelace"' in (await stage.press(menu, "Ada Lovelace")).text
        assert "org:meta" in (await stage.press(menu, "Meta AI")).text
        await arrive(stage.bot, a_paper("2603.00002", title="On engines", authors=("A. B. Lovelace",)))
        await arrive(stage.bot, a_paper("2603.00003", title="On graphs", organization="FAIR"))
        await arrive(stage.bot, a_paper("2603.00004", title="On poems", authors=("B. Lovelace",)))
        posted = [seen.text for seen in await stage.posted()]
        assert len(posted) == 3
        assert "On engines" in posted[1]
        assert "On graphs" in posted[2]


async def test_a_newcomer_in_a_channel_is_offered_its_field(opened: Opened) -> None:
    async with opened() as stage:
        named = await rename(stage, "math-alg-geom")
        empty = await stage.say("/paper list")
        first = "Algebraic geometry" if named else "Language models"
        assert first in empty.buttons
        answer = await stage.press(empty, first)
        assert ("cat:math.AG" if named else "language model") in answer.text
        assert ("Following math.AG from now" in answer.text) == named
