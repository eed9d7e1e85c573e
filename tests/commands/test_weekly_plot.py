"""The number of papers per week on the card of `/paper preview`."""

from dataclasses import replace
from datetime import timedelta

import pytest
from redis.asyncio import Redis

from bot.cards import Card, Figure
from bot.commands.core import Commands
from bot.commands.services import Services
from bot.domain.models import User
from bot.ports import Batch
from bot.text.bars import lettered, sparkline
from tests.adapters.slack.harness import slack_harness
from tests.commands.conftest import NOW, card_text
from tests.papers import a_channel, a_paper
from tests.web.site import site

COUNTS = [1, 0, 2, 3, 1, 0, 0, 4, 2, 5]
"""Number of papers of each week, oldest first."""


@pytest.fixture
async def year(services: Services) -> Services:
    """Services with papers of ten weeks."""
    papers = [
        a_paper(f"2603.{week:02}{n:03}", title="A gecko", published=NOW - timedelta(weeks=ago, hours=1))
        for week, count in enumerate(COUNTS)
        for ago in [len(COUNTS) - 1 - week]
        for n in range(count)
    ]
    await services.papers.ingest("test", Batch((), "c", history=tuple(papers)), 0)
    return services


async def preview(services: Services, public_url: str, query: str = "gecko") -> Card:
    core = Commands(replace(services, public_url=public_url))
    return (await core.handle_text(f"preview {query}", User("U1", "Ada"), a_channel())).card


async def test_chats_load_a_chart_from_the_public_url(year: Services, redis: Redis) -> None:
    card = await preview(year, "https://papers.example.org")
    [figure] = [block for block in card.blocks if isinstance(block, Figure)]
    assert figure.url == f"https://papers.example.org/plots/{lettered(COUNTS)}.png"
    assert figure.alt == "Published per week: 18 in 10 weeks, at most 5 in one"
    async with site(redis) as client:
        async with client.get(figure.url.removeprefix("https://papers.example.org")) as response:
            assert (response.status, response.content_type) == (200, "image/png")
            assert (await response.read()).startswith(b"\x89PNG")
            assert "immutable" in response.headers["Cache-Control"]
        for path in (
            "/plots/short.png",
            "/plots/../x.png",
            f"/plots/{'a' * 53}.png",
            "/plots/aaaaaaaa%00.png",
        ):
            async with client.get(path) as response:
                assert response.status in {400, 404}


@pytest.mark.parametrize("url", ["", "http://localhost:8080"])
async def test_without_a_public_url_the_chart_is_a_line_of_characters(year: Services, url: str) -> None:
    text = card_text(await preview(year, url))
    assert f"Published per week: 18 in 10 weeks, at most 5 in one {sparkline(COUNTS)}" in " ".join(
        text.split()
    )
    assert "█" in text


async def test_without_papers_there_is_no_chart(year: Services) -> None:
    card = await preview(year, "https://papers.example.org", "lizard")
    assert not [block for block in card.blocks if isinstance(block, Figure)]
    assert "per week" not in card_text(card)


async def test_slack_leaves_out_a_chart_that_it_cannot_load(redis: Redis) -> None:
    async with slack_harness(redis, lambda: NOW) as harness:
        papers = [
            a_paper(f"2603.{n:05}", title="A gecko", published=NOW - timedelta(weeks=n)) for n in range(12)
        ]
        await harness.bot.papers.ingest("test", Batch((), "c", history=tuple(papers)), 0)
        seen = await harness.say("/paper preview gecko")
        [picture] = [block for block in seen.raw.blocks if block["type"] == "image"]
        assert picture["alt_text"] == "Published per week: 12 in 12 weeks, at most 1 in one"
        harness.slack.methods.broken_pictures.add(picture["image_url"])
        again = await harness.say("/paper preview gecko")
        assert not [block for block in again.raw.blocks if block["type"] == "image"]
        assert "Published per week" in again.text
