"""An observatory's preprints as a source: copied to `bot/sources/observatory.py`."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from bot.domain.errors import SourceError
from bot.domain.models import Paper
from bot.ports import Batch
from bot.settings import BaseUrl, SettingsGroup
from bot.sources.authors import read_authors
from bot.sources.context import SourceContext
from bot.sources.fields import mapping, moment, read_json, read_rows, text, web_url
from bot.sources.http import Upstream
from bot.text import clean
from bot.text.identity import paper_id

EVERY = timedelta(hours=1)
"""Time between two polls."""


class ObservatorySettings(SettingsGroup):
    """Settings of the observatory."""

    observatory_url: BaseUrl | None = None
    """Address of its page; without it the observatory isn't followed."""


SETTINGS = ObservatorySettings


class Observatory:
    """Lists everything on one page."""

    name = "observatory"

    def __init__(self, upstream: Upstream, url: str, now: Callable[[], datetime]) -> None:
        self._upstream = upstream
        self._url = url
        self._now = now

    async def fetch(self, cursor: str | None) -> Batch:  # noqa: ARG002  # the store knows what was seen
        """Return all papers."""
        answer = await self._upstream.get(f"{self._url}/papers.json")
        return Batch(papers=tuple(parse_papers(answer.body)), cursor="read")

    def next_poll(self, now: datetime) -> datetime:
        """Return the time in an hour."""
        return now + EVERY


def build(context: SourceContext) -> Iterator[Observatory]:
    """Yield the observatory, if the operator follows it."""
    url = context.settings.of(ObservatorySettings).observatory_url
    if url is not None:
        yield Observatory(context.upstream("the observatory"), url, context.now)


def parse_papers(body: bytes) -> list[Paper]:
    """Return the papers of the page. Raises SourceError if it can't be read."""
    rows = read_json(body, "the observatory")
    if not isinstance(rows, list):
        raise SourceError("the observatory sent JSON that is not a list")
    return read_rows("the observatory", rows, _paper)


def _paper(row: Any) -> Paper:
    fields = mapping(row)
    known, title, url = (
        paper_id(text(fields.get("doi"))),
        clean(text(fields.get("title"))),
        web_url(fields.get("url")),
    )
    if not known or not title or not url:
        raise ValueError("it lacks a DOI, a title or an address")
    return Paper(
        id=known,
        title=title,
        abstract=clean(text(fields.get("abstract"))),
        authors=read_authors(text(fields.get("authors"))),
        url=url,
        published=moment(fields.get("published")),
        sources=("observatory",),
    )
