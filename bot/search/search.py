"""Answers `/paper search` from an index of the papers in Redis, searched in threads."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from bot.domain.models import Paper
from bot.policy.synonyms import Synonym
from bot.query import Query
from bot.query.nodes import all_of
from bot.search.aboutness import MAX_PAPERS, Part, split_search
from bot.search.acronyms import synonyms_of
from bot.search.fields import day_of
from bot.search.index import Index
from bot.search.index_updater import IndexProgress, IndexUpdater
from bot.search.query_parser import ParsedSearch, parse_search
from bot.search.ranking import CANDIDATES, ENOUGH, Ranked, Ranking, Sort
from bot.search.results import SearchResults
from bot.search.similarity import most_similar
from bot.search.suggestions import complete_title, suggest_spelling
from bot.search.terms import Terms
from bot.search.weekly_counts import per_week
from bot.store.notifications import Notifications
from bot.store.papers import Papers
from bot.store.worker_loop import run_worker

PAGE = 5
"""Number of papers on a page of results."""
CHECK_BATCH = 10
"""Number of papers that one task in a thread checks exactly, which takes some milliseconds."""
PAUSE = 2.0
"""Seconds until new papers are indexed: one commit for all sources of a poll, once its first posts are out."""
SWEEP = 86_400.0
"""Seconds between two removals of papers whose records have expired."""
BUSY = 10.0
"""Seconds until we try again to write an index that another process is writing."""
THREADS = 2

_T = TypeVar("_T")


class Search:
    """Searches all stored papers. Each process that answers commands has one.

    While `run` follows the changes, searches use the index as it is; otherwise each search catches up first.
    The index is stored in `folder` (None: in memory). Until it has a paper, `stand_ins` are searched instead.
    """

    def __init__(
        self,
        papers: Papers,
        folder: Path | None,
        now: Callable[[], datetime],
        stand_ins: Callable[[], Awaitable[Sequence[Paper]]] | None = None,
    ) -> None:
        self._papers = papers
        self._folder = folder
        self._now = now
        self._stand_ins = stand_ins
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="search")
        self._opened: tuple[Index, IndexUpdater] | None = None
        self._opening = asyncio.Lock()
        self._followed = False
        self._filled = False

    async def progress(self) -> IndexProgress | None:
        """Return the progress of building the index; None once it is complete."""
        return await (await self._updater()).progress()

    async def find(
        self,
        text: str,
        *,
        days: int | None = None,
        sort: Sort = "best",
        page: int = 1,
        size: int = PAGE,
        within: Query | None = None,
    ) -> SearchResults:
        """Search for `text` in the papers of the last `days` days that match `within`; a page has `size` papers.

        Raises UserError if there is nothing to search for. Any other text gets results, which may be empty.
        """
        parsed = parse_search(text)
        index, known = await self._ready()
        parsed, ranked = await self._thread(self._rank, index, parsed, days, sort, within)
        # A paper that was searched for by its id may not be in the index yet.
        ids = ranked.ids or ((parsed.paper_id,) if parsed.paper_id else ())
        last = max(1, page) * size
        if parsed.must is None or ranked.exact:
            matching, left, total = list(ids), 0, ranked.total
        else:
            matching, left = await self._matching(Query(parsed.must), ids, last, known)
            total = ranked.total if left else len(matching)
        pages = max(1, -(-(len(matching) + left) // size))
        page = min(max(page, 1), pages)
        shown = await self._get(matching[(page - 1) * size : page * size], known)
        parts = None
        if ids and sort == "best" and total < ENOUGH:
            best = await self._get(matching[:MAX_PAPERS], known)
            parts = await self._thread(self._parts, index, parsed, best, total, days)
        spelling = ""
        if not total or not shown:
            spelling = await self._thread(suggest_spelling, parsed, shown, index.searcher())
        progress = await self.progress() if known is None else None
        return SearchResults(
            parsed,
            tuple(shown),
            total,
            pages,
            spelling,
            about=left > 0,
            parts=parts,
            progress=progress,
        )

    async def similar(self, paper: Paper, most: int = PAGE) -> list[Paper]:
        """Return the papers most similar to this one, which need not be in the index."""
        index, known = await self._ready()
        ids = await self._thread(lambda: most_similar(paper, index.schema, index.searcher(), most))
        return await self._get(ids, known)

    async def upvoted(self, days: int, most: int) -> list[Paper]:
        """Return the papers of the last `days` days with the most upvotes."""
        index, known = await self._ready()
        _, ranked = await self._thread(self._rank, index, ParsedSearch(""), days, "top")
        papers = await self._get(ranked.ids, known)
        return [paper for paper in papers if paper.upvotes][:most]

    async def per_week(self, parsed: ParsedSearch) -> tuple[int, ...]:
        """Count the papers that match everything that was typed, for each of the last weeks, oldest first.

        Weeks before the first stored papers are left out. The counts can be slightly too high, because the papers
        aren't checked exactly.
        """
        index, _ = await self._ready()
        searcher, today = index.searcher(), day_of(self._now())
        query = Ranking(index.schema, searcher, today).holding(parsed)
        return await self._thread(per_week, query, Terms(index.schema, searcher), searcher, today)

    async def count(self, query: Query, days: int) -> int:
        """Count the papers published in the last `days` days that match `query`."""
        return (await self.newest(query, days))[1]

    async def newest(
        self, query: Query, days: int | None = None, most: int = CANDIDATES
    ) -> tuple[list[Paper], int]:
        """Return the newest papers that match `query`, and the number of matches in the last `days` days."""
        index, known = await self._ready()
        _, ranked = await self._thread(self._rank, index, ParsedSearch("", must=query.root), days, "new")
        if ranked.exact:
            return await self._get(ranked.ids[:most], known), ranked.total
        matching, left = await self._matching(query, ranked.ids, len(ranked.ids), known)
        return await self._get(matching[:most], known), ranked.total if left else len(matching)

    async def nearest_word(self, word: str) -> str:
        """Return the word of the indexed papers that is spelled most like `word`; "" if none is close."""
        index, _ = await self._ready()
        return await self._thread(suggest_spelling, parse_search(word), (), index.searcher())

    async def titled(self, typed: str, most: int) -> list[Paper]:
        """Return papers whose titles have these words; the last word may be incomplete."""
        index, known = await self._ready()
        ids = await self._thread(lambda: complete_title(typed, index.schema, index.searcher(), most))
        return await self._get(ids, known)

    async def synonyms(self, query: Query) -> list[Synonym]:
        """Return alternatives to parts of `query`, from the acronyms that papers explain."""
        index, _ = await self._ready()
        return await self._thread(lambda: synonyms_of(query, index.schema, index.searcher()))

    async def run(self, notifications: Notifications) -> None:
        """Index changed papers until cancelled."""
        self._followed = True
        clock = asyncio.get_running_loop().time
        swept = -SWEEP
        with notifications.waiting_for("records") as records_written:

            async def work() -> None:
                nonlocal swept
                records_written.clear()
                complete = await self.catch_up()
                if complete and clock() - swept >= SWEEP:
                    await (await self._updater()).remove_expired()
                    swept = clock()
                with suppress(TimeoutError):
                    async with asyncio.timeout(None if complete else BUSY):
                        await records_written.wait()
                await asyncio.sleep(PAUSE)

            await run_worker("search", work)

    async def catch_up(self) -> bool:
        """Index every change up to now. -> False if another process is writing the index.

        Raises RedisError and IndexWriterFailed; the next call resumes.
        """
        return await (await self._updater()).catch_up()

    async def close(self) -> None:
        """Release the index and end the threads."""
        if self._opened is not None:
            await self._thread(self._opened[0].close)
            self._opened = None
        self._threads.shutdown(wait=False)

    def _rank(
        self,
        index: Index,
        parsed: ParsedSearch,
        days: int | None,
        sort: Sort,
        within: Query | None = None,
    ) -> tuple[ParsedSearch, Ranked]:
        ranking = Ranking(index.schema, index.searcher(), day_of(self._now()))
        parsed = ranking.understood(parsed)
        if within is not None:
            parsed = replace(parsed, must=all_of(filter(None, (parsed.must, within.root))))
        return parsed, ranking.search(parsed, days=days, sort=sort)

    def _parts(
        self, index: Index, parsed: ParsedSearch, best: Sequence[Paper], total: int, days: int | None
    ) -> tuple[Part, ...] | None:
        ranking = Ranking(index.schema, index.searcher(), day_of(self._now()))
        return split_search(parsed, best, total, ranking, days)

    async def _matching(
        self, query: Query, ids: Sequence[str], most: int, known: dict[str, Paper] | None
    ) -> tuple[list[str], int]:
        """Return the first `most` ids that match `query` exactly, and the number of unchecked ids."""
        matching: list[str] = []
        for start in range(0, len(ids), CHECK_BATCH):
            some = await self._get(ids[start : start + CHECK_BATCH], known)
            matching += await self._thread(_matching_ids, query, some)
            if len(matching) >= most:
                return matching, max(0, len(ids) - start - CHECK_BATCH)
        return matching, 0

    async def _get(self, ids: Sequence[str], known: dict[str, Paper] | None) -> list[Paper]:
        found = known if known is not None else await self._papers.get(ids)
        return [found[paper_id] for paper_id in ids if paper_id in found]

    async def _ready(self) -> tuple[Index, dict[str, Paper] | None]:
        """Return the index; while it is empty, an index of the stand-ins, and the stand-ins by id."""
        if not self._followed:
            await self.catch_up()
        index = await self._index()
        self._filled = self._filled or await self._thread(lambda: index.papers > 0)
        if self._filled or self._stand_ins is None:
            return index, None
        papers = await self._stand_ins()
        if not papers:
            return index, None
        return await self._thread(_in_memory, papers), {paper.id: paper for paper in papers}

    async def _index(self) -> Index:
        await self._updater()
        assert self._opened is not None  # noqa: S101  # the line above has opened it
        return self._opened[0]

    async def _updater(self) -> IndexUpdater:
        async with self._opening:
            if self._opened is None:
                index = await self._thread(_warm, self._folder)
                self._opened = index, IndexUpdater(self._papers, index)
        return self._opened[1]

    async def _thread(self, work: Callable[..., _T], *args: object) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *args)


def _warm(folder: Path | None) -> Index:
    """Open the index and search it once, because the first search is slow: it reads files and loads tables."""
    index = Index(folder)
    Ranking(index.schema, index.searcher(), 0).search(parse_search('"language model" $x$ learnign'))
    return index


def _matching_ids(query: Query, papers: Sequence[Paper]) -> list[str]:
    return [paper.id for paper in papers if query.matches(paper)]


def _in_memory(papers: Sequence[Paper]) -> Index:
    index = Index()
    index.become_writer()
    index.write(papers, (), 0)
    return index
