"""Semantic Scholar's search and one-sentence summaries: https://api.semanticscholar.org/api-docs/graph."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import quote

from pydantic import Field, SecretStr

from bot.domain.errors import SourceError
from bot.domain.models import Paper
from bot.query import Query
from bot.settings import BaseUrl, SettingsGroup
from bot.sources.arxiv.papers import abstract_url, pdf_url
from bot.sources.authors import read_authors
from bot.sources.context import SourceContext
from bot.sources.enrichment import Enriched
from bot.sources.fields import mapping, read_json, read_rows, text, web_url
from bot.sources.http import Upstream
from bot.text import clean
from bot.text.identity import is_arxiv, paper_id

PAUSE = 1.0
"""Seconds between requests: the rate of a free key, https://www.semanticscholar.org/product/api."""
FIELDS = "title,abstract,authors,externalIds,publicationDate,year,url,tldr,openAccessPdf"


_KINDS = {"ArXiv": "arXiv", "DOI": "DOI", "ACL": "ACL", "PubMed": "PMID"}
"""External ids that identify a paper, in order of preference: their names in the API -> the prefix of our ids."""


def name_of(canonical: str) -> str | None:
    """Return a paper's id in Semantic Scholar's API; None if the API doesn't know this kind of id."""
    if is_arxiv(canonical):
        return f"ARXIV:{canonical}"
    kind, _, value = canonical.partition(":")
    names = {"doi": f"DOI:{value}", "acl": f"ACL:{value.upper()}", "pmid": f"PMID:{value}", "s2": value,
             "corpusid": f"CorpusId:{value}", "pmcid": f"PMCID:{value.removeprefix('pmc')}"}  # fmt: skip
    return names.get(kind)


class SemanticScholarSearch:
    """Searches all of science. Returns only papers with an id that other sources use too."""

    name = "Semantic Scholar"

    def __init__(self, upstream: Upstream, url: str, key: str) -> None:
        self._upstream = upstream
        self._url = f"{url}/graph/v1/paper"
        self._headers = {"x-api-key": key}

    async def search(self, words: str, query: Query | None, most: int) -> Sequence[Paper]:  # noqa: ARG002  # it takes no query
        params = {"query": words, "limit": str(most), "fields": FIELDS}
        answer = await self._upstream.get(f"{self._url}/search", params, headers=self._headers)
        return parse_found(answer.body)

    async def paper(self, paper_id: str) -> Paper | None:
        name = name_of(paper_id)
        if name is None:
            return None
        answer = await self._upstream.get(
            f"{self._url}/{quote(name, safe=':')}",
            {"fields": FIELDS},
            headers=self._headers,
            accept=(200, 404),
        )
        return _paper(_json(answer.body)) if answer.status == 200 else None


@dataclass(frozen=True, slots=True)
class TldrEnricher:
    """Semantic Scholar's one-sentence summaries (TLDR)."""

    upstream: Upstream
    url: str
    key: str = ""
    name: str = "semanticscholar"
    ages: Sequence[timedelta] = (timedelta(hours=6), timedelta(days=1), timedelta(days=3), timedelta(days=7))
    most: int = 500
    """Maximum number of papers in a request to the batch endpoint."""

    def wants(self, paper: Paper) -> bool:
        return not paper.tldr and name_of(paper.id) is not None

    async def ask(self, papers: Sequence[Paper]) -> Enriched:
        answer = await self.upstream.post(
            f"{self.url}/graph/v1/paper/batch",
            {"fields": "tldr"},
            {"ids": [name_of(paper.id) for paper in papers]},
            accept=(200, 400),  # 400 if it knows none of them
            headers={"x-api-key": self.key} if self.key else {},
        )
        found = list(self._read(papers, answer.body)) if answer.status == 200 else []
        return Enriched(found, len(papers))

    def _read(self, papers: Sequence[Paper], body: bytes) -> Iterator[Paper]:
        rows = read_json(body, self.upstream.name)
        if not isinstance(rows, list) or len(rows) != len(papers):
            raise SourceError(f"{self.upstream.name} did not answer for each of {len(papers)} papers")
        for paper, row in zip(papers, rows, strict=True):
            tldr = clean(text(mapping(mapping(row).get("tldr")).get("text")))
            if tldr:
                yield replace(paper, sources=(), tldr=tldr)


