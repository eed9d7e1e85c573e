"""Two weeks in the life of a paper that someone saved and a channel watches, on the platforms with threads."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from redis.asyncio import Redis

from bot.domain.models import Paper
from bot.ports import Batch
from tests.adapters.discord.harness import DiscordHarness, seen_of
from tests.adapters.slack.double.people import words
from tests.adapters.slack.harness import SlackHarness
from tests.conftest import MORNING
from tests.papers import a_paper
from tests.platform_harness import PlatformHarness, arrive, deliver
from tests.platform_harnesses import HARNESSES, Opened
from tests.scenario import Clock

V1 = a_paper(
    "2611.00001",
    title="Diffusion for all",
    published=MORNING,
    sources=("arxiv",),
    versions=1,
    comment="9 pages",
)


@pytest.fixture(params=["slack", "discord"])
def opened(request: pytest.FixtureRequest, redis: Redis, clock: Clock) -> Opened:
    return lambda: HARNESSES[request.param](redis, lambda: clock.now)


def direct_messages(harness: Any) -> Sequence[str]:
    """Return the person's direct messages."""
    if isinstance(harness, SlackHarness):
        return [words(message.blocks) for message in harness.person.direct()]
    assert isinstance(harness, DiscordHarness)
    return [seen_of(message).text for message in harness.joe.user.dm_channel.history()]


def replies(harness: Any) -> Sequence[str]:
    """Return the messages in the threads of the channel's messages."""
    if isinstance(harness, SlackHarness):
        return [words(message.blocks) for message in harness._threads()]
    assert isinstance(harness, DiscordHarness)
    return [seen_of(message).text for thread in harness.papers.threads for message in thread.history()]


async def a_day(harness: PlatformHarness, clock: Clock, *papers: Paper) -> None:
    """Ingest today's records of arXiv, and post everything that is due until tomorrow."""
    updates = tuple(replace(paper, sources=()) for paper in papers)
    await harness.bot.papers.ingest("arxiv:cs.CL:oai", Batch((), f"{clock.now}", updates=updates), 0)
    await deliver(harness.bot)
    await clock.set(clock.now + timedelta(days=1))
    for _ in range(3):
        await clock.set(clock.now + timedelta(seconds=5))
        await deliver(harness.bot)


async def test_two_weeks_of_a_saved_paper(opened: Opened, clock: Clock) -> None:
    async with opened() as harness:
        await harness.say("/paper subscribe diffusion")
        await arrive(harness.bot, V1)
        [card] = await harness.posted()
        await harness.press(card, "Save")
        watched = await harness.say("/paper watch 2611.00001 to:channel")
        assert "This channel watches it for new versions" in watched.text
        await a_day(harness, clock, V1)
        assert direct_messages(harness) == replies(harness) == []

        v2 = replace(V1, versions=2, title="Diffusion for everyone", comment="11 pages")
        await a_day(harness, clock, v2)
        assert len(direct_messages(harness)) == len(replies(harness)) == 1
        assert "v2 is out" in direct_messages(harness)[0]
        assert "“all” → “everyone”" in replies(harness)[0]

        await harness.restart()
        accepted = replace(v2, comment="11 pages. Accepted at ICML 2026 (spotlight)")
        for _ in range(4):
            await a_day(harness, clock, accepted)
        assert len(direct_messages(harness)) == len(replies(harness)) == 2
        assert "Accepted at ICML 2026 as a spotlight" in direct_messages(harness)[1]

        code = replace(accepted, code_url="https://github.com/ada/diffusion")
        for _ in range(6):
            await a_day(harness, clock, code)
        assert len(direct_messages(harness)) == len(replies(harness)) == 3
        assert "Code is available" in replies(harness)[2]
        assert "v2 · accepted at ICML 2026 as a spotlight · code" in replies(harness)[2]

        card = (await harness.posted())[0]
        assert "v2 · accepted at ICML 2026 as a spotlight · code" in card.text
        life = await harness.say("/paper life 2611.00001")
        assert life.text.index("v2 is out") < life.text.index("Accepted at ICML") < life.text.index("Code is")

        await harness.say("/paper unwatch 2611.00001")
        withdrawn = replace(code, versions=3, withdrawn=True, comment="Withdrawn due to an error in Lemma 2")
        await a_day(harness, clock, withdrawn)
        assert len(direct_messages(harness)) == 3
        assert "Withdrawn due to an error in Lemma 2" in replies(harness)[3]
        card = (await harness.posted())[0]
        assert "Withdrawn: Diffusion for everyone" in card.text


@pytest.mark.parametrize("name", ["console", "email"])
async def test_without_threads_events_are_a_short_card(redis: Redis, clock: Clock, name: str) -> None:
    async with HARNESSES[name](redis, lambda: clock.now) as harness:
        await harness.say("/paper subscribe diffusion")
        await arrive(harness.bot, V1)
        saved = await harness.say("/paper save 2611.00001")
        assert "Saved to your list" in saved.text
        assert "You watch 1 paper" in (await harness.say("/paper watch")).text
        await a_day(harness, clock, replace(V1, versions=2, comment="Accepted at ICML 2026"))
        [_, news] = await harness.posted()
        assert "v2 is out" in news.text
        assert "Accepted at ICML 2026" in news.text
        await a_day(harness, clock, replace(V1, versions=2, comment="Accepted at ICML 2026"))
        assert len(await harness.posted()) == 2
