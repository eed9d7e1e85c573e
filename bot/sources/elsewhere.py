"""The upstreams' own search, for papers that were never listed here."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import structlog

from bot.domain.errors import SourceError
from bot.domain.models import Paper
from bot.query import Query
from bot.sources import arxiv_search, huggingface_search, semantic_scholar
from bot.sources.wiring import Wiring

PATIENCE = 2.0
"""Seconds for all of them together: a person waits."""
MOST = 10
"""Papers asked of each."""

_T = TypeVar("_T")
log = structlog.get_logger(__name__)


class Finder(Protocol):
    """An upstream that can be searched."""

    @property
    def name(self) -> str:
        """As people know it."""

    async def search(self, words: str, query: Query | None, most: int) -> Sequence[Paper]:
        """At most `most` papers, the best first, for `words`; `query` says more exactly what is meant.

        Raises SourceError.
        """

    async def paper(self, paper_id: str) -> Paper | None:
        """The paper of that id, None where there is none. Raises SourceError."""


FINDERS: Mapping[str, Callable[[Wiring], Iterable[Finder]]] = {
    "huggingface": huggingface_search.build,
    "arxiv": arxiv_search.build,
    "semantic_scholar": semantic_scholar.build,
}


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """All of them, asked at the same time. Who is late or fails is left out, and that is logged."""

    finders: tuple[Finder, ...] = ()
    patience: float = PATIENCE

    @classmethod
    def build(cls, wiring: Wiring) -> "Elsewhere":
        """Those that the settings allow."""
        return cls(tuple(finder for build in FINDERS.values() for finder in build(wiring)))

    async def search(self, words: str, query: Query | None) -> list[tuple[str, Sequence[Paper]]]:
        """What each has found in time, by its name."""
        asked = {finder.name: finder.search(words, query, MOST) for finder in self.finders}
        return [(name, papers) for name, papers in await self._answers(asked) if papers]

    async def paper(self, paper_id: str) -> tuple[str, Paper] | None:
        """The paper of that id, and who knew it: the first that does."""
        answers = await self._answers({finder.name: finder.paper(paper_id) for finder in self.finders})
        return next(((name, paper) for name, paper in answers if paper is not None), None)

    async def _answers(self, asked: Mapping[str, Awaitable[_T]]) -> list[tuple[str, _T]]:
        tasks = {asyncio.ensure_future(one): name for name, one in asked.items()}
        if not tasks:
            return []
        try:
            await asyncio.wait(tasks, timeout=self.patience)
        finally:
            for task in tasks:
                task.cancel()
        answers = []
        for task, name in tasks.items():
            try:
                answers.append((name, task.result()))
            except (SourceError, asyncio.InvalidStateError, asyncio.CancelledError) as error:
                log.info("not found in time", upstream=name, reason=str(error) or type(error).__name__)
        return answers
