"""Each card arrives once while answers are lost, posts fail and rate limits apply."""

from collections import Counter
from collections.abc import Sequence

import pytest
from redis.asyncio import Redis

from tests.adapters.slack.double import Message
from tests.adapters.slack.harness import slack_harness
from tests.papers import a_paper
from tests.platform_harness import arrive, deliver

PAPERS, CHANNELS = 12, 5
SOON = (0.05,) * 7


async def test_no_card_is_lost_or_duplicated_while_slack_fails(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.policy.retry.RETRIES", SOON)
    monkeypatch.setattr("bot.policy.retry.LOOKUP_DELAY", 0.05)
    monkeypatch.setattr("bot.store.outbox.outbox.BREAK", 0.05)
    async with slack_harness(redis) as harness:
        rooms = [
            harness.slack.channel(harness.workspace, f"room{n}", harness.person) for n in range(CHANNELS)
        ]
        for room in rooms:
            room.members.add(harness.workspace.bot_user)
            await harness.person.type(room, f"settings digest:{PAPERS}")
            await harness.person.type(room, "subscribe diffusion")
        await harness.settled()
        harness.slack.faults.chances = {
            "lose": 0.1,
            "500 taken": 0.1,
            "500": 0.1,
            "garbage": 0.05,
            "429 1": 0.05,
        }
        for number in range(PAPERS):
            await arrive(harness.bot, a_paper(f"2603.{number:05}", title=f"Diffusion {number}"))
        while any(_missing(room.messages) for room in rooms):
            await deliver(harness.bot)
        await deliver(harness.bot)
        for room in rooms:
            posted = Counter(m.metadata["event_payload"]["key"] for m in room.messages if m.metadata)
            assert set(posted.values()) == {1}
            assert len(posted) == PAPERS
        assert {call.answer for call in harness.slack.calls("chat.postMessage")} >= {"ok", "ratelimited"}
        assert harness.slack.calls("conversations.history")


def _missing(messages: Sequence[Message]) -> bool:
    return sum(message.metadata is not None for message in messages) < PAPERS
