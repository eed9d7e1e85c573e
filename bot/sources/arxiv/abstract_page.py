"""Reads arXiv's abstract pages by their `citation_` tags. Pure.

https://scholar.google.com/intl/en/scholar/inclusion.html
"""

import re
from datetime import UTC, datetime
from html import unescape
from html.parser import HTMLParser

from bot.domain.errors import SourceError
from bot.domain.models import Paper
from bot.sources.arxiv.oai_records import MAX_NOTE
from bot.sources.arxiv.papers import abstract_url, categories, is_withdrawn, pdf_url
from bot.sources.authors import read_authors
from bot.text import clean
from bot.text.identity import arxiv_id

MAX_PAGE = 500_000
"""Maximum number of characters read from a page; a paper of 3,000 authors has about 250,000."""
_CATEGORY = re.compile(r"\(([a-z-]{2,20}(?:\.[A-Za-z-]{2,20})?)\)")


class _Head(HTMLParser):
    """Collects the contents of the `citation_` tags by name."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, list[str]] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        name = attributes.get("name") or ""
        if tag == "meta" and name.startswith("citation_"):
            self.found.setdefault(name.removeprefix("citation_"), []).append(attributes.get("content") or "")


def parse_abstract_page(page: str) -> Paper:
    """Return the paper of the page. Raises SourceError for a page that isn't an abstract page."""
    page = page[:MAX_PAGE]
    head = _Head()
    head.feed(page.partition("</head>")[0])
    found = {name: values[0] for name, values in head.found.items()}
    paper_id, title = arxiv_id(found.get("arxiv_id", "")), clean(found.get("title", ""))
    day = found.get("date") or found.get("online_date") or ""
    if not paper_id or not title:
        raise SourceError(f"arXiv sent a page that isn't an abstract page ({len(page)} characters)")
    try:
        published = datetime.strptime(day, "%Y/%m/%d").replace(tzinfo=UTC)
    except ValueError as error:
        raise SourceError(
            f"arXiv sent an abstract page without a date that can be read ({day[:20]!r})"
        ) from error
    comment = clean(_cell(page, "comments"))[:MAX_NOTE]
    return Paper(
        id=paper_id,
        title=title,
        abstract=clean(found.get("abstract", "")),
        authors=read_authors(head.found.get("author", []), last_first=True),
        url=abstract_url(paper_id),
        pdf_url=pdf_url(paper_id),
        published=published,
        categories=categories(_CATEGORY.findall(_cell(page, "subjects"))),
        sources=("arxiv",),
        withdrawn=is_withdrawn(comment) or None,
        comment=comment,
        journal_ref=clean(_cell(page, "jref"))[:MAX_NOTE] or None,
        doi=clean(found.get("doi", ""))[:MAX_NOTE] or None,
    )


def _cell(page: str, kind: str) -> str:
    """Return the text of a cell in the table below the abstract; empty if there is none."""
    _, _, after = page.partition(f'<td class="tablecell {kind}')
    cell = after.partition(">")[2].partition("</td>")[0]
    return unescape(re.sub(r"<[^<>]*+>", " ", cell))
