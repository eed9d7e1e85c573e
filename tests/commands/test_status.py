"""`/paper status`: sources, waiting posts and failures."""

from datetime import timedelta

from redis.asyncio import Redis

from bot.commands.services import Services
from bot.domain.deliveries import Outcome
from bot.domain.polls import PollResult
from bot.store.polls import record_poll
from tests.commands.conftest import Ask, card_text
from tests.commands.test_settings import ALL, enqueue_papers
from tests.papers import a_channel


async def test_the_status_of_a_new_channel_is_short(ask: Ask) -> None:
    assert card_text(await ask("status")).splitlines() == [
        "# Status",
        "New papers are posted as they come.",
        "- No source has been read yet.",
        "- No posts are waiting.",
        "[Subscriptions: list]",
        "[Settings: settings]",
    ]


async def test_each_source_is_shown_with_its_last_poll(ask: Ask, redis: Redis, services: Services) -> None:
    now = await services.outbox.now()
    ago, soon = now - timedelta(minutes=5), now + timedelta(minutes=30)
    await record_poll(redis, PollResult(source="arxiv", at=ago, next_at=soon, error="503: come back later"))
    await record_poll(redis, PollResult(source="huggingface", at=ago, next_at=soon, new=3))
    lines = card_text(await ask("status")).splitlines()
    assert lines[2] == (
        "- arxiv failed 5 min ago, never read yet: 503: come back later; next check in 30 min."
    )
    assert lines[3] == "- huggingface read 5 min ago, 3 new papers; next check in 30 min."


async def test_a_retry_is_shown_with_its_time_and_reason(ask: Ask, services: Services) -> None:
    await ask("subscribe paper every:daily")
    await enqueue_papers(services, "p1", due_now=True)
    [delivery] = (await services.outbox.claim("fake", 9, ALL, token="t")).deliveries
    await services.outbox.record_outcome(
        delivery, Outcome(state="pending", why="503", after=7200, counts=True)
    )
    lines = card_text(await ask("status")).splitlines()
    assert any(
        li.startswith("- Retrying on ") and li.endswith("The last attempt failed: 503.") for li in lines
    )


async def test_waiting_and_failed_papers_are_counted(ask: Ask, services: Services) -> None:
    await ask("subscribe paper every:daily")
    await enqueue_papers(services, "p1", due_now=True)
    [delivery] = (await services.outbox.claim("fake", 9, ALL, token="t")).deliveries
    await services.outbox.record_outcome(delivery, Outcome(state="dead", why="invalid blocks"))
    await enqueue_papers(services, "p2", "p3")
    card = card_text(await ask("status"))
    assert "09:00 UTC, 2 papers waiting." in card
    assert "- 2 papers waiting for later." in card
    assert "- Failed: 1 paper, invalid blocks." in card
    await services.outbox.pause(a_channel(), "it was archived")
    card = card_text(await ask("status"))
    assert "Posts here are paused: it was archived." in card
    assert "- Paused since" in card
    assert "or at any /paper here." in card
