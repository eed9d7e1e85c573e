"""The search of the front page: what was typed and chosen, and what it finds."""

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
from bot.web.limits import come_back, count_request
from bot.web.paper_pages import address_of
from bot.web.plot import Plot, plot
from bot.web.requests import query_of

SECONDS = 3.0
"""Seconds that a search may take."""
ABSTRACT = 2000
"""Characters of an abstract on a page."""
CONCURRENT_SEARCHES = 2
"""Searches that run at a time for strangers: people in channels don't wait for them."""
SEARCHES_EACH = Rate(30, 60)
"""Searches of one client."""
SEARCHES_TOTAL = Rate(300, 60)
"""Searches of all clients together."""
TOO_MANY_SEARCHES = (
    "Too many searches right now. Yours starts by itself in a moment; you can leave this page open."
)
MAX_PAGE_DIGITS = 6
"""Digits of a page number that are read."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A paper on a page: its card, and its abstract to unfold."""

    block: PaperBlock
    abstract: str
    address: str = ""
    """Of the paper's page; "" for a paper of the bundled sample."""


@dataclass(frozen=True, slots=True)
class Results:
    """The result of a search: a page of papers, or a problem that says what to do."""

    asked: str
    """What was typed; "" if only filters were given."""
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
        """What a subscription to the same would say; "" if nothing was searched for."""
        with suppress(UserError):  # what can't be a query is shown as it was typed
            if self.asked and (narrowed := self.filters.query):
                return str(all_of((parse(self.asked).root, narrowed.root)))
        return " ".join(filter(None, (self.asked, self.filters.text)))

    def address(self, **fields: object) -> str:
        """Of this search, with other fields than now."""
        given = {"q": self.asked, **self.filters.fields, **fields}
        return f"/?{urlencode({name: value for name, value in given.items() if value})}"


class SearchForm:
    """Answers searches of strangers, some at a time."""

    def __init__(self, search: Search, limits: Limits, now: Callable[[], datetime]) -> None:
        self._search = search
        self._limits = limits
        self._now = now
        self._searches = asyncio.Semaphore(CONCURRENT_SEARCHES)

    async def results(self, request: web.Request) -> Results:
        """What the request's address asks for."""
        query = query_of(request)
        asked = Results(plain(query.get("q", "")), filters_of(query))
        if not asked.subscribed:
            return asked
        try:
            full = await count_request(
                self._limits, request, "search", each=SEARCHES_EACH, total=SEARCHES_TOTAL
            )
            if full is not None:
                return replace(asked, problem=TOO_MANY_SEARCHES, status=429, headers=come_back(full))
            async with asyncio.timeout(SECONDS), self._searches:
                return await self._found(asked, page_number(query.get("page", "")))
        except UserError as error:
            return replace(asked, problem=plain(f"{error} {error.hint}"))
        except (RedisError, OSError, TimeoutError):
            return replace(
                asked, problem="The search isn't answering just now. Try again in a minute.", status=503
            )

    async def _found(self, asked: Results, number: int) -> Results:
        filters = asked.filters
        found = await self._search.find(
            asked.asked or filters.text,
            page=number,
            days=filters.days,
            sort=filters.sort,
            within=filters.query if asked.asked else None,
        )
        answers = found.papers if found.parts is None else ()
        drawn = None
        if number == 1 and found.total and found.parsed.paper_id is None:
            drawn = plot(await self._search.per_week(found.parsed), self._now().date())
        return replace(
            asked,
            found=found,
            plot=drawn,
            page=min(number, found.pages),
            papers=tuple(shown(paper, self._now()) for paper in answers),
        )


def page_number(text: str) -> int:
    """The page that `page=` names; 1 for anything that isn't one."""
    return max(1, int(text)) if len(text) <= MAX_PAGE_DIGITS and text.isascii() and text.isdigit() else 1


def shown(paper: Paper, now: datetime) -> Shown:
    """A paper as a page shows it."""
    address = "" if SAMPLE_SOURCE in paper.sources else address_of(paper)
    return Shown(paper_block(paper, (), now), shorten(plain(paper.abstract), ABSTRACT), address)
