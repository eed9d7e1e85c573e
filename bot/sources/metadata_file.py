"""Reads papers from files with one JSON object per line: arXiv's public metadata, or Paperboy's exports.

arXiv's file has all papers, with LaTeX in it: https://www.kaggle.com/datasets/Cornell-University/arxiv.
"""

import json
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from bot.domain.models import Paper
from bot.sources.arxiv.papers import abstract_url, categories, pdf_url
from bot.sources.authors import read_authors
from bot.sources.fields import count, moment, text, web_url
from bot.text import clean
from bot.text.identity import is_arxiv, paper_id

SOURCE = "arxiv"


def published_in(row: Any) -> datetime:
    """Return when the first version was published. Raises ValueError if the row does not say."""
    if not isinstance(row, dict):
        raise ValueError("it is not a JSON object")  # noqa: TRY004  # a mistake in the file, not in the program
    versions = row.get("versions")
    if isinstance(versions, list) and versions and isinstance(versions[0], dict):
        return parsedate_to_datetime(text(versions[0].get("created"))).astimezone(UTC)
    return moment(row.get("published") or row.get("update_date"))


def paper_in(row: Any) -> Paper:
    """Return the paper in one row. Raises ValueError, which says what is wrong with the row."""
    published = published_in(row)
    known = paper_id(text(row.get("id")))
    title, url = clean(text(row.get("title"))), web_url(row.get("url"))
    is_from_arxiv = known is not None and is_arxiv(known)
    identifier = (known if is_from_arxiv or url else "") or (text(row.get("id")).strip() if url else "")
    if not identifier or not title:
        raise ValueError("it lacks an id or a title")
    return Paper(
        id=identifier,
        title=title,
        abstract=clean(text(row.get("abstract"))),
        authors=_authors(row),
        url=url or abstract_url(identifier),
        pdf_url=pdf_url(identifier) if is_from_arxiv else web_url(row.get("pdf_url")),
        published=published,
        categories=categories(_words(row.get("categories"))),
        sources=tuple(_words(row.get("sources"))) or (SOURCE,),
        tldr=clean(text(row.get("tldr"))) or None,
        code_url=web_url(row.get("code_url")),
        project_url=web_url(row.get("project_url")),
        organization=clean(text(row.get("organization"))) or None,
        upvotes=count(row.get("upvotes")),
    )


def row_of(line: str) -> Any:
    """Parse one line as JSON. Raises ValueError for anything else."""
    try:
        return json.loads(line)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _authors(row: dict[str, Any]) -> tuple[str, ...]:
    """Read the authors: arXiv's line, or its lists of last name, first names, suffix; or Paperboy's list of names."""
    names = row.get("authors_parsed") or row.get("authors")
    if isinstance(names, str):
        return read_authors(names, last_first=False)
    rows = names if isinstance(names, list) else []
    return read_authors(map(_one_author, rows), last_first=False)


def _one_author(value: Any) -> str:
    if not isinstance(value, list):
        return text(value)
    last, first, suffix, *_ = [*map(text, value), "", "", ""]
    return " ".join(part for part in (first, last, suffix) if part)


def _words(value: Any) -> list[str]:
    if isinstance(value, str):
        return value.split()
    return [text(word) for word in value] if isinstance(value, list) else []
