"""Stored data of an older version is migrated once, and nothing is posted again; a newer layout is left alone."""

import asyncio
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from bot.domain.deliveries import PlannedDelivery
from bot.domain.errors import ConfigurationError
from bot.domain.models import ChannelRef, Reason, User
from bot.ports import Batch
from bot.store import keys
from bot.store.card_updates import CardUpdate, CardUpdateQueue
from bot.store.migrations import migrate
from bot.store.outbox.outbox import Outbox
from bot.store.papers import Papers
from bot.store.poll_stream import PollReader
from bot.store.reactions import PaperList, ReadingLists, Votes
from tests.papers import a_paper

CHANNEL = ChannelRef("slack", "T1", "C1")
ADA = User("U1", "Ada")
OLD, NEW = "math.GT/0309136", "math/0309136"


@pytest.fixture
async def version_1(redis: Redis) -> Papers:
    """Return a server on which version 1 has run, with papers under ids that aren't canonical."""
    await migrate(redis, ())
    papers = Papers(redis)
    old = (a_paper(OLD), a_paper("doi:10.48550/arxiv.2403.12345"), a_paper("2605.00001"))
    await papers.ingest("arxiv", Batch(papers=old, cursor="c"), 0)
    await ReadingLists(redis).add(PaperList.of_person(ADA, CHANNEL), OLD)
    await redis.hset(keys.sent(CHANNEL, 7), OLD, "posted")
    return papers


async def test_a_paper_is_known_by_its_canonical_id(version_1: Papers, redis: Redis) -> None:
    await migrate(redis)
    found = await version_1.get([OLD, NEW, "2403.12345", "2605.00001", "doi:10.48550/arxiv.2403.12345"])
    assert set(found) == {NEW, "2403.12345", "2605.00001"}
    assert found[NEW] == replace(a_paper(OLD), id=NEW)
    assert await ReadingLists(redis).of(PaperList.of_person(ADA, CHANNEL)) == [NEW]
    assert await redis.hgetall(keys.sent(CHANNEL, 7)) == {NEW: "posted"}


async def test_papers_seen_before_are_not_announced_again(version_1: Papers, redis: Redis) -> None:
    seen = (await version_1.first_seen([OLD]))[OLD]
    await migrate(redis)
    assert await version_1.first_seen([OLD, NEW]) == {NEW: seen}
    again = await version_1.ingest("arxiv", Batch(papers=(a_paper(NEW),), cursor="d"), 0)
    assert (again.new, again.announced) == (0, 0)


async def test_two_records_of_one_paper_become_one(version_1: Papers, redis: Redis) -> None:
    other = replace(a_paper(NEW, sources=("journal",)), upvotes=7)
    await version_1.ingest("journal", Batch(papers=(other,), cursor="c"), 0)
    await migrate(redis)
    (paper,) = (await version_1.get([NEW])).values()
    assert (paper.upvotes, set(paper.sources)) == (7, {*a_paper(OLD).sources, "journal"})


async def test_the_search_index_is_notified(version_1: Papers, redis: Redis) -> None:
    position = await version_1.last_change()
    await migrate(redis)
    changed = [paper_id for paper_id, _ in await version_1.changed(position, 10)]
    assert {OLD, NEW, "2403.12345"} <= set(changed)


def planned(*papers: str, label: str = "digest") -> PlannedDelivery:
    why = (Reason(1, "rag"),)
    return PlannedDelivery(
        channel=CHANNEL, papers=tuple((paper, why) for paper in papers), due=0, label=label
    )


async def waiting(redis: Redis) -> list[tuple[str, ...]]:
    """Return the papers of each open delivery."""
    found = await Outbox(redis).open_deliveries(CHANNEL)
    return sorted(tuple(sorted(paper for paper, _ in one.papers)) for one in found)


async def test_a_waiting_post_is_made_under_the_canonical_id(version_1: Papers, redis: Redis) -> None:
    outbox = Outbox(redis)
    await redis.delete(keys.sent(CHANNEL, 7))
    await outbox.enqueue([planned(OLD, label=OLD), planned("2605.00001")])
    await migrate(redis)
    assert await waiting(redis) == [("2605.00001",), (NEW,)]
    assert set(await version_1.get([OLD, NEW])) == {NEW}
    assert await outbox.enqueue([planned(NEW)]) == 0, "it is already enqueued"
    claims = await outbox.claim("slack", 9, range(keys.SHARDS), token="t")
    assert [delivery.papers[0][1] for delivery in claims.deliveries] == [(Reason(1, "rag"),)]


