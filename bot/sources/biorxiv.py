"""bioRxiv and medRxiv. Their shared API lists the papers posted on a day: https://api.biorxiv.org."""

import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Self

from pydantic import Field

from bot.domain.errors import SourceError
from bot.domain.models import Paper
from bot.domain.source_titles import SOURCE_TITLES
from bot.ports import Batch
from bot.settings import BaseUrl, CommaSeparated, SettingsGroup, matching
from bot.sources.authors import read_authors
from bot.sources.biorxiv_on_demand import BiorxivOnDemand, Server
from bot.sources.context import Progress, SourceContext
from bot.sources.fields import read_rows, text
from bot.sources.http import Upstream
from bot.text import clean
from bot.text.identity import paper_id

EVERY = timedelta(hours=2)
"""Time between two polls."""
DAY = timedelta(days=1)
FIRST_WALK = 14
"""Number of days that the very first fetch reads; only the papers of the last two are announced."""
OVERLAP = 3
"""Number of days that are read again: papers are added to a day after its end."""
PAUSE = 1.0
"""Seconds between requests. No limit is published."""
_WITHDRAWN = re.compile(r"\W?WITHDRAWN(?:[\W]|$)")
"""Beginning of a withdrawn version's title."""
_DOI = re.compile(r"10\.\d{4,9}/\S+")


@dataclass(frozen=True, slots=True)
class Cursor:
    """Position in a server's list of papers, by day of posting."""

    since: date
    """The first day of the next fetch."""
    began: date
    """Papers posted before this day are history."""
    until: date | None = None
    """The last day of the list that is being read; `read` is the number of its rows read so far."""
    read: int = 0

    def __str__(self) -> str:
        fields = {"since": self.since, "began": self.began, "until": self.until, "read": self.read}
        return json.dumps({name: value for name, value in fields.items() if value}, default=date.isoformat)

    @classmethod
    def parse(cls, value: str) -> Self:
        """Parse what `str` returned. Raises SourceError for anything else: starting over would skip papers."""
        try:
            fields: dict[str, Any] = json.loads(value)
            for name in {"since", "began", "until"} & fields.keys():
                fields[name] = date.fromisoformat(fields[name])
            return cls(**fields)
        except (ValueError, TypeError, AttributeError) as error:
            raise SourceError(f"the cursor of bioRxiv in Redis can't be read: {value!r}") from error


@dataclass(frozen=True, slots=True)
class Posted:
    """A version of a paper."""

    paper: Paper
    version: int
    withdrawn: bool


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list of papers."""

    posted: tuple[Posted, ...]
    count: int
    """Number of rows on the page, including those that can't be read."""
    total: int
    """Number of rows in the whole list."""
    skipped: Counter[str] = field(default_factory=Counter)
    """Number of rows that can't be read, by reason."""


