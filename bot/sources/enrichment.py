"""Enrichment: what other upstreams know of papers that were found, such as a one-sentence summary or a code link.

It has the form of a source that lists nothing and only updates. A paper is asked about at fixed ages, once at each:
Semantic Scholar needs days for a new paper. The cursor moves only past papers that were asked about.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol, Self

import structlog

from bot.domain.errors import SourceError
from bot.domain.models import Paper
from bot.ports import Batch
from bot.sources.fields import mapping, read_json, text
from bot.sources.http import Upstream, user_agent
from bot.sources.huggingface_list import parse_paper
from bot.sources.semantic_scholar import name_of
from bot.sources.wiring import Wiring
from bot.store.papers import Papers
from bot.store.request_gate import Gate
from bot.text import clean
from bot.text.identity import is_arxiv

log = structlog.get_logger(__name__)

PREFIX = "enrichment"
EVERY = timedelta(minutes=30)
STEP = timedelta(hours=6)
"""The longest stretch of due papers that one fetch covers after downtime."""
PAUSE = 1.0
"""Seconds between requests: the rate of a Semantic Scholar key, https://www.semanticscholar.org/product/api."""
MAX_FAILURES = 3
"""Requests that fail one after the other before the upstream counts as down."""


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


@dataclass(frozen=True, slots=True)
class SemanticScholar:
    """Semantic Scholar's one-sentence summaries (TLDR)."""

    upstream: Upstream
    url: str
    key: str = ""
    name: str = "semanticscholar"
    ages: Sequence[timedelta] = (timedelta(hours=6), timedelta(days=1), timedelta(days=3), timedelta(days=7))
    most: int = 500
    """The limit of one request to its batch endpoint."""

    def wants(self, paper: Paper) -> bool:
        return not paper.tldr and name_of(paper.id) is not None

    async def ask(self, papers: Sequence[Paper]) -> Asked:
        answer = await self.upstream.post(
            f"{self.url}/graph/v1/paper/batch",
            {"fields": "tldr"},
            {"ids": [name_of(paper.id) for paper in papers]},
            accept=(200, 400),  # 400 if it knows none of them
            headers={"x-api-key": self.key} if self.key else {},
        )
        found = list(self._read(papers, answer.body)) if answer.status == 200 else []
        return Asked(found, len(papers))

    def _read(self, papers: Sequence[Paper], body: bytes) -> Iterator[Paper]:
        rows = read_json(body, self.upstream.name)
        if not isinstance(rows, list) or len(rows) != len(papers):
            raise SourceError(f"{self.upstream.name} did not answer for each of {len(papers)} papers")
        for paper, row in zip(papers, rows, strict=True):
            tldr = clean(text(mapping(mapping(row).get("tldr")).get("text")))
            if tldr:
                yield replace(paper, sources=(), tldr=tldr)


@dataclass(frozen=True, slots=True)
class HuggingFacePages:
    """Code links, upvotes and summaries of papers that have a page on Hugging Face but weren't on its daily list."""

    upstream: Upstream
    url: str
    name: str = "huggingface"
    ages: Sequence[timedelta] = (timedelta(days=1), timedelta(days=4))
    most: int = 100
    """One request for each."""

    def wants(self, paper: Paper) -> bool:
        return "huggingface" not in paper.sources and is_arxiv(paper.id)

    async def ask(self, papers: Sequence[Paper]) -> Asked:
        found: list[Paper] = []
        done = failures = 0
        for number, paper in enumerate(papers, 1):
            try:
                found += await self._ask(paper)
            except SourceError as error:
                failures += 1
                is_down = error.refused or error.retry_after is not None or failures == MAX_FAILURES
                if is_down or number == len(papers):
                    if not done:
                        raise
                    log.warning("enrichment_interrupted", source=self.name, reason=str(error))
                    break
                log.warning("paper_not_enriched", source=self.name, paper=paper.id, reason=str(error))
            else:
                done, failures = number, 0
        return Asked(found, done)

    async def _ask(self, paper: Paper) -> list[Paper]:
        """The update of one paper, if it has a page."""
        answer = await self.upstream.get(f"{self.url}/api/papers/{paper.id}", accept=(200, 404))
        if answer.status != 200:
            return []
        return [replace(parse_paper(answer.body), id=paper.id, sources=())]


def build_enrichment(wiring: Wiring) -> tuple[Enrichment, ...]:
    """The enrichments that the settings name."""
    settings = wiring.settings

    def upstream(name: str, gate: str) -> Upstream:
        return Upstream(
            name,
            wiring.session,
            user_agent=user_agent(settings.contact),
            now=wiring.now,
            turn=Gate(wiring.redis, gate, pause=PAUSE * wiring.pace).turn,
            timeout=wiring.timeout,
        )

    key = settings.semantic_scholar_key
    known: dict[str, Callable[[], Enricher]] = {
        "semanticscholar": lambda: SemanticScholar(
            upstream("Semantic Scholar", "semantic-scholar"),
            settings.semantic_scholar_url,
            key.get_secret_value() if key else "",
        ),
        "huggingface": lambda: HuggingFacePages(
            upstream("Hugging Face", "huggingface"), settings.huggingface_url
        ),
    }
    papers = Papers(wiring.redis)
    return tuple(Enrichment(known[name](), papers, wiring.now) for name in dict.fromkeys(settings.enrich))