@pytest.mark.usefixtures("version_1")
async def test_a_digest_lists_a_paper_once(redis: Redis) -> None:
    outbox = Outbox(redis)
    await redis.delete(keys.sent(CHANNEL, 7))
    await outbox.enqueue([planned(OLD, NEW, "2605.00001")])
    await migrate(redis)
    assert await waiting(redis) == [("2605.00001", NEW)], "once, although it was enqueued under both ids"


@pytest.mark.usefixtures("version_1")
async def test_a_waiting_post_is_dropped_if_the_paper_was_posted(redis: Redis) -> None:
    """It was posted under its other id, and another source listed it under this one."""
    await redis.delete(keys.sent(CHANNEL, 7))
    await Outbox(redis).enqueue([planned(OLD)])
    period = int((await Outbox(redis).now()).timestamp()) // keys.PERIOD
    await redis.hset(keys.sent(CHANNEL, period), NEW, "1 m - x")
    await migrate(redis)
    assert await waiting(redis) == []


async def test_a_post_in_flight_keeps_its_paper(version_1: Papers, redis: Redis) -> None:
    outbox = Outbox(redis)
    await outbox.enqueue([planned(OLD)])
    assert (await outbox.claim("slack", 1, range(keys.SHARDS), token="t")).deliveries
    await migrate(redis)
    assert set(await version_1.get([OLD, NEW])) == {OLD, NEW}


@pytest.mark.usefixtures("version_1")
async def test_a_vote_counts_for_the_canonical_paper(redis: Redis) -> None:
    votes = Votes(redis)
    await votes.put(CHANNEL, ADA, OLD, liked=True, numbers=(1,))
    await migrate(redis)
    assert [(vote.paper, vote.liked) for vote in await votes.of(CHANNEL)] == [(NEW, True)]


@pytest.mark.usefixtures("version_1")
async def test_a_card_is_not_edited_twice_for_one_reason(redis: Redis) -> None:
    queue = CardUpdateQueue(redis)
    assert await queue.allow(CardUpdate(CHANNEL, OLD, "code"))
    await queue.put("slack", [CardUpdate(CHANNEL, OLD, "code")])
    await migrate(redis)
    assert await queue.take("slack", 9) == [CardUpdate(CHANNEL, NEW, "code")]
    assert not await queue.allow(CardUpdate(CHANNEL, NEW, "code"))
    assert await redis.pttl(keys.edited(CHANNEL, NEW)) > 0


async def test_an_unmatched_poll_loses_no_paper(version_1: Papers, redis: Redis) -> None:
    await migrate(redis)
    poll = await PollReader(redis, version_1).read()
    found = {change.paper.id for change in poll.news} if poll else set()
    assert found == {NEW, "2403.12345", "2605.00001"}


async def test_a_migration_can_be_run_again(version_1: Papers, redis: Redis) -> None:
    await migrate(redis)
    before = await version_1.get([NEW])
    await redis.set(keys.SCHEMA, 1)
    await migrate(redis)
    assert await version_1.get([NEW]) == before


class Died(Exception):
    """A process died in the middle of a migration."""


async def rename(redis: Redis) -> None:
    if await redis.exists("old"):
        await redis.rename("old", "new")


async def count(redis: Redis) -> None:
    await redis.incr("runs")


async def die(_redis: Redis) -> None:
    raise Died


async def test_an_empty_server_needs_no_migration(redis: Redis) -> None:
    await migrate(redis, (rename, die))
    assert await redis.get(keys.SCHEMA) == "3"


async def test_the_steps_from_an_older_layout_run_in_order(redis: Redis) -> None:
    await migrate(redis, ())
    await redis.set("old", "kept")
    await migrate(redis, (rename, count))
    assert (await redis.get("new"), await redis.get("runs")) == ("kept", "1")
    assert await redis.get(keys.SCHEMA) == "3"


async def test_only_one_of_many_processes_migrates(redis: Redis) -> None:
    await migrate(redis, ())
    await asyncio.gather(*(migrate(redis, (count,)) for _ in range(5)))
    assert await redis.get("runs") == "1"


async def test_an_interrupted_migration_is_repeated_at_the_next_start(redis: Redis) -> None:
    await migrate(redis, ())
    with pytest.raises(Died):
        await migrate(redis, (rename, die))
    assert await redis.get(keys.SCHEMA) == "2"
    await migrate(redis, (rename, count))
    assert (await redis.get("runs"), await redis.get(keys.SCHEMA)) == ("1", "3")


async def test_an_older_program_does_not_touch_a_newer_layout(redis: Redis) -> None:
    await migrate(redis, (count, count))
    with pytest.raises(ConfigurationError, match=r"schema 3, this one knows 2"):
        await migrate(redis, (count,))
