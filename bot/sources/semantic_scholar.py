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
from bot.sources.authors import read_authors
from bot.sources.fields import read_rows, text, web_url
from bot.sources.http import Upstream, user_agent
from bot.sources.wiring import Wiring
from bot.store.request_gate import Gate
from bot.text import clean
from bot.text.identity import is_arxiv, paper_id

PAUSE = 1.0
"""Seconds between requests with a free key."""
FIELDS = "title,abstract,authors,externalIds,publicationDate,year,url,tldr,openAccessPdf"


_KINDS = {"ArXiv": "arXiv", "DOI": "DOI", "ACL": "ACL", "PubMed": "PMID"}
"""External ids that identify a paper here, in the order in which they are taken, and how its API calls them."""


def name_of(canonical: str) -> str | None:
    """What Semantic Scholar's API calls a paper; None where it knows no such ids."""
    if is_arxiv(canonical):
        return f"ARXIV:{canonical}"
    kind, _, value = canonical.partition(":")
    names = {"doi": f"DOI:{value}", "acl": f"ACL:{value.upper()}", "pmid": f"PMID:{value}", "s2": value,
             "corpusid": f"CorpusId:{value}", "pmcid": f"PMCID:{value.removeprefix('pmc')}"}  # fmt: skip
    return names.get(kind)


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
    named = (f"{kind.lower()}:{text(ids.get(name))}" for name, kind in _KINDS.items())
    return next((found for found in map(paper_id, named) if found), None)


def _paper(row: dict[str, Any]) -> Paper:
    its_id, title = _id(row), clean(text(row.get("title")))
    if not its_id or not title:
        raise ValueError("it lacks an id or a title")
    doi = "" if is_arxiv(its_id) else text((row.get("externalIds") or {}).get("DOI")).strip().lower()
    page = f"https://doi.org/{quote(doi, safe='/().;-_:')}" if doi else web_url(row.get("url"))
    tldr, pdf = row.get("tldr") or {}, row.get("openAccessPdf") or {}
    return Paper(
        id=its_id,
        title=title,
        abstract=clean(text(row.get("abstract"))),
        authors=read_authors(
            (text(author.get("name")) for author in row.get("authors") or ()), last_first=False
        ),
        url=arxiv.abstract_url(its_id) if is_arxiv(its_id) else page or "https://www.semanticscholar.org",
        pdf_url=arxiv.pdf_url(its_id) if is_arxiv(its_id) else web_url(pdf.get("url")),
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
