"""Enrichment: adds what other upstreams know about stored papers, such as a one-sentence summary or a code link.

An enrichment is a source that lists no papers; it only updates known ones. It looks a paper up at fixed ages, once at
each: Semantic Scholar needs days for a new paper. The cursor moves only past papers that have been looked up.
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
"""Prefix of these sources' names."""
EVERY = timedelta(minutes=30)
"""Time between two polls."""
STEP = timedelta(hours=6)
"""Maximum time span of due papers that one fetch covers after downtime."""


class Cursor(NamedTuple):
    """Every paper due before `at` has been looked up; of those due at `at`, the ones up to `paper_id`."""

    at: datetime
    paper_id: str = ""

    def __str__(self) -> str:
        return f"{self.at.isoformat()} {self.paper_id}".rstrip()

    @classmethod
    def parse(cls, value: str) -> Self:
        """Parse what `str` returned. Raises SourceError for anything else."""
        at, _, paper_id = value.partition(" ")
        try:
            return cls(datetime.fromisoformat(at).astimezone(UTC), paper_id)
        except (ValueError, OverflowError) as error:
            raise SourceError(f"the cursor of an enrichment in Redis can't be read: {value!r}") from error


class Enriched(NamedTuple):
    """Updates from looking up some papers."""

    updates: list[Paper]
    done: int
    """Number of papers that were looked up, from the first on."""


class Enricher(Protocol):
    """An upstream that knows more about papers."""

    @property
    def name(self) -> str: ...

    @property
    def ages(self) -> Sequence[timedelta]:
        """Ages at which to look up a paper, counted from when it was first seen."""

    @property
    def most(self) -> int:
        """Maximum number of papers to look up per fetch."""

    def wants(self, paper: Paper) -> bool:
        """Whether the upstream could add something to this paper."""

    async def ask(self, papers: Sequence[Paper]) -> Enriched:
        """Look up the papers in order. Raises SourceError if the first one can't be looked up."""


class Enrichment:
    """The source that gets its updates from one enricher."""

    def __init__(self, enricher: Enricher, papers: Papers, now: Callable[[], datetime]) -> None:
        self.name = f"{PREFIX}:{enricher.name}"
        self._enricher = enricher
        self._papers = papers
        self._now = now

    async def fetch(self, cursor: str | None) -> Batch:
        """Fetch updates of the next papers that are due, in the order in which they became due."""
        now = self._now()
        if cursor is None:
            return Batch(papers=(), cursor=str(Cursor(now)))
        reached = Cursor.parse(cursor)
        until = max(reached.at, min(now, reached.at + STEP))
        due = await self._due(reached, until)
        some = due[: self._enricher.most]
        result = await self._enricher.ask([paper for _, paper in some]) if some else Enriched([], 0)
        if result.done < len(due):
            last, paper = some[result.done - 1]
            following = Cursor(last, paper.id)
        else:
            following = Cursor(until)
        more = result.done < len(due) or until < now
        return Batch(papers=(), cursor=str(following), updates=tuple(result.updates), more=more)

    async def _due(self, reached: Cursor, until: datetime) -> list[tuple[datetime, Paper]]:
        """Return the papers that become due after `reached` and before `until`, each with the time at which it does."""
        due: dict[str, tuple[datetime, Paper]] = {}
        for age in self._enricher.ages:
            # Start a millisecond earlier: Redis scores and datetimes are rounded differently.
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
    """Upstreams that enrich papers."""

    enrich: CommaSeparated[Literal["semanticscholar", "huggingface"]] = ()
    """`semanticscholar` for one-sentence summaries, `huggingface` for code links; no post waits for them."""


def build_enrichment(context: SourceContext, enrichers: Iterable[Enricher]) -> tuple[Enrichment, ...]:
    """Build a source for each enricher that the settings name."""
    named = context.settings.of(EnrichmentSettings).enrich
    papers = Papers(context.redis)
    return tuple(
        Enrichment(enricher, papers, context.now) for enricher in enrichers if enricher.name in named
    )
