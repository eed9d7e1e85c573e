"""Events of papers reach those who watch them once, in one message a day, and update posted cards."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from redis.asyncio import Redis

from bot.domain.life import EVENT_KINDS, IMPORTANT, Watch
from bot.domain.models import ChannelRef, ChannelSettings, Paper, Rules
from bot.pipeline import delivery as delivering
from bot.policy.planner import replan
from bot.ports import Batch
from tests.papers import a_paper
from tests.scenario import Board, Clock, House, set_clock

BEGIN = datetime(2026, 3, 2, 12, tzinfo=UTC)
ADA, READERS, OTHERS = (ChannelRef("board", "T", name) for name in ("@ada", "readers", "others"))
ALL = frozenset(EVENT_KINDS)
V1 = a_paper(versions=1, comment="9 pages", sources=("arxiv",))
V2 = replace(V1, versions=2, comment="9 pages. Accepted at ICML 2026")


@pytest.fixture
async def board(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> Board:
    monkeypatch.setattr(delivering, "MAX_WAIT", 0.0)
    clock = set_clock(monkeypatch, redis)
    await clock.set(BEGIN)
    return Board(clock)


@pytest.fixture
def house(redis: Redis, board: Board) -> House:
    return House(redis, board)


async def watches(house: House, who: ChannelRef, events: frozenset[Any] = ALL, paper: str = V1.id) -> None:
    assert await house.watches.put(who, paper, Watch(events, "U1 Ada", BEGIN))


async def harvest(house: House, *papers: Paper) -> None:
    """Ingest arXiv's current records, match them, and post what is due."""
    updates = tuple(replace(paper, sources=()) for paper in papers)
    await house.papers.ingest("arxiv", Batch((), "c", updates=updates), 0)
    await house.fanout.match_all()
    await house.deliver()
    await house.editor.edit_all()


async def tomorrow(house: House, clock: Clock) -> None:
    await clock.set(clock.now + timedelta(days=1))
    await house.deliver()


def news(board: Board) -> list[tuple[str, Sequence[str]]]:
    """Return the channel and sentences of each message about events."""
    return [
        (
            post.channel.channel,
            [
                span.text
                for block in post.card.blocks
                for item in getattr(block, "items", ())
                for span in item
            ],
        )
        for post in board.posts
        if "life@" in post.key
    ]


async def test_the_events_of_a_day_are_one_message(house: House, board: Board) -> None:
    await house.poll(V1)
    await watches(house, ADA)
    await harvest(house, V2)
    code = "https://github.com/ada/engine"
    await harvest(house, replace(V2, code_url=code))
    assert news(board) == []
    await tomorrow(house, board.clock)
    [(who, lines)] = news(board)
    assert who == "@ada"
    assert [line.partition(".")[0] for line in lines] == [
        "v2 is out",
        "Accepted at ICML 2026",
        "Code is available",
    ]
    await harvest(house, replace(V2, code_url=code))
    await tomorrow(house, board.clock)
    assert len(news(board)) == 1


async def test_events_of_several_papers_are_one_message_per_person(house: House, board: Board) -> None:
    other = replace(V1, id="2603.00002", title="Another")
    await house.poll(V1, other)
    await watches(house, ADA)
    await watches(house, ADA, paper=other.id)
    await harvest(house, V2, replace(other, versions=2))
    await tomorrow(house, board.clock)
    [(_, lines)] = news(board)
    assert len(lines) == 3


async def test_watchers_get_only_the_events_they_want(house: House, board: Board) -> None:
    await house.poll(V1)
    await watches(house, ADA, IMPORTANT)
    await watches(house, OTHERS, frozenset({"published"}))
    await harvest(house, V2)
    await tomorrow(house, board.clock)
    assert news(board) == [("@ada", ["Accepted at ICML 2026"])]


async def test_a_withdrawal_reaches_the_channel_at_once_watched_or_not(house: House, board: Board) -> None:
    await house.subscribe(READERS, "now", ChannelSettings())
    await house.subscribe(OTHERS, "now", ChannelSettings())
    await house.poll(V1)
    await house.deliver()
    await house.subscriptions.remove(OTHERS, 1)
    await harvest(house, replace(V1, versions=2, withdrawn=True, comment="Lemma 3 is wrong"))
    assert sorted(news(board)) == [
        ("others", ["Withdrawn: Lemma 3 is wrong"]),
        ("readers", ["Withdrawn: Lemma 3 is wrong"]),
    ]
    assert {channel for channel, _, _ in board.edits} == {"readers", "others"}
    await harvest(house, replace(V1, versions=3, withdrawn=False))
    assert [lines[0] for _, lines in news(board)[2:]] == ["No longer withdrawn"] * 2


async def test_quiet_hours_and_weekly_digests_apply_to_events(house: House, board: Board) -> None:
    await house.settings.put(READERS, ChannelSettings(quiet=(10, 14)))
    await house.settings.put(OTHERS, ChannelSettings(every="weekly"))
    await house.poll(V1)
    await watches(house, READERS)
    await watches(house, OTHERS)
    await harvest(house, replace(V1, versions=2, withdrawn=True))
    assert [who for who, _ in news(board)] == ["others"]
    await board.clock.set(BEGIN.replace(hour=14))
    await house.deliver()
    assert [who for who, _ in news(board)] == ["others", "readers"]
    await harvest(house, replace(V1, versions=3, withdrawn=False))
    await board.clock.set(BEGIN + timedelta(days=1))
    await harvest(house, replace(V2, versions=4))
    await tomorrow(house, board.clock)
    assert [who for who, _ in news(board)].count("others") == 2
    await board.clock.set(BEGIN + timedelta(days=8))
    await house.deliver()
    assert [who for who, _ in news(board)].count("others") == 3


async def test_the_card_of_a_channel_that_watches_shows_the_latest_state(house: House, board: Board) -> None:
    await house.subscribe(READERS, "now", ChannelSettings())
    await house.subscribe(OTHERS, "now", ChannelSettings())
    await house.poll(V1)
    await house.deliver()
    await watches(house, READERS)
    await harvest(house, replace(V2, code_url="https://github.com/a/b"))
    [(channel, message, card)] = board.edits
    assert channel == "readers"
    assert message in {"m1", "m2"}
    assert " · ".join(card.blocks[0].byline).endswith("v2 · accepted at ICML 2026 · code")  # type: ignore[union-attr]


async def test_a_change_of_settings_does_not_move_events(house: House, board: Board) -> None:
    await house.poll(V1)
    await watches(house, READERS)
    await harvest(house, V2)
    [waiting] = await house.outbox.open_deliveries(READERS)
    assert replan([waiting], {}, [], Rules(), board.clock.now) == ({}, [])


async def test_watchers_who_left_get_nothing(house: House, board: Board) -> None:
    await house.poll(V1)
    await watches(house, ADA)
    await watches(house, READERS)
    await house.watches.remove(ADA, V1.id)
    await house.outbox.forget(READERS)
    await harvest(house, V2)
    await tomorrow(house, board.clock)
    assert news(board) == []
