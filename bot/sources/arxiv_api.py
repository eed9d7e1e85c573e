"""arXiv's search API: its Atom answers as papers. It lags and has gaps, so it never detects anything."""

import re
from typing import Any

from bot.domain.errors import SourceError
from bot.domain.models import Paper
from bot.sources import arxiv
from bot.sources.authors import read_authors
from bot.sources.feeds import parse_feed
from bot.sources.fields import MAX_COUNT, bounded, moment, read_rows, text
from bot.text import clean
from bot.text.identity import arxiv_id

_ERROR_ID = re.compile(r"https?://arxiv\.org/api/errors")


def parse_answer(body: bytes) -> tuple[Paper, ...]:
    """The papers in an answer of `/api/query`, in its order; none where arXiv knows none.

    Raises SourceError for an error of arXiv's (HTTP 400, one entry that tells why), for a page that is empty
    although there are results, and for a body that can't be read.
    """
    feed = parse_feed(body, "arXiv")
    for row in feed.entries:
        if _ERROR_ID.match(text(row.get("id"))):
            raise SourceError(f"arXiv refused the search: {clean(text(row.get('summary')))[:200]}")
    if not feed.entries and _number(feed, "totalresults") > _number(feed, "startindex"):
        raise SourceError("arXiv sent an empty page although it has results, as it does now and then")
    return tuple(read_rows("arXiv", feed.entries, _paper))


def _number(feed: Any, name: str) -> int:
    value = bounded(text(feed.feed.get(f"opensearch_{name}")), MAX_COUNT)
    if value is None:
        raise SourceError("arXiv sent a feed that is not an answer to a search")
    return value


def _paper(row: Any) -> Paper:
    paper_id = arxiv_id(text(row.get("id")))
    title = clean(text(row.get("title")))
    if not paper_id or not title:
        raise ValueError("it lacks an id or a title")
    primary = row.get("arxiv_primary_category", {})
    return Paper(
        id=paper_id,
        title=title,
        abstract=clean(text(row.get("summary"))),
        authors=read_authors(
            (text(author.get("name")) for author in row.get("authors", ())), last_first=False
        ),
        url=arxiv.abstract_url(paper_id),
        pdf_url=arxiv.pdf_url(paper_id),
        published=moment(row.get("published")),
        categories=arxiv.categories(
            (text(tag.get("term")) for tag in row.get("tags", ())), text(primary.get("term"))
        ),
        sources=("arxiv",),
    )
