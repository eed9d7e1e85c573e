"""Each paper is stored and announced once, even if calls are repeated, interleaved or lost."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from redis.asyncio import Redis

from bot.domain.models import Paper
from bot.ports import Batch
from bot.store import keys
from bot.store.lease import Lease, LostLease
from bot.store.papers import CHUNK, Ingested, Papers
from tests.papers import SPRING, a_paper
from tests.waiting import until


def a_batch(*papers: Paper, cursor: str = "c1", **more: object) -> Batch:
    return Batch(papers=papers, cursor=cursor, **more)  # type: ignore[arg-type]  # fields that a test sets


class Breaking(Papers):
    """A client that loses its connection after some scripts."""

    def __init__(self, redis: Redis, after: int) -> None:
        super().__init__(redis)
        self._left = after

    async def _attempt(self, *args: Any) -> Any:
        if not self._left:
            raise ConnectionError
        self._left -= 1
        return await super()._attempt(*args)


async def polls(redis: Redis) -> list[list[tuple[str, str]]]:
    """Return the papers that each poll announced, with their changes."""
    stream: Any = await redis.xrange(keys.PAPERS)
    return [[(paper, change) for paper, change in json.loads(fields["news"])] for _, fields in stream]


async def announced(redis: Redis) -> list[str]:
    return [paper for poll in await polls(redis) for paper, _ in poll]


async def changes(redis: Redis) -> list[str]:
    return [change for poll in await polls(redis) for _, change in poll]


async def test_an_unseen_paper_is_announced_once(redis: Redis) -> None:
    papers = Papers(redis)
    assert await papers.ingest("hf", a_batch(a_paper()), 0) == Ingested(new=1, changed=0, announced=1)
    assert await papers.ingest("hf", a_batch(a_paper(), cursor="c2"), 0) == Ingested(new=0, changed=0)
    assert await announced(redis) == ["2603.00001"]
    assert await papers.cursor("hf") == "c2"
    assert await papers.get(["2603.00001", "unknown"]) == {"2603.00001": a_paper()}


async def test_a_paper_of_two_sources_is_one_paper(redis: Redis) -> None:
    papers = Papers(redis)
    one, other = a_paper(upvotes=9), a_paper(sources=("arxiv",), categories=("cs.CL",))
    await asyncio.gather(
        papers.ingest("huggingface", a_batch(one), 0), papers.ingest("arxiv", a_batch(other), 0)
    )
    found = (await papers.get([one.id]))[one.id]
    assert (found.upvotes, found.categories, set(found.sources)) == (
        9,
        ("cs.CL",),
        {"huggingface", "arxiv"},
    )


async def test_many_writers_at_once_lose_nothing(redis: Redis) -> None:
    papers = Papers(redis)
    batches = [a_batch(a_paper(sources=(f"s{n}",))) for n in range(8)]
    results = await asyncio.gather(*(papers.ingest(f"s{n}", batch, 0) for n, batch in enumerate(batches)))
    found = (await papers.get(["2603.00001"]))["2603.00001"]
    assert set(found.sources) == {f"s{n}" for n in range(8)}
    assert sum(result.new for result in results) == 1


async def test_a_young_paper_that_changes_is_announced_with_its_old_values(redis: Redis) -> None:
    papers = Papers(redis)
    await papers.ingest("hf", a_batch(a_paper(upvotes=3)), 0)
    assert await papers.ingest("hf", a_batch(a_paper(upvotes=30)), 0) == Ingested(new=0, changed=1)
    assert await changes(redis) == ["", '{"upvotes":[3,30]}']


async def test_an_old_paper_that_changes_is_stored_but_not_announced(redis: Redis) -> None:
    papers = Papers(redis)
    old = a_paper(published=datetime.now(UTC) - timedelta(days=20))
    await papers.ingest("hf", a_batch(history=(old,)), 0)
    await papers.ingest("hf", a_batch(a_paper(upvotes=30)), 0)
    assert await announced(redis) == []
    assert (await papers.get([old.id]))[old.id].upvotes == 30


async def test_history_is_stored_under_its_date_and_never_announced(redis: Redis) -> None:
    papers = Papers(redis)
    await papers.ingest("hf", a_batch(history=(a_paper(),)), 0)
    assert await announced(redis) == []
    assert [paper.id for paper in await papers.since(SPRING)] == ["2603.00001"]
    assert await papers.since(SPRING + timedelta(days=1)) == []


async def test_trending_papers_have_ranks_until_they_drop_out(redis: Redis) -> None:
    papers = Papers(redis)
    one, two = a_paper("2603.00001"), a_paper("2603.00002")
    await papers.ingest("hf", a_batch(one, two, trending=("2603.00002", "unseen", "2603.00001")), 0)
    assert [(paper.id, paper.rank) for paper in await papers.trending()] == [
        ("2603.00002", 1),
        ("2603.00001", 3),
    ]
    await papers.ingest("hf", a_batch(trending=("2603.00001",)), 0)
    await papers.ingest("arxiv", a_batch(), 0)  # a source without ranks changes no rank
    assert [paper.rank for paper in (await papers.get([one.id, two.id])).values()] == [1, None]
    announced_changes = await changes(redis)
    assert announced_changes == ["", "", '{"rank":[1,null]}', '{"rank":[3,1]}'] or announced_changes[2:] == [
        '{"rank":[3,1]}',
        '{"rank":[1,null]}',
    ]


async def test_a_large_batch_is_written_whole_with_its_cursor_last(redis: Redis) -> None:
    papers = Papers(redis)
    many = [a_paper(f"2603.{n:05}") for n in range(3 * CHUNK + 1)]
    assert (await papers.ingest("hf", a_batch(*many), 0)).new == len(many)
    assert len(await announced(redis)) == len(set(await announced(redis))) == len(many)
    assert len(await polls(redis)) == 1
    assert await papers.cursor("hf") == "c1"


async def test_an_interrupted_poll_is_announced_with_the_one_that_repeats_it(redis: Redis) -> None:
    many = [a_paper(f"2603.{n:05}") for n in range(CHUNK + 1)]
    papers = Breaking(redis, after=1)
    with pytest.raises(ConnectionError):
        await papers.ingest("hf", a_batch(*many), 0)
    assert await announced(redis) == []
    await Papers(redis).ingest("arxiv", a_batch(a_paper("2604.1", sources=("arxiv",))), 0)
    await Papers(redis).ingest("hf", a_batch(*many), 0)
    assert [len(poll) for poll in await polls(redis)] == [1, len(many)]


async def test_a_leader_that_was_replaced_writes_nothing(redis: Redis) -> None:
    papers = Papers(redis)
    stopped = Lease(redis, ttl=0.05)
    fence = await stopped.acquire()
    assert fence is not None
    other = Lease(redis)
    await until(other.acquire, "the lease to end")
    with pytest.raises(LostLease):
        await papers.ingest("hf", a_batch(a_paper()), fence)
    assert await announced(redis) == []
    assert await papers.cursor("hf") is None


async def test_repeating_a_batch_announces_nothing_more(redis: Redis) -> None:
    papers = Papers(redis)
    batch = a_batch(a_paper(upvotes=3), trending=("2603.00001",))
    await papers.ingest("hf", batch, 0)
    before = await redis.xrange(keys.PAPERS)
    await papers.ingest("hf", batch, 0)
    assert await redis.xrange(keys.PAPERS) == before


async def test_a_remembered_paper_is_not_seen_and_is_announced_once_it_is_listed(redis: Redis) -> None:
    papers = Papers(redis)
    assert await papers.remember([a_paper()]) == Ingested(new=1, changed=0)
    assert await papers.remember([a_paper()]) == Ingested(new=0, changed=0)
    assert await papers.remember([a_paper(upvotes=3)]) == Ingested(new=0, changed=1)
    assert (await papers.get(["2603.00001"])).keys() == {"2603.00001"}
    assert await papers.since(SPRING) == []
    assert await announced(redis) == []
    await papers.ingest("hf", a_batch(a_paper()), 0)
    assert await announced(redis) == ["2603.00001"]


async def test_remembering_a_seen_paper_does_not_revise_it(redis: Redis) -> None:
    papers = Papers(redis)
    await papers.ingest("hf", a_batch(a_paper(upvotes=3)), 0)
    assert await papers.remember([a_paper(upvotes=30)]) == Ingested(new=0, changed=0)
    await papers.ingest("hf", a_batch(a_paper(upvotes=30)), 0)
    assert (await changes(redis))[-1] == '{"upvotes":[3,30]}'


async def test_the_log_of_changes_has_each_paper_once_at_its_last_change(redis: Redis) -> None:
    papers = Papers(redis)
    await papers.ingest("hf", a_batch(a_paper("a"), a_paper("b")), 0)
    found = await papers.changed(0, 10)
    assert [paper_id for paper_id, _ in found] == ["a", "b"]
    await papers.ingest("hf", a_batch(a_paper("a", upvotes=3), a_paper("b")), 0)
    await papers.remember([a_paper("c")])
    assert [paper_id for paper_id, _ in await papers.changed(found[-1][1], 10)] == ["a", "c"]
    assert [paper_id for paper_id, _ in await papers.changed(0, 2)] == ["b", "a"]
    await redis.delete(keys.paper("b"))
    assert await papers.expired(["a", "b", "c"]) == ["b"]


async def test_a_remembered_paper_that_trends_is_still_announced_once_it_is_listed(redis: Redis) -> None:
    papers = Papers(redis)
    await papers.remember([a_paper()])
    await papers.ingest("hf", a_batch(trending=("2603.00001",)), 0)
    assert (await papers.get(["2603.00001"]))["2603.00001"].rank == 1
    assert await announced(redis) == []
    await papers.ingest("hf", a_batch(a_paper()), 0)
    assert await announced(redis) == ["2603.00001"]


async def test_an_update_changes_only_known_papers(redis: Redis) -> None:
    papers = Papers(redis)
    await papers.ingest("arxiv", a_batch(a_paper("p1", sources=("arxiv",), categories=("cs.CL",))), 0)
    updates = [
        replace(a_paper(i, title="Other"), sources=(), categories=("cs.RO",), withdrawn=True)
        for i in ("p1", "p2")
    ]
    batch = replace(a_batch(), updates=tuple(updates))
    assert await papers.ingest("arxiv", batch, 0) == Ingested(new=0, changed=1)
    assert await papers.ingest("arxiv", batch, 0) == Ingested(new=0, changed=0)
    found = await papers.get(["p1", "p2"])
    assert found.keys() == {"p1"}
    assert (found["p1"].title, found["p1"].categories) == ("On paper p1", ("cs.CL", "cs.RO"))
    assert (found["p1"].sources, found["p1"].withdrawn) == (("arxiv",), True)


async def test_an_update_of_a_remembered_paper_does_not_hide_its_news(redis: Redis) -> None:
    papers = Papers(redis)
    await papers.remember([a_paper("p1")])
    await papers.ingest("arxiv", replace(a_batch(), updates=(replace(a_paper("p1"), sources=()),)), 0)
    assert (await papers.ingest("hf", a_batch(a_paper("p1")), 0)).announced == 1


async def test_all_pages_of_a_poll_are_announced_together(redis: Redis) -> None:
    papers = Papers(redis)
    for number, more in ((1, True), (2, True), (3, False)):
        page = replace(a_batch(a_paper(f"p{number}"), cursor=f"c{number}"), more=more)
        assert (await papers.ingest("arxiv", page, 0)).announced == 1
        assert await papers.cursor("arxiv") == f"c{number}"
        assert len(await polls(redis)) == (0 if more else 1)
    assert await announced(redis) == ["p1", "p2", "p3"]


async def test_the_leader_announces_papers_that_were_held_back(redis: Redis) -> None:
    papers, lease = Papers(redis), Lease(redis)
    fence = await lease.acquire() or 0
    for name in ("a", "b"):
        await papers.ingest(name, a_batch(a_paper("p1"), a_paper(f"of {name}")), fence, hold=True)
    with pytest.raises(LostLease):
        await papers.announce(["a", "b"], fence - 1)
    for _ in range(2):
        await papers.announce(["a", "b"], fence)
    assert [[paper for paper, _ in poll] for poll in await polls(redis)] == [["p1", "of a", "of b"]]
