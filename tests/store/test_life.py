"""Events are stored and announced once, with their change, and never for a first record or a backfill."""

import json
from dataclasses import replace
from typing import Any

from redis.asyncio import Redis

from bot.domain.models import Paper
from bot.policy.life import new_events
from bot.ports import Batch
from bot.store import keys, records
from bot.store.papers import Papers
from tests.papers import a_paper

V1 = a_paper(sources=("arxiv",), versions=1, comment="9 pages")
V2 = replace(V1, sources=(), versions=2, comment="Accepted at ICML 2026")
EVENTS = ["accepted-icml-2026", "v2"]


async def announced(redis: Redis, paper: Paper) -> list[str]:
    """Return the events in the stream of polls."""
    found: list[str] = []
    entries: Any = await redis.xrange(keys.PAPERS)
    for _, fields in entries:
        for _, change in json.loads(fields["news"]):
            after, before = records.rewind(paper, change)
            found += sorted(event.key for event in new_events(before, after)) if before else []
    return found


async def test_a_harvest_announces_events_once(redis: Redis) -> None:
    papers = Papers(redis)
    await papers.ingest("arxiv", Batch((V1,), "1"), 0)
    for cursor in "2", "3":
        await papers.ingest("arxiv", Batch((), cursor, updates=(V2,)), 0)
        await papers.ingest("other", Batch((replace(V2, sources=("arxiv",)),), cursor), 0)
    stored = (await papers.get([V1.id]))[V1.id]
    assert await announced(redis, stored) == EVENTS
    assert [event.key for event in stored.events] == ["v2", "accepted-icml-2026"]


async def test_a_date_without_content_changes_nothing(redis: Redis) -> None:
    papers = Papers(redis)
    await papers.ingest("arxiv", Batch((V1,), "1"), 0)
    before = await papers.last_change()
    await papers.ingest("arxiv", Batch((), "2", updates=(replace(V1, sources=()),)), 0)
    assert await papers.last_change() == before


async def test_a_first_record_and_a_backfill_announce_no_events(redis: Redis) -> None:
    papers = Papers(redis)
    await papers.ingest("huggingface", Batch((a_paper(),), "1"), 0)
    await papers.ingest("arxiv", Batch((), "1", history=(replace(V2, sources=("arxiv",)),)), 0)
    await papers.ingest("arxiv", Batch((), "2", history=(replace(V2, versions=3, sources=("arxiv",)),)), 0)
    stored = (await papers.get([V1.id]))[V1.id]
    assert stored.events == ()
    assert stored.versions == 2
    await papers.ingest("arxiv", Batch((), "3", updates=(replace(V2, versions=3),)), 0)
    stored = (await papers.get([V1.id]))[V1.id]
    assert await announced(redis, stored) == ["v3"], "the harvest's papers are still news after a backfill"


async def test_a_paper_that_no_source_listed_has_events_too(redis: Redis) -> None:
    papers = Papers(redis)
    await papers.remember([V1])
    await papers.ingest("arxiv", Batch((), "1", updates=(V2,)), 0)
    assert await announced(redis, (await papers.get([V1.id]))[V1.id]) == EVENTS


async def test_a_new_version_revises_the_text_and_an_old_copy_does_not(redis: Redis) -> None:
    papers = Papers(redis)
    listed = a_paper(title="Old", sources=("huggingface",))
    await papers.ingest("huggingface", Batch((listed,), "1"), 0)
    await papers.ingest("arxiv", Batch((replace(V1, title="Old"),), "1"), 0)
    await papers.ingest("arxiv", Batch((), "2", updates=(replace(V2, title="New"),)), 0)
    await papers.ingest("huggingface", Batch((replace(listed, upvotes=5),), "2"), 0)
    stored = (await papers.get([V1.id]))[V1.id]
    assert (stored.title, stored.upvotes) == ("New", 5)


async def test_a_reverted_withdrawal_is_no_longer_shown(redis: Redis) -> None:
    papers = Papers(redis)
    await papers.ingest("arxiv", Batch((V1,), "1"), 0)
    withdrawn = replace(V1, sources=(), versions=2, withdrawn=True, comment="Withdrawn: an error")
    await papers.ingest("arxiv", Batch((), "2", updates=(withdrawn,)), 0)
    await papers.ingest("huggingface", Batch((a_paper(),), "1"), 0)
    assert (await papers.get([V1.id]))[V1.id].withdrawn
    await papers.ingest(
        "arxiv", Batch((), "3", updates=(replace(V1, sources=(), versions=3, withdrawn=False),)), 0
    )
    stored = (await papers.get([V1.id]))[V1.id]
    assert not stored.withdrawn
    assert await announced(redis, stored) == ["withdrawn-v2", "reinstated-v3", "v3"]
