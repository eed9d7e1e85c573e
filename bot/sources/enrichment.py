"""Enrichment: what other upstreams know of papers that were found, such as a one-sentence summary or a code link.

It has the form of a source that lists nothing and only updates. A paper is asked about at fixed ages, once at each:
Semantic Scholar needs days for a new paper. The cursor moves only past papers that were asked about.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple, Protocol, Self

from bot.domain.errors import SourceError
from bot.domain.models import Paper
from bot.ports import Batch
from bot.settings import CommaSeparated, SettingsGroup
from bot.sources.context import SourceContext
from bot.store.papers import Papers

PREFIX = "enrichment"
"""Begins the names of these sources."""
EVERY = timedelta(minutes=30)
"""Time between two polls."""
STEP = timedelta(hours=6)
"""The longest stretch of due papers that one fetch covers after downtime."""


class Cursor(NamedTuple):
    """Every paper that was due before `at` has been asked about; of those due at `at`, the ones up to `paper_id`."""

    at: datetime
    paper_id: str = ""

    def __str__(self) -> str:
        return f"{self.at.isoformat()} {self.paper_id}".rstrip()

    @classmethod
    def parse(cls, written: str) -> Self:
        """The inverse of `str`. Raises SourceError for anything else."""
        at, _, paper_id = written.partition(" ")
        try:
            return cls(datetime.fromisoformat(at).astimezone(UTC), paper_id)
        except (ValueError, OverflowError) as error:
            raise SourceError(f"the cursor of an enrichment in Redis can't be read: {written!r}") from error


class Asked(NamedTuple):
    """The outcome of asking about some papers."""

    updates: list[Paper]
    done: int
    """How many of the papers were asked about, from the first on."""


class Enricher(Protocol):
    """An upstream that knows more about papers."""

    @property
    def name(self) -> str: ...

    @property
    def ages(self) -> Sequence[timedelta]:
        """When to ask about a paper, counted from when it was first seen."""

    @property
    def most(self) -> int:
        """How many papers to ask about in one fetch."""

    def wants(self, paper: Paper) -> bool:
        """Whether it could add something to this paper."""

    async def ask(self, papers: Sequence[Paper]) -> Asked:
        """Ask about the papers in order. Raises SourceError if it could not ask about the first one."""


class Enrichment:
    """The source that asks one enricher."""

    def __init__(self, enricher: Enricher, papers: Papers, now: Callable[[], datetime]) -> None:
        self.name = f"{PREFIX}:{enricher.name}"
        self._enricher = enricher
        self._papers = papers
        self._now = now

    async def fetch(self, cursor: str | None) -> Batch:
        """Updates of the next papers that are due, in the order in which they became due."""
        now = self._now()
        if cursor is None:
            return Batch(papers=(), cursor=str(Cursor(now)))
        reached = Cursor.parse(cursor)
        until = max(reached.at, min(now, reached.at + STEP))
        due = await self._due(reached, until)
        some = due[: self._enricher.most]
        asked = await self._enricher.ask([paper for _, paper in some]) if some else Asked([], 0)
        if asked.done < len(due):
            last, paper = some[asked.done - 1]
            following = Cursor(last, paper.id)
        else:
            following = Cursor(until)
        more = asked.done < len(due) or until < now
        return Batch(papers=(), cursor=str(following), updates=tuple(asked.updates), more=more)

    async def _due(self, reached: Cursor, until: datetime) -> list[tuple[datetime, Paper]]:
        """The papers that come of an age after `reached` and before `until`, with when they do."""
        due: dict[str, tuple[datetime, Paper]] = {}
        for age in self._enricher.ages:
            # A millisecond earlier: scores and datetimes are rounded differently.
            found = await self._papers.between(reached.at - age - timedelta(milliseconds=1), until - age)
            wanted = {paper.id: paper for paper in found if self._enricher.wants(paper)}
            for paper_id, seen_at in (await self._papers.first_seen(list(wanted))).items():
                at = datetime.fromtimestamp(seen_at / 1000, UTC) + age
                if reached < (at, paper_id) < (until, "") and paper_id not in due:
                    due[paper_id] = (at, wanted[paper_id])
        return sorted(due.values(), key=lambda pair: (pair[0], pair[1].id))

    def next_poll(self, now: datetime) -> datetime:
        return now + EVERY


class EnrichmentSettings(SettingsGroup):
    """Which upstreams are asked for more about papers that were found."""

    enrich: CommaSeparated[Literal["semanticscholar", "huggingface"]] = ()
    """`semanticscholar` for one-sentence summaries, `huggingface` for code links; no post waits for them."""


def build_enrichment(context: SourceContext, enrichers: Iterable[Enricher]) -> tuple[Enrichment, ...]:
    """A source for each of the enrichers that the settings name."""
    named = context.settings.of(EnrichmentSettings).enrich
    papers = Papers(context.redis)
    return tuple(Enrichment(one, papers, context.now) for one in enrichers if one.name in named)
