"""Weeks of faults and downtime over papers with long histories: each event reaches each watcher once."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from redis.asyncio import Redis

from bot.domain.life import EVENT_KINDS, Watch
from bot.domain.models import ChannelRef
from tests.scenario import Board, Clock, House
from tests.simulator.run import START, Outcome, Simulation, every_source
from tests.simulator.upstreams import Faults
from tests.simulator.world import CATEGORIES, COMMENTS, DAY, Arxived, World, at

SETTLED = timedelta(days=1, hours=14)
"""Time within which two harvests have seen a change, whatever fails."""
DOWN = (at(START + 6 * DAY, 18), at(START + 10 * DAY, 18))
WATCHERS = [ChannelRef("board", "T", name) for name in ("@ada", "readers")]


def known_since(outcome: Outcome, paper: Arxived) -> datetime:
    """Return the time at which its first record had certainly been read: no change before that can be noticed."""
    for stopped, restarted in outcome.down:
        if stopped - SETTLED <= paper.announced <= restarted:
            return restarted + SETTLED
    return max(paper.announced, outcome.begin) + SETTLED


def could_be_seen(outcome: Outcome, paper: Arxived, moment: datetime) -> bool:
    """Whether the bot had time to notice a change before the next one."""
    if not known_since(outcome, paper) < moment < outcome.end - SETTLED:
        return False
    later = min((m for m in paper.changes if m > moment + timedelta(hours=3)), default=outcome.end)
    unseen = any(
        stopped - SETTLED <= moment and later <= restarted + SETTLED for stopped, restarted in outcome.down
    )
    return later - moment >= SETTLED and not unseen


def to_announce(outcome: Outcome, paper: Arxived) -> Iterator[str]:
    """Return the events of a paper that had to be announced."""
    for n, when in enumerate(paper.submitted, 1):
        if could_be_seen(outcome, paper, when):
            yield f"withdrawn-v{n}" if when == paper.withdrawn else f"v{n}"
            if when == paper.reinstated:
                yield f"reinstated-v{n}"
    acceptances = {COMMENTS[1]: "accepted-icml-2026", COMMENTS[2]: "accepted-icml-2026-oral"}
    for when, text in paper.comments:
        if text in acceptances and could_be_seen(outcome, paper, when):
            yield acceptances[text]


@pytest.mark.timeout(600)
async def test_every_event_reaches_every_watcher_once(redis: Redis) -> None:
    world = World(11, START, 15, per_category=3, histories=True)
    for watcher in WATCHERS:
        for paper in world.arxived:
            watch = Watch(frozenset(EVENT_KINDS), "U1 Ada", datetime.now(UTC))
            assert await House(redis, Board(Clock(redis))).watches.put(watcher, paper.id, watch)
    outcome = await Simulation(redis, world, Faults(), every_source).run(
        kill_every=timedelta(hours=50), down=[DOWN]
    )
    events = outcome.ledger.events
    papers = {paper.id: paper for paper in world.arxived}
    expected = {
        (paper.id, key)
        for paper in world.arxived
        if paper.id in outcome.ledger.at and paper.categories[0] in CATEGORIES  # others aren't harvested
        for key in to_announce(outcome, paper)
    }
    assert len(expected) > 40
    assert expected - events.keys() == set(), "missed"
    assert {event: n for event, n in events.items() if n > 1} == {}, "repeated"
    unchanged = {i for i, paper in papers.items() if len(paper.submitted) == len(paper.comments) == 1}
    assert {paper for paper, key in events if paper in unchanged and not key.startswith("upvotes")} == set()

    for _ in range(2):  # the second time after a crash: the stream is read from its beginning
        house = House(redis, Board(Clock(redis)))
        await house.fanout.match_all()
        await redis.delete("pb:clock")
        await redis.xgroup_destroy("pb:{ingest}:papers", "fanout")
    for watcher in WATCHERS:
        waiting = await House(redis, Board(Clock(redis))).outbox.open_deliveries(watcher)
        entries = Counter(entry for one in waiting for entry, _ in one.papers)
        assert entries == Counter({f"life:{key}:{paper}": 1 for paper, key in events})
