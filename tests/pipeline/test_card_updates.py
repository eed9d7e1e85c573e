"""A posted card is updated when much has changed, at most twice, and only if the channel wants it."""

from dataclasses import replace

import pytest
from redis.asyncio import Redis

from bot.cards import PaperBlock
from bot.domain.errors import ChannelGone
from bot.domain.models import ChannelRef, ChannelSettings, Paper
from bot.pipeline import delivery as delivering
from bot.ports import Batch
from bot.store import keys
from bot.store.card_updates import CardUpdate, CardUpdateQueue
from tests.papers import SPRING, a_paper
from tests.scenario import Board, Clock, House

UPDATED, NOT_UPDATED = ChannelRef("board", "T", "wants"), ChannelRef("board", "T", "wants not")


@pytest.fixture
async def board(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> Board:
    monkeypatch.setattr(delivering, "MAX_WAIT", 0.0)
    board = Board(Clock(redis))
    board.clock.now = SPRING
    house = House(redis, board)
    await house.subscribe(UPDATED, "now", ChannelSettings(edits=True))
    await house.subscribe(NOT_UPDATED, "now", ChannelSettings())
    return board


async def run_poll(redis: Redis, board: Board, *papers: Paper) -> None:
    """Run a poll and everything that follows from it."""
    house = House(redis, board)
    await house.poll(*papers)
    await house.deliver()
    await house.editor.edit_all()


def edited(board: Board) -> list[tuple[str, str, tuple[str, ...]]]:
    return [
        (channel, message, block.byline)
        for channel, message, card in board.edits
        for block in card.blocks
        if isinstance(block, PaperBlock)
    ]


async def test_upvotes_and_code_update_a_card_at_most_twice(redis: Redis, board: Board) -> None:
    facts = ({"upvotes": 3}, {"upvotes": 20}, {"upvotes": 30}, {"upvotes": 40})
    code = {"code_url": "https://github.com/a/b"}
    for more in (*facts, {"upvotes": 40} | code, {"upvotes": 120} | code, {"upvotes": 300} | code):
        await run_poll(redis, board, a_paper(**more))
    assert len(board.posts) == 2
    number = next(n for n, post in enumerate(board.posts, 1) if post.channel == UPDATED)
    assert edited(board) == [
        ("wants", f"m{number}", ("Ada Lovelace", "2 Mar", "▲ 30")),
        ("wants", f"m{number}", ("Ada Lovelace", "2 Mar", "▲ 40", "code")),
    ]


async def test_a_digest_is_never_updated(redis: Redis, board: Board) -> None:
    papers = [f"p{n}" for n in range(7)]
    await run_poll(redis, board, *(a_paper(paper, upvotes=1) for paper in papers))
    await run_poll(redis, board, *(a_paper(paper, upvotes=99) for paper in papers))
    assert (len(board.posts), board.edits) == (2, [])


async def test_a_card_that_cannot_be_edited_is_skipped(
    redis: Redis, board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_anything: object) -> None:
        raise ChannelGone("it was archived")

    await run_poll(redis, board, a_paper(upvotes=1))
    monkeypatch.setattr(board, "edit", fail)
    await run_poll(redis, board, a_paper(upvotes=99))
    assert await CardUpdateQueue(redis).take("board", 10) == []
    await CardUpdateQueue(redis).put("board", [CardUpdate(UPDATED, "unknown paper", "code")])
    assert await House(redis, board).editor.edit_all() == 0


async def test_a_withdrawn_paper_is_marked_despite_the_settings_and_its_age(
    redis: Redis, board: Board
) -> None:
    for upvotes in (3, 30, 120):  # two edits, the usual maximum
        await run_poll(redis, board, a_paper(upvotes=upvotes))
    edits = len(board.edits)
    long_ago = board.clock.now.timestamp() * 1000 - 90 * 86_400_000
    await redis.zadd(keys.SEEN, {a_paper().id: long_ago})
    withdrawn = replace(a_paper(upvotes=120), sources=(), withdrawn=True)
    await House(redis, board).papers.ingest(
        "arxiv:cs.CL:oai", Batch(papers=(), cursor="c", updates=(withdrawn,)), 0
    )
    for _ in range(2):
        await run_poll(redis, board)
    titles = [(channel, block.title) for channel, _, card in board.edits[edits:] for block in card.blocks]  # type: ignore[union-attr]  # it has a paper
    assert sorted(titles) == [
        ("wants", f"Withdrawn: {a_paper().title}"),
        ("wants not", f"Withdrawn: {a_paper().title}"),
    ]
    assert len(board.posts) == 4, "both channels got the paper, and learn of its withdrawal"
