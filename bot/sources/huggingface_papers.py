"""Hugging Face's pages of papers: reads its JSON, searches, and enriches papers of other sources.

The official client drops the nested fields, so the JSON is read here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import structlog

from bot.domain.errors import SourceError
from bot.domain.models import Paper
from bot.query import Query
from bot.sources.arxiv.papers import abstract_url, pdf_url
from bot.sources.authors import read_authors
from bot.sources.enrichment import Enriched
from bot.sources.fields import count, mapping, moment, read_json, read_rows, text, web_url
from bot.sources.http import Upstream
from bot.text import clean
from bot.text.identity import arxiv_id, is_arxiv

MAX_SEARCH = 250
"""Maximum length of a search in characters; longer ones are refused."""
KEYWORDS = 8
"""Maximum number of keywords stored per paper."""
MAX_KEYWORD = 60
"""Maximum length of a keyword in characters; a longer one is left out."""
MAX_LISTED = 100
"""Maximum number of keywords read from an answer."""
MAX_FAILURES = 3
"""Number of consecutive failed requests after which Hugging Face counts as down."""

log = structlog.get_logger(__name__)


class HuggingFaceSearch:
    """Searches by meaning and by words. A search can be a whole sentence."""

    name = "Hugging Face"

    def __init__(self, upstream: Upstream, url: str) -> None:
        self._upstream = upstream
        self._url = f"{url}/api/papers"

    async def search(self, words: str, query: Query | None, most: int) -> Sequence[Paper]:  # noqa: ARG002  # it takes no query
        params = {"q": words[:MAX_SEARCH], "limit": str(most)}
        answer = await self._upstream.get(f"{self._url}/search", params)
        return parse_list(answer.body)[:most]

    async def paper(self, paper_id: str) -> Paper | None:
        if not is_arxiv(paper_id):
            return None
        url = f"{self._url}/{quote(paper_id, safe='')}"
        answer = await self._upstream.get(url, accept=(200, 400, 404))
        return parse_paper(answer.body) if answer.status == 200 else None


@dataclass(frozen=True, slots=True)
class PageEnricher:
    """Code links, upvotes and summaries of papers that have a page on Hugging Face but weren't on its daily list."""

    upstream: Upstream
    url: str
    name: str = "huggingface"
    ages: Sequence[timedelta] = (timedelta(days=1), timedelta(days=4))
    most: int = 100
    """Each paper takes one request."""

    def wants(self, paper: Paper) -> bool:
        return "huggingface" not in paper.sources and is_arxiv(paper.id)

    async def ask(self, papers: Sequence[Paper]) -> Enriched:
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
                    log.warning("enrichment_interrupted", source="huggingface", reason=str(error))
                    break
                log.warning("paper_not_enriched", source="huggingface", paper=paper.id, reason=str(error))
            else:
                done, failures = number, 0
        return Enriched(found, done)

    async def _ask(self, paper: Paper) -> list[Paper]:
        """Fetch the update of one paper, if it has a page."""
        answer = await self.upstream.get(f"{self.url}/api/papers/{paper.id}", accept=(200, 404))
        if answer.status != 200:
            return []
        return [replace(parse_paper(answer.body), id=paper.id, sources=())]


def parse_list(body: bytes) -> list[Paper]:
    """Parse the papers in an answer of `/api/daily_papers`, in its order. Raises SourceError for anything else."""
    rows = read_json(body, "Hugging Face")
    if not isinstance(rows, list):
        raise SourceError(f"Hugging Face sent JSON that is not a list of papers: {str(rows)[:100]}")
    return read_rows("Hugging Face", rows, _paper)


def parse_paper(body: bytes) -> Paper:
    """Parse the answer of `/api/papers/{id}`: the inner part of a list's row. Raises SourceError."""
    try:
        return _paper({"paper": read_json(body, "Hugging Face")})
    except ValueError as error:
        raise SourceError(f"Hugging Face sent a paper that can't be read: {error}") from error


def _paper(row: Any) -> Paper:
    details = mapping(mapping(row).get("paper"))
    paper_id = arxiv_id(text(details.get("id")))
    title = clean(text(details.get("title")))
    if not paper_id or not title:
        raise ValueError("it lacks an arXiv id or a title")
    organization = mapping(details.get("organization") or row.get("organization"))
    return Paper(
        id=paper_id,
        title=title,
        abstract=clean(text(details.get("summary"))),
        authors=_visible_authors(details.get("authors")),
        url=abstract_url(paper_id),
        pdf_url=pdf_url(paper_id),
        published=moment(details.get("publishedAt")),  # the row's own `publishedAt` is some hours off
        sources=("huggingface",),
        tldr=clean(text(details.get("ai_summary"))) or None,
        code_url=web_url(details.get("githubRepo")),
        code_stars=count(details.get("githubStars")),
        project_url=web_url(details.get("projectPage")),
        thumbnail_url=web_url(row.get("thumbnail")),
        organization=clean(text(organization.get("fullname")) or text(organization.get("name"))) or None,
        keywords=_keywords(details.get("ai_keywords")),
        upvotes=count(details.get("upvotes")),
        comments=count(row.get("numComments")),
    )


def _keywords(value: Any) -> tuple[str, ...]:
    """Return the first few keywords, without those that are sentences."""
    words = (clean(text(word)) for word in (value if isinstance(value, list) else ())[:MAX_LISTED])
    return tuple(dict.fromkeys(word for word in words if 0 < len(word) <= MAX_KEYWORD))[:KEYWORDS]


def _visible_authors(value: Any) -> tuple[str, ...]:
    """Return the authors' names, without those that are hidden because they are wrong."""
    rows = [mapping(row) for row in value] if isinstance(value, list) else []
    names = (text(row.get("name")) for row in rows if row.get("hidden") is not True)
    return read_authors(names, last_first=False)
