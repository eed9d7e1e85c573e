"""The index is derived: whatever happens to it or its process, it catches up with Redis."""

import asyncio
import multiprocessing
import os
import random
import signal
from pathlib import Path

import pytest
from redis.asyncio import Redis
from tantivy import Query

from bot.domain.models import Paper
from bot.search.index import Index
from bot.search.index_updater import IndexProgress
from bot.search.index_writer import IndexWriterFailed
from bot.search.search import Search
from bot.store import keys
from bot.store.notifications import Notifications
from bot.store.papers import Papers
from bot.supervisor import cancel
from tests.papers import a_paper
from tests.search.conftest import NOW
from tests.search.index_writer_process import follow

KILLS = 20
FORKS = multiprocessing.get_context("forkserver")


def numbered(number: int, upvotes: int = 0) -> Paper:
    return a_paper(f"p{number:05}", title=f"Number {number}", upvotes=upvotes)


async def index_content(search: Search) -> dict[str, int]:
    """Return the id of every paper in the index -> its upvotes in the index."""
    index = await search._index()
    searcher = index.searcher()
    hits = searcher.search(Query.term_query(index.schema, "title", "number"), 10_000).hits
    addresses = [address for _, address in hits]
    ids = [str(searcher.doc(address)["id"][0]) for address in addresses]
    assert len(ids) == len(set(ids)) == index.papers, "each paper is in the index once"
    upvotes = searcher.fast_field_values("upvotes", addresses)
    return {paper_id: int(votes or 0) for paper_id, votes in zip(ids, upvotes, strict=True)}


async def test_an_index_whose_writer_was_killed_opens_and_catches_up(
    valkey: str, papers: Papers, stored_search: Search, tmp_path: Path
) -> None:
    FORKS.set_forkserver_preload(["tests.search.index_writer_process"])
    chance, upvotes = random.Random(7), dict[str, int]()
    for kill in range(1, KILLS + 1):
        receiver, sender = FORKS.Pipe(duplex=False)
        process = FORKS.Process(target=follow, args=(valkey, str(tmp_path / "search"), sender), daemon=True)
        process.start()
        sender.close()
        assert await asyncio.to_thread(receiver.poll, 30)
        for _ in range(chance.randint(1, 6)):
            changed = [numbered(chance.randrange(300), kill) for _ in range(20)]
            upvotes |= {paper.id: kill for paper in changed}
            await papers.remember(changed)
        await asyncio.sleep(chance.random() * 0.03)
        os.killpg(process.pid or 0, signal.SIGKILL)
        process.join()
    assert await stored_search.catch_up(), "a killed process leaves no lock"
    assert await index_content(stored_search) == upvotes


class ObservedPapers(Papers):
    """Sets `up_to_date` once every change was read."""

    def __init__(self, redis: Redis) -> None:
        super().__init__(redis)
        self.up_to_date = asyncio.Event()

    async def changed(self, position: int, most: int) -> list[tuple[str, int]]:
        found = await super().changed(position, most)
        if position and not found:
            self.up_to_date.set()
        return found


async def test_a_running_search_indexes_new_papers(redis: Redis) -> None:
    papers, wake = ObservedPapers(redis), Notifications(redis)
    search = Search(papers, None, lambda: NOW)
    roles = [asyncio.create_task(role) for role in (search.run(wake), wake.run())]
    await papers.remember([numbered(1)])
    async with asyncio.timeout(20):
        await papers.up_to_date.wait()
    assert (await search.find("number 1")).papers == (numbered(1),)
    await cancel(roles)
    await search.close()


async def test_a_damaged_index_is_rebuilt(papers: Papers, stored_search: Search, tmp_path: Path) -> None:
    await papers.remember([numbered(n) for n in range(50)])
    await stored_search.catch_up()
    await stored_search.close()
    for file in (tmp_path / "search").rglob("*.idx"):
        file.write_bytes(file.read_bytes()[:-7])
    again = Search(papers, tmp_path / "search", lambda: NOW)
    assert await again.catch_up()
    assert len(await index_content(again)) == 50
    await again.close()


async def test_a_lost_index_is_rebuilt(papers: Papers, stored_search: Search) -> None:
    await papers.remember([numbered(1)])
    await stored_search.catch_up()
    empty = Search(papers, None, lambda: NOW)
    await empty.catch_up()
    assert await index_content(empty) == await index_content(stored_search) == {"p00001": 0}
    await empty.close()


async def test_one_of_two_processes_writes_and_both_answer(
    papers: Papers, stored_search: Search, tmp_path: Path
) -> None:
    other = Search(papers, tmp_path / "search", lambda: NOW)
    await papers.remember([numbered(1)])
    assert await stored_search.catch_up()
    assert [paper.id for paper in (await other.find("number")).papers] == ["p00001"]
    await papers.remember([numbered(2)])
    writer = Index(tmp_path / "search")
    assert writer.become_writer()
    assert not await stored_search.catch_up()
    assert not await other.catch_up()
    writer.close()
    assert await other.catch_up(), "another process takes over writing"
    assert len(await index_content(other)) == 2
    await other.close()


async def test_papers_that_are_gone_from_redis_are_removed(
    redis: Redis, papers: Papers, stored_search: Search
) -> None:
    await papers.remember([numbered(1), numbered(2)])
    await stored_search.catch_up()
    await redis.delete(keys.paper("p00002"))  # as if it expired
    await (await stored_search._updater()).remove_expired()
    assert (await index_content(stored_search)).keys() == {"p00001"}
    await redis.flushall()  # as if a server lost its last seconds
    await stored_search.catch_up()
    assert await index_content(stored_search) == {}
    await papers.remember([numbered(3)])
    await stored_search.catch_up()
    assert (await index_content(stored_search)).keys() == {"p00003"}


async def test_without_a_usable_folder_the_index_is_in_memory(papers: Papers, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    search = Search(papers, tmp_path / "file", lambda: NOW)
    await papers.remember([numbered(1)])
    assert [paper.id for paper in (await search.find("number")).papers] == ["p00001"]
    await search.close()


async def test_an_index_that_is_being_built_reports_its_progress(
    papers: Papers, stored_search: Search
) -> None:
    await papers.remember([numbered(n) for n in range(30)])
    updater = await stored_search._updater()
    assert await updater.progress() == IndexProgress(0, 30)
    await stored_search.catch_up()
    assert await updater.progress() is None
    await papers.remember([numbered(n) for n in range(30, 60)])
    assert await updater.progress() is None, "an index that lags behind a poll isn't being built"


async def test_a_search_during_the_first_build_reports_the_progress(papers: Papers) -> None:
    await papers.remember([numbered(n) for n in range(30)])
    search = Search(papers, None, lambda: NOW)
    search._followed = True  # as if `run` were about to start
    found = await search.find("number")
    assert (found.papers, found.progress) == ((), IndexProgress(0, 30))
    await search.close()


async def test_a_writer_process_that_ends_is_an_error_and_is_replaced(
    papers: Papers, stored_search: Search, monkeypatch: pytest.MonkeyPatch
) -> None:
    await papers.remember([numbered(1)])
    with monkeypatch.context() as patched:
        patched.setattr("sys.executable", "/bin/false")
        with pytest.raises(IndexWriterFailed):
            await stored_search.catch_up()
    assert await stored_search.catch_up()
    assert (await index_content(stored_search)).keys() == {"p00001"}
