"""What answers `/paper search`: an index that follows what is written of papers, asked off the event loop."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import structlog

from bot.domain.models import Paper
from bot.query import Query
from bot.search.fields import day_of
from bot.search.index import Index
from bot.search.query_parser import ParsedSearch, parse_search
from bot.search.ranking import Ranked, Ranking, Sort
from bot.search.similarity import most_similar
from bot.search.spelling import suggest_spelling
from bot.search.title_completion import complete_title
from bot.store.notifications import Notifications
from bot.store.papers import Papers
from bot.store.worker_loop import run_worker

PAGE = 5
"""Papers on a page of results."""
AT_ONCE = 2000
"""Papers written by one commit: about two seconds, in a thread."""
PROVEN_AT_ONCE = 10
"""Papers of which the language is asked whether it holds for them: some milliseconds."""
PAUSE = 2.0
"""Seconds from news to its being searchable: one commit for all sources of a poll, once its first posts are out."""
SWEEP = 86_400.0
"""Seconds between two looks for papers whose records are kept no longer."""
THREADS = 2

_T = TypeVar("_T")
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SearchResults:
    """One page of what was found, best first."""

    parsed: ParsedSearch
    papers: tuple[Paper, ...]
    total: int
    """Papers that have all that was typed, as it was typed; no more than the first 50 can be paged to.

    Where they are few, papers that come near are among `papers`, too.
    """
    pages: int
    spelling: str = ""
    """What was probably meant, where words are unknown."""
    about: bool = False
    """`total` may be a little less."""
    parts: tuple[tuple[str, int], ...] | None = None
    """Set where nothing is about all that was typed: what to look for instead, with its number of papers.

    `papers` then only share words with the search.
    """
    complete: bool = True
    """Whether the index had followed every change, when it was last looked at."""

    @property
    def loose(self) -> bool:
        """No paper has all that was typed: these come near."""
        return not self.total and bool(self.papers)


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
        self._opened: Index | None = None
        self._opening = asyncio.Lock()
        self._following = asyncio.Lock()
        self._followed = False
        self._complete = False
        self._filled = False

    async def find(
        self, text: str, *, days: int | None = None, sort: Sort = "best", page: int = 1
    ) -> SearchResults:
        """What answers `text`. `days` counts back from today. Raises UserError where there is nothing to look for.

        Whatever else is typed is an answer, if an empty one.
        """
        asked = parse_search(text)
        index, known = await self._ready()
        asked, ranked = await self._thread(self._rank, index, asked, days, sort)
        ids = ranked.ids or (
            (asked.paper_id,) if asked.paper_id else ()
        )  # perhaps it is not in the index yet
        last = max(1, page) * PAGE
        if asked.must is None or ranked.exact:
            proven, left, total = list(ids), 0, ranked.total
        else:
            proven, left = await self._proven(Query(asked.must), ids, last, known)
            total = ranked.total if left else len(proven)
        pages = max(1, -(-(len(proven) + left) // PAGE))
        page = min(max(page, 1), pages)
        shown = await self._get(proven[(page - 1) * PAGE : page * PAGE], known)
        spelling = ""
        if not total or not shown:
            spelling = await self._thread(suggest_spelling, asked, shown, index.searcher())
        complete = self._complete or known is not None
        return SearchResults(
            asked, tuple(shown), total, pages, spelling, about=left > 0, parts=ranked.parts, complete=complete
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

    async def titled(self, typed: str, most: int) -> list[Paper]:
        """Papers whose titles have these words, of which the last may have just begun."""
        index, known = await self._ready()
        ids = await self._thread(lambda: complete_title(typed, index.schema, index.searcher(), most))
        return await self._get(ids, known)

    async def run(self, notifications: Notifications) -> None:
        """Follow what is written of papers until cancelled."""
        self._followed = True
        clock = asyncio.get_running_loop().time
        swept = -SWEEP
        with notifications.waiting_for("records") as written:

            async def work() -> None:
                nonlocal swept
                written.clear()
                await self.catch_up()
                if clock() - swept >= SWEEP:
                    await self.sweep()
                    swept = clock()
                await written.wait()
                await asyncio.sleep(PAUSE)

            await run_worker("search", work)

    async def catch_up(self) -> bool:
        """Take in every change up to now. -> whether this process writes the index; else another one does.

        Raises RedisError; the next call goes on from there.
        """
        async with self._following:
            index = await self._index()
            if not await self._thread(index.become_writer):
                self._complete = True
                return False
            position = await self._thread(lambda: index.position)
            if position and position > await self._papers.last_change():
                log.warning("Redis has forgotten what the search index holds: it is built anew")
                await self._thread(index.clear)
                position = 0
            while changes := await self._papers.changed(position, AT_ONCE):
                position = changes[-1][1]
                ids = [paper_id for paper_id, _ in changes]
                found = await self._papers.get(ids)
                gone = [paper_id for paper_id in ids if paper_id not in found]
                await self._thread(index.write, list(found.values()), gone, position)
                if len(changes) == AT_ONCE:  # a build, which takes a while: whoever watches sees it come on
                    log.info("indexing", papers=index.papers)
            self._complete = True
            return True

    async def sweep(self) -> None:
        """Take out the papers whose records are kept no longer."""
        async with self._following:
            index = await self._index()
            if not await self._thread(index.become_writer):
                return
            ids = await self._thread(index.ids)
            for start in range(0, len(ids), AT_ONCE):
                if gone := await self._papers.gone(ids[start : start + AT_ONCE]):
                    position = await self._thread(lambda: index.position)
                    await self._thread(index.write, (), gone, position)

    async def close(self) -> None:
        """Let another process write the index."""
        if self._opened is not None:
            await self._thread(self._opened.close)
            self._opened = None
        self._threads.shutdown(wait=False)

    def _rank(
        self, index: Index, asked: ParsedSearch, days: int | None, sort: Sort
    ) -> tuple[ParsedSearch, Ranked]:
        ranking = Ranking(index.schema, index.searcher(), day_of(self._now()))
        asked = ranking.understood(asked)
        return asked, ranking.search(asked, days=days, sort=sort)

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
        """The index, up to date; where nothing is in it yet, one of the stand-ins, and these."""
        if not self._followed:
            await self.catch_up()
        return await self._shelf()

    async def _shelf(self) -> tuple[Index, dict[str, Paper] | None]:
        index = await self._index()
        self._filled = self._filled or await self._thread(lambda: index.papers > 0)
        if self._filled or self._stand_ins is None:
            return index, None
        papers = await self._stand_ins()
        return await self._thread(_in_memory, papers), {paper.id: paper for paper in papers}

    async def _index(self) -> Index:
        async with self._opening:
            if self._opened is None:
                self._opened = await self._thread(_warm, self._folder)
        return self._opened

    async def _thread(self, work: Callable[..., _T], *args: object) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *args)


def _warm(folder: Path | None) -> Index:
    """The index, asked once: the first search reads files and loads what later ones have."""
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
