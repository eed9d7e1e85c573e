"""Queries upstreams on demand: their own search, one paper, one past day."""

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
"""Timeout for all upstreams together, in seconds: a person is waiting."""
PAPER_TIMEOUT = 9.0
"""Timeout for one paper by its id, in seconds: arXiv is asked in up to three ways, 3 s apart."""
MAX_PAPERS = 10
"""Maximum number of papers requested from each upstream."""

_T = TypeVar("_T")
log = structlog.get_logger(__name__)


class Finder(Protocol):
    """An upstream that can be searched."""

    @property
    def name(self) -> str:
        """The upstream's name as people know it."""

    async def search(self, words: str, query: Query | None, most: int) -> Sequence[Paper]:
        """Return at most `most` papers for `words`, best first; `query` is the parsed query, if `words` is one.

        Raises SourceError.
        """

    async def paper(self, paper_id: str) -> Paper | None:
        """Return the paper with that canonical id; None if there is none. Raises SourceError."""


class History(Protocol):
    """An upstream that can list one past day."""

    @property
    def name(self) -> str:
        """The upstream's name as people know it."""

    async def of(self, day: date) -> Sequence[Paper]:
        """Return the papers listed for `day`. Raises SourceError."""


@dataclass(frozen=True, slots=True)
class UpstreamSearch:
    """Queries several upstreams at the same time. One that is late or fails is left out and logged."""

    finders: tuple[Finder, ...] = ()
    timeout: float = TIMEOUT
    paper_timeout: float = PAPER_TIMEOUT

    async def search(self, words: str, query: Query | None) -> list[tuple[str, Sequence[Paper]]]:
        """Return the name of each upstream that found papers in time, with the papers."""
        requests = {finder.name: finder.search(words, query, MAX_PAPERS) for finder in self.finders}
        return [(name, papers) for name, papers in await self._answers(requests, self.timeout) if papers]

    async def paper(self, paper_id: str) -> tuple[str, Paper] | None:
        """Return the paper with that id, and the name of the first upstream that knows it."""
        requests = {finder.name: finder.paper(paper_id) for finder in self.finders}
        answers = await self._answers(requests, self.paper_timeout, enough=1)
        return next(((name, paper) for name, paper in answers if paper is not None), None)

    async def _answers(
        self, requests: Mapping[str, Awaitable[_T]], seconds: float, *, enough: int | None = None
    ) -> list[tuple[str, _T]]:
        """Collect answers for `seconds`, or until `enough` upstreams have found something."""
        tasks = {asyncio.ensure_future(request): name for name, request in requests.items()}
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
