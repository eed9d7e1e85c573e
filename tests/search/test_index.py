"""The index is a view: whatever becomes of it or of its process, in the end it holds what Redis holds."""

import asyncio
import multiprocessing
import random
from pathlib import Path

from redis.asyncio import Redis
from tantivy import Query

from bot.domain.models import Paper
from bot.search import Search
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


async def held(search: Search) -> dict[str, int]:
    """Every paper of the index, with its upvotes there."""
    index = await search._index()
    searcher = index.searcher()
    hits = searcher.search(Query.term_query(index.schema, "title", "number"), 10_000).hits
    addresses = [address for _, address in hits]
    ids = [str(searcher.doc(address)["id"][0]) for address in addresses]
    assert len(ids) == len(set(ids)) == index.papers, "each paper is there once"
    upvotes = searcher.fast_field_values("upvotes", addresses)
    return {paper_id: int(votes or 0) for paper_id, votes in zip(ids, upvotes, strict=True)}


async def test_killed_in_its_commits_it_opens_and_catches_up(
    valkey: str, papers: Papers, search: Search, tmp_path: Path
) -> None:
    FORKS.set_forkserver_preload(["tests.search.index_writer_process"])
    chance, upvotes = random.Random(7), dict[str, int]()
    for kill in range(1, KILLS + 1):
        here, there = FORKS.Pipe(duplex=False)
        process = FORKS.Process(target=follow, args=(valkey, str(tmp_path / "search"), there), daemon=True)
        process.start()
        there.close()
        assert await asyncio.to_thread(here.poll, 30)
        for _ in range(chance.randint(1, 6)):
            changed = [numbered(chance.randrange(300), kill) for _ in range(20)]
            upvotes |= {paper.id: kill for paper in changed}
            await papers.remember(changed)
        await asyncio.sleep(chance.random() * 0.03)
        process.kill()
        process.join()
    assert await search.catch_up(), "whoever was killed has left no lock"
    assert await held(search) == upvotes


class Followed(Papers):
    """Says when every change was taken in."""

    def __init__(self, redis: Redis) -> None:
        super().__init__(redis)
        self.up_to_date = asyncio.Event()

    async def changed(self, position: int, most: int) -> list[tuple[str, int]]:
        found = await super().changed(position, most)
        if position and not found:
            self.up_to_date.set()
        return found


async def test_it_follows_by_itself_what_is_written(redis: Redis) -> None:
    papers, wake = Followed(redis), Notifications(redis)
    search = Search(papers, None, lambda: NOW)
    roles = [asyncio.create_task(role) for role in (search.run(wake), wake.run())]
    await papers.remember([numbered(1)])
    async with asyncio.timeout(20):
        await papers.up_to_date.wait()
    assert (await search.find("number 1")).papers == (numbered(1),)
    await cancel(roles)
    await search.close()


async def test_a_damaged_index_is_built_anew(papers: Papers, search: Search, tmp_path: Path) -> None:
    await papers.remember([numbered(n) for n in range(50)])
    await search.catch_up()
    await search.close()
    for file in (tmp_path / "search").rglob("*.idx"):
        file.write_bytes(file.read_bytes()[:-7])
    again = Search(papers, tmp_path / "search", lambda: NOW)
    assert await again.catch_up()
    assert len(await held(again)) == 50
    await again.close()


async def test_a_lost_index_is_built_anew(papers: Papers, search: Search) -> None:
    await papers.remember([numbered(1)])
    await search.catch_up()
    empty = Search(papers, None, lambda: NOW)
    await empty.catch_up()
    assert await held(empty) == await held(search) == {"p00001": 0}
    await empty.close()


async def test_of_two_processes_one_writes_and_both_answer(
    papers: Papers, search: Search, tmp_path: Path
) -> None:
    other = Search(papers, tmp_path / "search", lambda: NOW)
    assert await search.catch_up()
    await papers.remember([numbered(1)])
    assert not await other.catch_up()
    await search.catch_up()
    assert [paper.id for paper in (await other.find("number")).papers] == ["p00001"]
    await search.close()
    await papers.remember([numbered(2)])
    assert await other.catch_up(), "the next one takes over"
    assert len(await held(other)) == 2
    await other.close()


async def test_what_redis_has_forgotten_is_forgotten(redis: Redis, papers: Papers, search: Search) -> None:
    await papers.remember([numbered(1), numbered(2)])
    await search.catch_up()
    await redis.delete(keys.paper("p00002"))  # as when its time is over
    await search.sweep()
    assert (await held(search)).keys() == {"p00001"}
    await redis.flushall()  # as when a server loses its last seconds
    await search.catch_up()
    assert await held(search) == {}
    await papers.remember([numbered(3)])
    await search.catch_up()
    assert (await held(search)).keys() == {"p00003"}


async def test_where_no_folder_can_be_made_memory_will_do(papers: Papers, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    search = Search(papers, tmp_path / "file", lambda: NOW)
    await papers.remember([numbered(1)])
    assert [paper.id for paper in (await search.find("number")).papers] == ["p00001"]
    await search.close()
