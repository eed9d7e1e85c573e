"""What answers `/paper search`: an index that follows the papers in Redis, searched in threads."""

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
from bot.search.aboutness import LOOKED_AT, Part, parts_apart
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
from bot.search.weeks import per_week
from bot.store.notifications import Notifications
from bot.store.papers import Papers
from bot.store.worker_loop import run_worker

PAGE = 5
"""Papers on a page of results."""
PROVEN_AT_ONCE = 10
"""Papers checked to the letter by one task in a thread: some milliseconds."""
PAUSE = 2.0
"""Seconds from news to its being searchable: one commit for all sources of a poll, once its first posts are out."""
SWEEP = 86_400.0
"""Seconds between two searches for papers whose records have expired."""
BUSY = 10.0
"""Seconds until we try again to write an index that another process is writing."""
THREADS = 2

_T = TypeVar("_T")


class Search:
    """The papers that were seen or remembered, to be searched. One for each process that answers commands.

    Where `run` follows the changes, answers come from what has been followed; else each search catches up first.
    `folder` keeps the index (None: memory); `stand_ins` are searched for as long as the index holds nothing.
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
        """How far the index is that is being built; None once it is complete."""
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
        """What answers `text`. `days` counts back from today, and a page has `size` papers, which match `within`, too.

        Raises UserError where there is nothing to look for. Whatever else is typed is an answer, if an empty one.
        """
        parsed = parse_search(text)
        index, known = await self._ready()
        parsed, ranked = await self._thread(self._rank, index, parsed, days, sort, within)
        # A paper that is typed by its id is perhaps not in the index yet.
        ids = ranked.ids or ((parsed.paper_id,) if parsed.paper_id else ())
        last = max(1, page) * size
        if parsed.must is None or ranked.exact:
            proven, left, total = list(ids), 0, ranked.total
        else:
            proven, left = await self._proven(Query(parsed.must), ids, last, known)
            total = ranked.total if left else len(proven)
        pages = max(1, -(-(len(proven) + left) // size))
        page = min(max(page, 1), pages)
        shown = await self._get(proven[(page - 1) * size : page * size], known)
        parts = None
        if ids and sort == "best" and total < ENOUGH:
            best = await self._get(proven[:LOOKED_AT], known)
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
        """The papers that are most like this one, which need not be in the index."""
        index, known = await self._ready()
        ids = await self._thread(lambda: most_similar(paper, index.schema, index.searcher(), most))
        return await self._get(ids, known)

    async def upvoted(self, days: int, most: int) -> list[Paper]:
        """Of the papers published in the last `days` days, those with the most upvotes."""
        index, known = await self._ready()
        _, ranked = await self._thread(self._rank, index, ParsedSearch(""), days, "top")
        papers = await self._get(ranked.ids, known)
        return [paper for paper in papers if paper.upvotes][:most]

    async def per_week(self, parsed: ParsedSearch) -> tuple[int, ...]:
        """How many papers hold all that was typed, in each of the last weeks, the oldest first.

        Weeks before the first papers that are known here are left out. Where the language has to be asked, it can be
        a few papers less.
        """
        index, _ = await self._ready()
        searcher, today = index.searcher(), day_of(self._now())
        query = Ranking(index.schema, searcher, today).holding(parsed)
        return await self._thread(per_week, query, Terms(index.schema, searcher), searcher, today)

    async def count(self, query: Query, days: int) -> int:
        """How many papers published in the last `days` days match `query`."""
        return (await self.newest(query, days))[1]

    async def newest(
        self, query: Query, days: int | None = None, most: int = CANDIDATES
    ) -> tuple[list[Paper], int]:
        """The newest papers that match `query`, and how many there are in the last `days` days."""
        index, known = await self._ready()
        _, ranked = await self._thread(self._rank, index, ParsedSearch("", must=query.root), days, "new")
        if ranked.exact:
            return await self._get(ranked.ids[:most], known), ranked.total
        proven, left = await self._proven(query, ranked.ids, len(ranked.ids), known)
        return await self._get(proven[:most], known), ranked.total if left else len(proven)

    async def nearest_word(self, word: str) -> str:
        """The word that papers have and that is spelled most like `word`; "" if none is close."""
        index, _ = await self._ready()
        return await self._thread(suggest_spelling, parse_search(word), (), index.searcher())

    async def titled(self, typed: str, most: int) -> list[Paper]:
        """Papers whose titles have these words, of which the last may have just begun."""
        index, known = await self._ready()
        ids = await self._thread(lambda: complete_title(typed, index.schema, index.searcher(), most))
        return await self._get(ids, known)

    async def synonyms(self, query: Query) -> list[Synonym]:
        """What the papers' own explanations of acronyms offer as an alternative to a part of `query`."""
        index, _ = await self._ready()
        return await self._thread(lambda: synonyms_of(query, index.schema, index.searcher()))

    async def run(self, notifications: Notifications) -> None:
        """Follow what is written of papers until cancelled."""
        self._followed = True
        clock = asyncio.get_running_loop().time
        swept = -SWEEP
        with notifications.waiting_for("records") as written:

            async def work() -> None:
                nonlocal swept
                written.clear()
                complete = await self.catch_up()
                if complete and clock() - swept >= SWEEP:
                    await (await self._updater()).remove_expired()
                    swept = clock()
                with suppress(TimeoutError):
                    async with asyncio.timeout(None if complete else BUSY):
                        await written.wait()
                await asyncio.sleep(PAUSE)

            await run_worker("search", work)

    async def catch_up(self) -> bool:
        """Take in every change up to now. -> False if another process is writing the index.

        Raises RedisError and IndexWriterFailed; the next call goes on from there.
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
        return parts_apart(parsed, best, total, ranking, days)

    async def _proven(
        self, query: Query, ids: Sequence[str], most: int, known: dict[str, Paper] | None
    ) -> tuple[list[str], int]:
        """The first `most` that hold to the letter, for the language itself has the last word; how many are left."""
        proven: list[str] = []
        for start in range(0, len(ids), PROVEN_AT_ONCE):
            some = await self._get(ids[start : start + PROVEN_AT_ONCE], known)
            proven += await self._thread(_holding, query, some)
            if len(proven) >= most:
                return proven, max(0, len(ids) - start - PROVEN_AT_ONCE)
        return proven, 0

    async def _get(self, ids: Sequence[str], known: dict[str, Paper] | None) -> list[Paper]:
        found = known if known is not None else await self._papers.get(ids)
        return [found[paper_id] for paper_id in ids if paper_id in found]

    async def _ready(self) -> tuple[Index, dict[str, Paper] | None]:
        """The index to ask; as long as nothing is in it, one of the stand-ins, and these."""
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
    """The index, parsed once: the first search reads files and loads what later ones have."""
    index = Index(folder)
    Ranking(index.schema, index.searcher(), 0).search(parse_search('"language model" $x$ learnign'))
    return index


def _holding(query: Query, papers: Sequence[Paper]) -> list[str]:
    return [paper.id for paper in papers if query.matches(paper)]


def _in_memory(papers: Sequence[Paper]) -> Index:
    index = Index()
    index.become_writer()
    index.write(papers, (), 0)
    return index