class Biorxiv:
    """Lists the first versions of papers in some or all categories; never later versions."""

    def __init__(
        self,
        server: Server,
        upstream: Upstream,
        url: str,
        now: Callable[[], datetime],
        progress: Progress,
        *,
        categories: Collection[str],
    ) -> None:
        self.name = server
        self._upstream = upstream
        self._url = f"{url.rstrip('/')}/details/{server}"
        self._now = now
        self._progress = progress
        self._categories = None if "all" in categories else frozenset(categories)

    async def fetch(self, cursor: str | None) -> Batch:
        """Fetch the next page of papers posted since the cursor's day."""
        today = self._now().astimezone(UTC).date()
        reached = Cursor.parse(cursor) if cursor else Cursor(today - (FIRST_WALK - 1) * DAY, today - DAY)
        until = reached.until or max(today, reached.since)
        url = f"{self._url}/{reached.since}/{until}/{reached.read}/json"
        page = parse_page((await self._upstream.get(url, slow=True)).body, self._upstream.name)
        following = _after(reached, page, until)
        done = reached.read + page.count
        days = (until - reached.since).days + 1
        self._progress(self.name, max(1, days * done // page.total) if page.total else days, days)
        return replace(
            self._batch(page, reached.began), cursor=str(following), more=following.until is not None
        )

    def next_poll(self, now: datetime) -> datetime:
        return now + EVERY

    def _batch(self, page: Page, began: date) -> Batch:
        papers: list[Paper] = []
        history: list[Paper] = []
        updates: list[Paper] = []
        for posted in page.posted:
            if posted.version > 1 or posted.withdrawn:
                updates.append(replace(posted.paper, sources=(), withdrawn=posted.withdrawn or None))
            elif self._categories is None or self._categories & set(posted.paper.categories):
                (papers if posted.paper.published.date() >= began else history).append(posted.paper)
        return Batch(tuple(papers), "", history=tuple(history), updates=tuple(updates), skipped=page.skipped)


Topic = Annotated[
    str, matching(r"^[a-z]+(-[a-z]+)*$", "categories such as cancer-biology, separated by commas")
]


class BiorxivSettings(SettingsGroup):
    """Categories of bioRxiv and medRxiv to follow."""

    biorxiv_url: BaseUrl = "https://api.biorxiv.org"
    biorxiv_categories: CommaSeparated[Topic] = ()
    """bioRxiv's categories to follow, such as `neuroscience,cancer-biology`; `all` for all of them."""
    medrxiv_categories: CommaSeparated[Topic] = ()
    """The same for medRxiv."""
    biorxiv_on_demand: int = Field(default=100, ge=0, le=500)
    """Maximum number of further categories per server, followed because subscriptions ask for them; 0 for none."""


SETTINGS = BiorxivSettings


def build(context: SourceContext) -> Iterator[Biorxiv]:
    """Build a source for each of the two servers that has categories to follow."""
    for server, categories in _followed(context).items():
        if categories:
            yield _source(context, server, categories)


def build_on_demand(context: SourceContext) -> Iterator[BiorxivOnDemand]:
    """Build a reader per server for the categories that subscriptions ask for."""
    limit = context.settings.of(BiorxivSettings).biorxiv_on_demand
    for server, categories in _followed(context).items():
        everything = _source(context, server, ("all",))
        yield BiorxivOnDemand(server, everything, limit=limit, categories=categories)


def _followed(context: SourceContext) -> Mapping[Server, Collection[str]]:
    settings = context.settings.of(BiorxivSettings)
    return {"biorxiv": settings.biorxiv_categories, "medrxiv": settings.medrxiv_categories}


def _source(context: SourceContext, server: Server, categories: Collection[str]) -> Biorxiv:
    upstream = context.upstream(SOURCE_TITLES[server], gate="biorxiv", pause=PAUSE)
    url = context.settings.of(BiorxivSettings).biorxiv_url
    return Biorxiv(server, upstream, url, context.now, context.progress, categories=categories)


def parse_page(body: bytes, upstream: str) -> Page:
    """Parse an answer of `/details`. Raises SourceError for anything else, and for a page that is empty too early."""
    try:
        answer = json.loads(body)
        message = answer["messages"][0]
        rows = list(answer["collection"])
        status = text(message["status"]).casefold()
        total = int(message.get("total", 0))
        position = int(message.get("cursor", 0))
    except (ValueError, OverflowError, RecursionError, LookupError, TypeError, AttributeError) as error:
        raise SourceError(
            f"{upstream} sent something that is not a list of papers ({len(body)} bytes)"
        ) from error
    if status == "no posts found":
        return Page((), 0, 0)
    if status != "ok":
        raise SourceError(f"{upstream} refused the request: {status[:200]}")
    if not rows and position < total:
        raise SourceError(f"{upstream} sent an empty page although it has more papers")
    skipped: Counter[str] = Counter()
    return Page(tuple(read_rows(upstream, rows, _posted, skipped)), len(rows), total, skipped)


def _after(reached: Cursor, page: Page, until: date) -> Cursor:
    read = reached.read + page.count
    if page.count and read < page.total:
        return replace(reached, until=until, read=read)
    return Cursor(max(reached.since, until - OVERLAP * DAY), reached.began)


def _posted(row: Any) -> Posted:
    if not isinstance(row, dict):
        raise ValueError("it is not an object")  # noqa: TRY004  # `read_rows` skips rows by ValueError
    doi, title = text(row.get("doi")).strip().lower(), clean(text(row.get("title")))
    version = int(text(row.get("version")) or 1)
    canonical_id = paper_id(doi) if _DOI.fullmatch(doi) else None
    if not canonical_id or not title:
        raise ValueError("it lacks a DOI or a title")
    server: Server = "medrxiv" if text(row.get("server")).casefold() == "medrxiv" else "biorxiv"
    page = f"https://www.{server}.org/content/{doi}v{version}"
    topic = re.sub(r"[^a-z]+", "-", text(row.get("category")).casefold()).strip("-")
    paper = Paper(
        id=canonical_id,
        title=title,
        abstract=clean(text(row.get("abstract"))),
        authors=read_authors(text(row.get("authors")), last_first=True),
        url=page,
        pdf_url=f"{page}.full.pdf",
        published=datetime.fromisoformat(text(row.get("date"))).replace(tzinfo=UTC),
        categories=(topic,) if topic else (),
        sources=(server,),
    )
    withdrawn = "withdrawn" in text(row.get("type")).casefold() or _WITHDRAWN.match(title) is not None
    return Posted(paper, version, withdrawn)
