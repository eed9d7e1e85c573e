"""Days gone by, as the upstreams still list them: for filling the search index."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Protocol

from bot.domain.errors import SourceError
from bot.domain.models import Paper
from bot.sources import huggingface
from bot.sources.arxiv_api import parse_answer
from bot.sources.http import Upstream, user_agent
from bot.sources.wiring import Wiring
from bot.store.request_gate import ARXIV_PAUSE, Gate

PAGE = 1000
"""Papers of one answer: arXiv allows 2,000, and is slow then."""
MOST_PAGES = 10
HF_PAUSE = 0.7
"""Seconds between requests: 500 in five minutes are allowed."""


class Past(Protocol):
    """An upstream that can be asked for one day."""

    @property
    def name(self) -> str:
        """As people know it."""

    async def of(self, day: date) -> Sequence[Paper]:
        """What it lists for `day`. Raises SourceError."""


class HuggingFacePast:
    """The daily lists."""

    name = "Hugging Face"

    def __init__(self, source: huggingface.HuggingFace) -> None:
        self._source = source

    async def of(self, day: date) -> Sequence[Paper]:
        return await self._source.listed_on(day) or ()


class ArxivPast:
    """What was submitted on a day, by the search API."""

    name = "arXiv"

    def __init__(self, upstream: Upstream, url: str, categories: Sequence[str]) -> None:
        self._upstream = upstream
        self._url = f"{url}/api/query"
        self._categories = " OR ".join(f"cat:{category}" for category in categories)

    async def of(self, day: date) -> Sequence[Paper]:
        wanted = f"({self._categories}) AND submittedDate:[{day:%Y%m%d}0000 TO {day:%Y%m%d}2359]"
        found: list[Paper] = []
        for page in range(MOST_PAGES):
            params = {"search_query": wanted, "start": str(page * PAGE), "max_results": str(PAGE)}
            answer = await self._upstream.get(self._url, params, accept=(200, 400), slow=True)
            papers = parse_answer(answer.body)
            found += papers
            if len(papers) < PAGE:
                return found
        raise SourceError(
            f"arXiv lists more than {PAGE * MOST_PAGES} papers for {day}, which is not believed"
        )


def build_past(wiring: Wiring) -> Iterator[Past]:
    """Each upstream that can be asked for a day, paced so that it does not mind."""
    settings, agent = wiring.settings, user_agent(wiring.settings.contact)
    turns = (
        Gate(wiring.redis, "huggingface-past", pause=HF_PAUSE * wiring.pace),
        Gate(wiring.redis, "arxiv", pause=ARXIV_PAUSE * wiring.pace),
    )
    hf, arxiv = (
        Upstream(
            name, wiring.session, user_agent=agent, now=wiring.now, turn=gate.turn, timeout=wiring.timeout
        )
        for name, gate in zip(("Hugging Face", "arXiv"), turns, strict=True)
    )
    source = huggingface.HuggingFace(hf, settings.huggingface_url, wiring.now, wiring.progress)
    yield HuggingFacePast(source)
    if settings.arxiv_categories:
        yield ArxivPast(arxiv, settings.arxiv_api_url, tuple(dict.fromkeys(settings.arxiv_categories)))
