"""Hugging Face's JSON as papers. The official client drops the nested fields, so it is read here."""

from typing import Any

from bot.domain.errors import SourceError
from bot.domain.models import Paper
from bot.sources import arxiv
from bot.sources.authors import read_authors
from bot.sources.fields import count, mapping, moment, read_json, read_rows, text, web_url
from bot.text import clean
from bot.text.identity import arxiv_id


def parse_list(body: bytes) -> list[Paper]:
    """The papers of an answer of `/api/daily_papers`, in its order. Raises SourceError if it is no such answer."""
    rows = read_json(body, "Hugging Face")
    if not isinstance(rows, list):
        raise SourceError(f"Hugging Face sent JSON that is not a list of papers: {str(rows)[:100]}")
    return read_rows("Hugging Face", rows, _paper)


def parse_paper(body: bytes) -> Paper:
    """The paper of an answer of `/api/papers/{id}`, which is what a row of a list has inside."""
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
        url=arxiv.abstract_url(paper_id),
        pdf_url=arxiv.pdf_url(paper_id),
        published=moment(details.get("publishedAt")),  # the row's own is some hours off
        sources=("huggingface",),
        tldr=clean(text(details.get("ai_summary"))) or None,
        code_url=web_url(details.get("githubRepo")),
        code_stars=count(details.get("githubStars")),
        project_url=web_url(details.get("projectPage")),
        thumbnail_url=web_url(row.get("thumbnail")),
        organization=clean(text(organization.get("fullname")) or text(organization.get("name"))) or None,
        upvotes=count(details.get("upvotes")),
    )


def _visible_authors(value: Any) -> tuple[str, ...]:
    """Names, without those that were hidden because they are wrong."""
    rows = [mapping(row) for row in value] if isinstance(value, list) else []
    names = (text(row.get("name")) for row in rows if row.get("hidden") is not True)
    return read_authors(names, last_first=False)
