"""What others know of papers that were found: one sentence, code. Asked for when nothing waits for it.

It takes the form of a source that lists nothing and only updates. A paper is asked about at certain ages, each once:
what Semantic Scholar makes of a paper takes days. The cursor is the moment up to which that has been done.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

import structlog

from bot.domain.errors import SourceError
from bot.domain.models import Paper
from bot.ports import Batch
from bot.sources import arxiv
from bot.sources.fields import mapping, read_json, text
from bot.sources.http import Upstream, user_agent
from bot.sources.huggingface_list import parse_paper
from bot.sources.wiring import Wiring
from bot.store.papers import Papers
from bot.store.request_gate import Gate
from bot.text import clean

log = structlog.get_logger(__name__)

PREFIX = "enrichment"
EVERY = timedelta(minutes=30)
STEP = timedelta(hours=6)
"""The most that is made up for at a time."""
PAUSE = 1.0
"""Seconds between requests: what Semantic Scholar gives to a key, https://www.semanticscholar.org/product/api."""
MOST_IDS = 500
"""In one request of Semantic Scholar's."""
MOST_AT_ONCE = 100
"""Papers asked about one by one at a stretch."""


class Asking(Protocol):
    """Somebody who knows more."""

    @property
    def name(self) -> str: ...

    @property
    def ages(self) -> Sequence[timedelta]:
        """When to ask about a paper, after it was first seen."""

    def wants(self, paper: Paper) -> bool:
        """Whether there is anything to ask for."""

    async def ask(self, papers: Sequence[Paper]) -> list[Paper]:
        """Updates of those of the papers that are known there. Raises SourceError."""


class Enrichment:
    """One such source."""

    def __init__(self, of: Asking, papers: Papers, now: Callable[[], datetime]) -> None:
        self.name = f"{PREFIX}:{of.name}"
        self._of = of
        self._papers = papers
        self._now = now

    async def fetch(self, cursor: str | None) -> Batch:
        """Updates of the papers that have come of an age since the cursor's moment."""
        now = self._now()
        if cursor is None:
            return Batch(papers=(), cursor=now.isoformat())
        done = datetime.fromisoformat(cursor).astimezone(UTC)
        until = max(done, min(now, done + STEP))
        wanted: dict[str, Paper] = {}
        for age in self._of.ages:
            found = await self._papers.between(done - age, until - age)
            wanted |= {paper.id: paper for paper in found if self._of.wants(paper)}
        updates = await self._of.ask(list(wanted.values())) if wanted else []
        return Batch(papers=(), cursor=until.isoformat(), updates=tuple(updates), more=until < now)

    def next_poll(self, now: datetime) -> datetime:
        return now + EVERY


@dataclass(frozen=True, slots=True)
class SemanticScholar:
    """Its one-sentence summaries (TLDR)."""

    upstream: Upstream
    url: str
    key: str = ""
    name: str = "semanticscholar"
    ages: Sequence[timedelta] = (timedelta(hours=6), timedelta(days=1), timedelta(days=3), timedelta(days=7))

    def wants(self, paper: Paper) -> bool:
        return not paper.tldr and _scholarly(paper) is not None

    async def ask(self, papers: Sequence[Paper]) -> list[Paper]:
        found: list[Paper] = []
        for start in range(0, len(papers), MOST_IDS):
            some = papers[start : start + MOST_IDS]
            answer = await self.upstream.post(
                f"{self.url}/graph/v1/paper/batch",
                {"fields": "tldr"},
                {"ids": [_scholarly(paper) for paper in some]},
                accept=(200, 400),  # 400 where none of them is known
                headers={"x-api-key": self.key} if self.key else {},
            )
            if answer.status == 200:
                found += self._read(some, answer.body)
        return found

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
    """Code, upvotes and summaries of papers that have a page there, whether or not they were on the daily list."""

    upstream: Upstream
    url: str
    name: str = "huggingface"
    ages: Sequence[timedelta] = (timedelta(days=1), timedelta(days=4))

    def wants(self, paper: Paper) -> bool:
        return "huggingface" not in paper.sources and arxiv.bare_id(paper.id) is not None

    async def ask(self, papers: Sequence[Paper]) -> list[Paper]:
        found: list[Paper] = []
        for paper in papers[:MOST_AT_ONCE]:
            try:
                answer = await self.upstream.get(f"{self.url}/api/papers/{paper.id}", accept=(200, 404))
            except SourceError as error:
                if not found:
                    raise
                log.warning("some papers not enriched", source=self.name, reason=str(error))
                break
            if answer.status == 200:
                found.append(replace(parse_paper(answer.body), id=paper.id, sources=()))
        return found


def build_enrichment(wiring: Wiring) -> tuple[Enrichment, ...]:
    """Those that the setting names."""
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
    known: dict[str, Callable[[], Asking]] = {
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


def _scholarly(paper: Paper) -> str | None:
    """A paper's name at Semantic Scholar."""
    if arxiv.bare_id(paper.id):
        return f"ARXIV:{paper.id}"
    return f"DOI:{paper.id.removeprefix('doi:')}" if paper.id.startswith("doi:") else None
