"""Semantic Scholar's search, for whoever has a key: https://api.semanticscholar.org/api-docs/graph."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import quote

from bot.domain.errors import SourceError
from bot.domain.models import Paper
from bot.query import Query
from bot.sources import arxiv
from bot.sources.fields import read_rows, text, web_url
from bot.sources.http import Upstream, user_agent
from bot.sources.wiring import Wiring
from bot.store.request_gate import Gate
from bot.text import clean

PAUSE = 1.0
"""Seconds between requests with a free key."""
FIELDS = "title,abstract,authors,externalIds,publicationDate,year,url,tldr,openAccessPdf"


class SemanticScholar:
    """Over all of science: a paper is taken where it has an id of arXiv or a DOI, by which it is the same everywhere."""

    name = "Semantic Scholar"

    def __init__(self, upstream: Upstream, url: str, key: str) -> None:
        self._upstream = upstream
        self._url = f"{url}/graph/v1/paper"
        self._headers = {"x-api-key": key}

    async def search(self, words: str, query: Query | None, most: int) -> Sequence[Paper]:  # noqa: ARG002  # it knows no query
        params = {"query": words, "limit": str(most), "fields": FIELDS}
        answer = await self._upstream.get(f"{self._url}/search", params, headers=self._headers)
        return parse_found(answer.body)

    async def paper(self, paper_id: str) -> Paper | None:
        kind, _, number = paper_id.partition(":") if ":" in paper_id else ("arXiv", "", paper_id)
        name = f"{kind.upper() if kind == 'doi' else 'arXiv'}:{number}"
        answer = await self._upstream.get(
            f"{self._url}/{quote(name, safe=':')}",
            {"fields": FIELDS},
            headers=self._headers,
            accept=(200, 404),
        )
        return _paper(_json(answer.body)) if answer.status == 200 else None


def build(wiring: Wiring) -> Iterator[SemanticScholar]:
    key = wiring.settings.semantic_scholar_key
    if key is None:
        return
    upstream = Upstream(
        "Semantic Scholar",
        wiring.session,
        user_agent=user_agent(wiring.settings.contact),
        now=wiring.now,
        turn=Gate(wiring.redis, "semantic-scholar", pause=PAUSE).turn,
        timeout=wiring.timeout,
    )
    yield SemanticScholar(upstream, wiring.settings.semantic_scholar_url, key.get_secret_value())


def parse_found(body: bytes) -> list[Paper]:
    """The papers of an answer, in its order. Raises SourceError if it is no answer to a search."""
    found = _json(body)
    rows = found.get("data", [] if found.get("total") == 0 else None)
    if not isinstance(rows, list):
        raise SourceError(f"Semantic Scholar sent no list of papers: {str(found)[:100]}")
    return read_rows("Semantic Scholar", [row for row in rows if isinstance(row, dict) and _id(row)], _paper)


def _json(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise SourceError(f"Semantic Scholar sent something that is not JSON ({len(body)} bytes)") from error
    if not isinstance(found, dict):
        raise SourceError(f"Semantic Scholar sent JSON of another kind: {str(found)[:100]}")
    return found


def _id(row: dict[str, Any]) -> str | None:
    ids = row.get("externalIds") or {}
    if arxiv_id := arxiv.bare_id(text(ids.get("ArXiv"))):
        return arxiv_id
    doi = text(ids.get("DOI")).strip().lower()
    return f"doi:{doi}" if doi.startswith("10.") else None


def _paper(row: dict[str, Any]) -> Paper:
    paper_id, title = _id(row), clean(text(row.get("title")))
    if not paper_id or not title:
        raise ValueError("it lacks an id or a title")
    doi = paper_id.removeprefix("doi:") if paper_id.startswith("doi:") else ""
    tldr, pdf = row.get("tldr") or {}, row.get("openAccessPdf") or {}
    return Paper(
        id=paper_id,
        title=title,
        abstract=clean(text(row.get("abstract"))),
        authors=tuple(filter(None, (clean(text(author.get("name"))) for author in row.get("authors") or ()))),
        url=f"https://doi.org/{quote(doi, safe='/().;-_:')}" if doi else arxiv.abstract_url(paper_id),
        pdf_url=web_url(pdf.get("url")) if doi else arxiv.pdf_url(paper_id),
        published=_published(row),
        sources=("semanticscholar",),
        tldr=clean(text(tldr.get("text"))) or None,
    )


def _published(row: dict[str, Any]) -> datetime:
    """The day, or where only the year is known its first day. Raises ValueError where nothing is."""
    day = text(row.get("publicationDate"))
    if not day and not isinstance(row.get("year"), int):
        raise ValueError("it lacks a date")
    found = date.fromisoformat(day) if day else date(row["year"], 1, 1)
    return datetime(found.year, found.month, found.day, tzinfo=UTC)
