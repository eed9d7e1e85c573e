"""Two weeks in the life of a paper that someone saved and a channel watches, on the platforms with threads."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from redis.asyncio import Redis

from bot.domain.models import Paper
from bot.pipeline import delivery as delivering
from bot.ports import Batch
from tests.adapters.discord.stage import DiscordStage, seen_of
from tests.adapters.slack.double.people import words
from tests.adapters.slack.stage import SlackStage
from tests.papers import a_paper
from tests.platform_harness import Stage, arrive, deliver
from tests.platform_harnesses import STAGES, Opened
from tests.scenario import Clock, set_clock

MORNING = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)
V1 = a_paper(
    "2611.00001",
    title="Diffusion for all",
    published=MORNING,
    sources=("arxiv",),
    versions=1,
    comment="9 pages",
)


@pytest.fixture
async def clock(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> Clock:
    monkeypatch.setattr(delivering, "MAX_WAIT", 0.0)
    clock = set_clock(monkeypatch, redis)
    await clock.set(MORNING)
    return clock


@pytest.fixture(params=["slack", "discord"])
def opened(request: pytest.FixtureRequest, redis: Redis, clock: Clock) -> Opened:
    return lambda: STAGES[request.param](redis, lambda: clock.now)


def direct_messages(stage: Any) -> Sequence[str]:
    """What the person got as direct messages."""
    if isinstance(stage, SlackStage):
        return [words(message.blocks) for message in stage.person.direct()]
    assert isinstance(stage, DiscordStage)
    return [seen_of(message).text for message in stage.joe.user.dm_channel.history()]


def replies(stage: Any) -> Sequence[str]:
    """What is in the threads of the channel's messages."""
    if isinstance(stage, SlackStage):
        return [words(message.blocks) for message in stage._threads()]
    assert isinstance(stage, DiscordStage)
    return [seen_of(message).text for thread in stage.papers.threads for message in thread.history()]


async def a_day(stage: Stage, clock: Clock, *papers: Paper) -> None:
    """What arXiv's records say today, and all posts until tomorrow."""
    updates = tuple(replace(paper, sources=()) for paper in papers)
    await stage.bot.papers.ingest("arxiv:cs.CL:oai", Batch((), f"{clock.now}", updates=updates), 0)
    await deliver(stage.bot)
    await clock.set(clock.now + timedelta(days=1))
    for _ in range(3):
        await clock.set(clock.now + timedelta(seconds=5))
        await deliver(stage.bot)


async def test_two_weeks_of_a_saved_paper(opened: Opened, clock: Clock) -> None:
    async with opened() as stage:
        await stage.say("/paper subscribe diffusion")
        await arrive(stage.bot, V1)
        [card] = await stage.posted()
        await stage.press(card, "Save")
        watched = await stage.say("/paper watch 2611.00001 to:channel")
        assert "This channel hears of new versions" in watched.text
        await a_day(stage, clock, V1)
        assert direct_messages(stage) == replies(stage) == []

        v2 = replace(V1, versions=2, title="Diffusion for everyone", comment="11 pages")
        await a_day(stage, clock, v2)
        assert len(direct_messages(stage)) == len(replies(stage)) == 1
        assert "v2 is out" in direct_messages(stage)[0]
        assert "“all” → “everyone”" in replies(stage)[0]

        await stage.restart()
        accepted = replace(v2, comment="11 pages. Accepted at ICML 2026 (spotlight)")
        for _ in range(4):
            await a_day(stage, clock, accepted)
        assert len(direct_messages(stage)) == len(replies(stage)) == 2
        assert "Accepted at ICML 2026 as a spotlight" in direct_messages(stage)[1]

        code = replace(accepted, code_url="https://github.com/ada/diffusion")
        for _ in range(6):
            await a_day(stage, clock, code)
        assert len(direct_messages(stage)) == len(replies(stage)) == 3
        assert "Code is available" in replies(stage)[2]
        assert "v2 · accepted at ICML 2026 as a spotlight · code" in replies(stage)[2]

        card = (await stage.posted())[0]
        assert "v2 · accepted at ICML 2026 as a spotlight · code" in card.text
        life = await stage.say("/paper life 2611.00001")
        assert life.text.index("v2 is out") < life.text.index("Accepted at ICML") < life.text.index("Code is")

        await stage.say("/paper unwatch 2611.00001")
        gone = replace(code, versions=3, withdrawn=True, comment="Withdrawn due to an error in Lemma 2")
        await a_day(stage, clock, gone)
        assert len(direct_messages(stage)) == 3
        assert "Withdrawn due to an error in Lemma 2" in replies(stage)[3]
        card = (await stage.posted())[0]
        assert "Withdrawn: Diffusion for everyone" in card.text


@pytest.mark.parametrize("name", ["console", "email"])
async def test_without_threads_news_are_a_short_card(redis: Redis, clock: Clock, name: str) -> None:
    async with STAGES[name](redis, lambda: clock.now) as stage:
        await stage.say("/paper subscribe diffusion")
        await arrive(stage.bot, V1)
        saved = await stage.say("/paper save 2611.00001")
        assert "Saved to your list" in saved.text
        assert "You watch 1 paper" in (await stage.say("/paper watch")).text
        await a_day(stage, clock, replace(V1, versions=2, comment="Accepted at ICML 2026"))
        [_, news] = await stage.posted()
        assert "v2 is out" in news.text
        assert "Accepted at ICML 2026" in news.text
        await a_day(stage, clock, replace(V1, versions=2, comment="Accepted at ICML 2026"))
        assert len(await stage.posted()) == 2