class SemanticScholarSettings(SettingsGroup):
    """Address of Semantic Scholar, and the key to its API."""

    semantic_scholar_url: BaseUrl = "https://api.semanticscholar.org"
    semantic_scholar_key: SecretStr | None = Field(default=None, validation_alias="SEMANTIC_SCHOLAR_API_KEY")
    """With it, `/paper search` also searches Semantic Scholar."""


SETTINGS = SemanticScholarSettings


def build_search(context: SourceContext) -> Iterator[SemanticScholarSearch]:
    """Build the search, if there is a key."""
    settings = context.settings.of(SemanticScholarSettings)
    if settings.semantic_scholar_key is not None:
        key = settings.semantic_scholar_key.get_secret_value()
        yield SemanticScholarSearch(_upstream(context), settings.semantic_scholar_url, key)


def build_enrichers(context: SourceContext) -> Iterator[TldrEnricher]:
    """Build the enricher with summaries. A key raises its rate limit."""
    settings = context.settings.of(SemanticScholarSettings)
    key = settings.semantic_scholar_key
    yield TldrEnricher(
        _upstream(context), settings.semantic_scholar_url, key.get_secret_value() if key else ""
    )


def _upstream(context: SourceContext) -> Upstream:
    return context.upstream("Semantic Scholar", gate="semantic-scholar", pause=PAUSE)


def parse_found(body: bytes) -> list[Paper]:
    """Parse the papers in an answer to a search, in its order. Raises SourceError for anything else."""
    found = _json(body)
    rows = found.get("data", [] if found.get("total") == 0 else None)
    if not isinstance(rows, list):
        raise SourceError(f"Semantic Scholar sent no list of papers: {str(found)[:100]}")
    return read_rows("Semantic Scholar", [row for row in rows if isinstance(row, dict) and _id(row)], _paper)


def _json(body: bytes) -> dict[str, Any]:
    found = read_json(body, "Semantic Scholar")
    if not isinstance(found, dict):
        raise SourceError(f"Semantic Scholar sent JSON that is not an object: {str(found)[:100]}")
    return found


def _id(row: dict[str, Any]) -> str | None:
    ids = row.get("externalIds") or {}
    named = (f"{kind.lower()}:{text(ids.get(name))}" for name, kind in _KINDS.items())
    return next((found for found in map(paper_id, named) if found), None)


def _paper(row: dict[str, Any]) -> Paper:
    canonical_id, title = _id(row), clean(text(row.get("title")))
    if not canonical_id or not title:
        raise ValueError("it lacks an id or a title")
    doi = "" if is_arxiv(canonical_id) else text((row.get("externalIds") or {}).get("DOI")).strip().lower()
    page = f"https://doi.org/{quote(doi, safe='/().;-_:')}" if doi else web_url(row.get("url"))
    tldr, pdf = row.get("tldr") or {}, row.get("openAccessPdf") or {}
    return Paper(
        id=canonical_id,
        title=title,
        abstract=clean(text(row.get("abstract"))),
        authors=read_authors(
            (text(author.get("name")) for author in row.get("authors") or ()), last_first=False
        ),
        url=abstract_url(canonical_id)
        if is_arxiv(canonical_id)
        else page or "https://www.semanticscholar.org",
        pdf_url=pdf_url(canonical_id) if is_arxiv(canonical_id) else web_url(pdf.get("url")),
        published=_published(row),
        sources=("semanticscholar",),
        tldr=clean(text(tldr.get("text"))) or None,
    )


def _published(row: dict[str, Any]) -> datetime:
    """Return the day of publication; January 1 if only the year is known. Raises ValueError if neither is."""
    day = text(row.get("publicationDate"))
    if not day and not isinstance(row.get("year"), int):
        raise ValueError("it lacks a date")
    found = date.fromisoformat(day) if day else date(row["year"], 1, 1)
    return datetime(found.year, found.month, found.day, tzinfo=UTC)
