"""Asks the upstreams on demand: their own search, one paper, one past day."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol, TypeVar

import structlog

from bot.domain.errors import SourceError
from bot.domain.models import Paper
from bot.query import Query

TIMEOUT = 2.0
"""Seconds for all upstreams together: a person waits."""
PAPER_TIMEOUT = 9.0
"""Seconds for one paper by its id: each of arXiv's three ways of asking begins 3 s after the one before."""
MAX_PAPERS = 10
"""Papers asked of each."""

_T = TypeVar("_T")
log = structlog.get_logger(__name__)


class Finder(Protocol):
    """An upstream that can be searched."""

    @property
    def name(self) -> str:
        """The upstream's name as people know it."""

    async def search(self, words: str, query: Query | None, most: int) -> Sequence[Paper]:
        """At most `most` papers for `words`, the best first; `query` is the same, parsed, if it is a query.

        Raises SourceError.
        """

    async def paper(self, paper_id: str) -> Paper | None:
        """The paper of that canonical id; None if there is none. Raises SourceError."""


class History(Protocol):
    """An upstream that can list one past day."""

    @property
    def name(self) -> str:
        """The upstream's name as people know it."""

    async def of(self, day: date) -> Sequence[Paper]:
        """The papers that it lists for `day`. Raises SourceError."""


@dataclass(frozen=True, slots=True)
class UpstreamSearch:
    """Several upstreams, asked at the same time. One that is late or fails is left out, and logged."""

    finders: tuple[Finder, ...] = ()
    timeout: float = TIMEOUT
    paper_timeout: float = PAPER_TIMEOUT

    async def search(self, words: str, query: Query | None) -> list[tuple[str, Sequence[Paper]]]:
        """The papers that each has found in time, by its name."""
        asked = {finder.name: finder.search(words, query, MAX_PAPERS) for finder in self.finders}
        return [(name, papers) for name, papers in await self._answers(asked, self.timeout) if papers]

    async def paper(self, paper_id: str) -> tuple[str, Paper] | None:
        """The paper of that id, and the name of the first upstream that knows it."""
        asked = {finder.name: finder.paper(paper_id) for finder in self.finders}
        answers = await self._answers(asked, self.paper_timeout, enough=1)
        return next(((name, paper) for name, paper in answers if paper is not None), None)

    async def _answers(
        self, asked: Mapping[str, Awaitable[_T]], seconds: float, *, enough: int | None = None
    ) -> list[tuple[str, _T]]:
        """What they answer within `seconds`, or until `enough` of them have found something."""
        tasks = {asyncio.ensure_future(one): name for name, one in asked.items()}
        try:
            async with asyncio.timeout(seconds):
                await _until_found(set(tasks), enough or len(tasks))
        except TimeoutError:
            late = [name for task, name in tasks.items() if not task.done()]
            log.info("upstream_search_failed", upstreams=late, reason=f"no answer within {seconds:g} s")
        finally:
            for task in tasks:
                task.cancel()
        answers: list[tuple[str, _T]] = []
        for task, name in tasks.items():
            if not task.done() or task.cancelled():  # late, or no longer needed
                continue
            try:
                answers.append((name, task.result()))
            except (SourceError, OSError) as error:
                reason = str(error) or type(error).__name__
                log.info("upstream_search_failed", upstream=name, reason=reason)
        return answers


async def _until_found(tasks: set[asyncio.Future[_T]], enough: int) -> None:
    found = 0
    while tasks and found < enough:
        done, tasks = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        found += sum(1 for task in done if not task.exception() and task.result())
