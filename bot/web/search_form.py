"""The search of the front page: its input and its results."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from urllib.parse import urlencode

from aiohttp import web
from redis.exceptions import RedisError

from bot.cards import PaperBlock
from bot.cards.paper import paper_block
from bot.cards.sanitize import plain
from bot.domain.errors import UserError
from bot.domain.models import SAMPLE_SOURCE, Paper
from bot.ports import Rate
from bot.query import parse
from bot.query.nodes import all_of
from bot.search.results import SearchResults
from bot.search.search import Search
from bot.store.limits import Limits
from bot.text import shorten
from bot.web.filters import Filters, filters_of
from bot.web.limits import count_request, reload_after
from bot.web.paper_pages import address_of
from bot.web.plot import Plot, plot
from bot.web.requests import query_of

SECONDS = 3.0
"""Timeout of a search, in seconds."""
ABSTRACT = 2000
"""Maximum number of characters of an abstract on a page."""
CONCURRENT_SEARCHES = 2
"""Maximum number of concurrent searches for strangers, so that people in channels don't wait for them."""
SEARCHES_EACH = Rate(30, 60)
"""Rate limit per client."""
SEARCHES_TOTAL = Rate(300, 60)
"""Rate limit of all clients together."""
TOO_MANY_SEARCHES = (
    "Too many searches right now. Yours starts automatically in a moment; you can leave this page open."
)
MAX_PAGE_DIGITS = 6
"""Maximum number of digits of a page number."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A paper on a page: its card, and its abstract, which is collapsed at first."""

    block: PaperBlock
    abstract: str
    address: str = ""
    """Path of the paper's page; "" for a paper of the bundled sample."""


@dataclass(frozen=True, slots=True)
class Results:
    """The result of a search: a page of papers, or a problem that says what to do."""

    query: str
    """The typed query; "" if only filters were chosen."""
    filters: Filters
    found: SearchResults | None = None
    plot: Plot | None = None
    page: int = 1
    papers: tuple[Shown, ...] = ()
    problem: str = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def subscribed(self) -> str:
        """The query of a subscription to the same search; "" if nothing was searched for."""
        with suppress(UserError):  # an invalid query is shown as typed
            if self.query and (narrowed := self.filters.query):
                return str(all_of((parse(self.query).root, narrowed.root)))
        return " ".join(filter(None, (self.query, self.filters.text)))

    def address(self, **fields: object) -> str:
        """Return the URL of this search with `fields` changed."""
        parameters = {"q": self.query, **self.filters.fields, **fields}
        return f"/?{urlencode({name: value for name, value in parameters.items() if value})}"


class SearchForm:
    """Answers strangers' searches, with a limit on concurrent ones."""

    def __init__(self, search: Search, limits: Limits, now: Callable[[], datetime]) -> None:
        self._search = search
        self._limits = limits
        self._now = now
        self._searches = asyncio.Semaphore(CONCURRENT_SEARCHES)

    async def results(self, request: web.Request) -> Results:
        """Return the results of the search in the request's URL."""
        parameters = query_of(request)
        search = Results(plain(parameters.get("q", "")), filters_of(parameters))
        if not search.subscribed:
            return search
        try:
            full = await count_request(
                self._limits, request, "search", each=SEARCHES_EACH, total=SEARCHES_TOTAL
            )
            if full is not None:
                return replace(search, problem=TOO_MANY_SEARCHES, status=429, headers=reload_after(full))
            async with asyncio.timeout(SECONDS), self._searches:
                return await self._find(search, page_number(parameters.get("page", "")))
        except UserError as error:
            return replace(search, problem=plain(f"{error} {error.hint}"))
        except (RedisError, OSError, TimeoutError):
            return replace(
                search, problem="The search isn't answering just now. Try again in a minute.", status=503
            )

    async def _find(self, search: Results, number: int) -> Results:
        filters = search.filters
        found = await self._search.find(
            search.query or filters.text,
            page=number,
            days=filters.days,
            sort=filters.sort,
            within=filters.query if search.query else None,
        )
        papers = found.papers if found.parts is None else ()
        chart = None
        if number == 1 and found.total and found.parsed.paper_id is None:
            chart = plot(await self._search.per_week(found.parsed), self._now().date())
        return replace(
            search,
            found=found,
            plot=chart,
            page=min(number, found.pages),
            papers=tuple(shown(paper, self._now()) for paper in papers),
        )


def page_number(text: str) -> int:
    """Parse a page number; 1 for anything that isn't one."""
    return max(1, int(text)) if len(text) <= MAX_PAGE_DIGITS and text.isascii() and text.isdigit() else 1


def shown(paper: Paper, now: datetime) -> Shown:
    """Return a paper as it is shown on a page."""
    address = "" if SAMPLE_SOURCE in paper.sources else address_of(paper)
    return Shown(paper_block(paper, (), now), shorten(plain(paper.abstract), ABSTRACT), address)
