"""OpenAlex: citations of watched papers, once a day: https://developers.openalex.org.

This source lists no papers; it only updates known ones. Looking up a work by its DOI is free; a page of citing works
costs one of the 10,000 calls that a free key has each day. Each call is counted before it is made, so that a restart
can't exceed the budget.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Self
from urllib.parse import quote

from pydantic import Field, SecretStr

from bot.domain.errors import SourceError
from bot.domain.models import Paper
from bot.ports import Batch
from bot.settings import BaseUrl, SettingsGroup
from bot.sources.citing_works import CitingWorks, cited, parse_works, work_id
from bot.sources.context import SourceContext
from bot.sources.enrichment import PREFIX
from bot.sources.fields import mapping, read_json
from bot.sources.http import Answer, Upstream
from bot.store.daily_calls import DailyCalls
from bot.store.papers import Papers
from bot.store.watches import Watches
from bot.text.identity import is_arxiv

BUDGET = 9_000
"""Maximum number of calls per day; a free key has 10,000, and other programs may use it too."""
AT_ONCE = 25
"""Maximum number of papers per fetch. It also ends after this many calls, so that its results are stored."""
PAGE = 100
"""Number of citing works per page, the maximum that OpenAlex documents."""
PAGES = 25
"""Maximum number of pages read per paper: if it has more than 2,500 citing works, only the latest are read."""
SLOWER = 60.0
"""Seconds to wait when OpenAlex asks for fewer requests without naming a time."""
PAUSE = 0.1
"""Seconds between requests; OpenAlex allows 100 a second."""
HOUR = time(5, 0, tzinfo=UTC)
"""Time at which a day's round begins."""
_UNKNOWN_FIELDS: dict[str, Any] = dict.fromkeys(
    ("upvotes", "rank", "code_url", "code_stars", "project_url", "versions", "comment", "withdrawn")
)
"""Fields that OpenAlex doesn't have: an update leaves them out, since other sources may know newer values."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Position in the day's round over all watched papers."""

    after: str = ""
    """The last paper that this round has looked up; "" at its beginning."""
    finished: str = ""
    """The day of the last completed round."""

    def __str__(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def parse(cls, value: str) -> Self:
        """Parse what `str` returned; other fields are ignored. Raises SourceError for anything else."""
        try:
            found = json.loads(value)
            return cls(str(found["after"]), str(found["finished"]))
        except (ValueError, TypeError, KeyError) as error:
            raise SourceError(f"the cursor of OpenAlex in Redis can't be read: {value!r}") from error


class Citations:
    """The source of new citations of watched papers."""

    name = f"{PREFIX}:openalex"

    def __init__(
        self,
        upstream: Upstream,
        url: str,
        key: str,
        *,
        papers: Papers,
        watches: Watches,
        calls: DailyCalls,
        now: Callable[[], datetime],
    ) -> None:
        self._upstream = upstream
        self._url = f"{url}/works"
        self._key = key
        self._papers = papers
        self._watches = watches
        self._calls = calls
        self._now = now

    async def fetch(self, cursor: str | None) -> Batch:
        """Fetch citations of the next watched papers; none once the day's round is over or its budget is spent."""
        today = self._now().astimezone(UTC).date()
        reached = Cursor.parse(cursor) if cursor else Cursor()
        if reached.finished == today.isoformat():
            return Batch(papers=(), cursor=str(reached))
        remaining = [
            paper_id for paper_id in await self._watches.watched_for("cited") if paper_id > reached.after
        ]
        found = Found(reached)
        papers = await self._papers.get(remaining[:AT_ONCE])
        for paper_id in remaining[:AT_ONCE]:
            if found.lists >= AT_ONCE:
                break
            try:
                update = await self._ask(papers[paper_id], found, today) if paper_id in papers else None
            except BudgetSpent:
                return found.batch()
            except SourceError:
                if found.reached == reached:
                    raise
                return found.batch(more=True)
            found.updates += [update] if update else []
            found.reached = replace(found.reached, after=paper_id)
        if remaining and found.reached.after != remaining[-1]:
            return found.batch(more=True)
        found.reached = Cursor(finished=today.isoformat())
        return found.batch()

    def next_poll(self, now: datetime) -> datetime:
        today = datetime.combine(now.astimezone(UTC).date(), HOUR)
        return today if today > now else today + timedelta(days=1)

    async def _ask(self, paper: Paper, found: "Found", today: date) -> Paper | None:
        """Return the paper with its citing works; None if OpenAlex doesn't know it or refuses to list them.

        Also None if the budget is spent during its first list. Raises BudgetSpent if not even one page can be read.
        """
        own_id, *seen = paper.openalex or (await self._look_up(paper),)
        if own_id is None:
            return None
        citing = await self._citing(own_id, found, today)
        if (
            seen
            and citing is not None
            and not citing.works
            and (merged := await self._look_up(paper)) != own_id
        ):
            own_id = merged or own_id
            citing = await self._citing(own_id, found, today)
        first = not paper.openalex
        if citing is None or (first and citing.ending == "spent"):
            return None
        known = set(seen)
        new = [] if first else citing.new(known)
        ids = dict.fromkeys((*citing.ids(known), *seen))
        return replace(
            paper,
            sources=(),
            **_UNKNOWN_FIELDS,
            openalex=(own_id, *ids),
            events=(cited(new, self._now()),) if new else (),
        )

    async def _look_up(self, paper: Paper) -> str | None:
        """Return OpenAlex's id of a paper. A merged work is found under its new id."""
        doi = f"10.48550/arxiv.{paper.id}" if is_arxiv(paper.id) else paper.id.removeprefix("doi:")
        if not doi.startswith("10."):
            return None
        answer = await self._get(f"{self._url}/doi:{quote(doi, safe='/')}", {"select": "id,title"})
        return work_id(mapping(read_json(answer.body, "OpenAlex"))) if answer.status == 200 else None

    async def _citing(self, own_id: str, found: "Found", today: date) -> CitingWorks | None:
        """Read the works that cite `own_id`, page by page; None if OpenAlex refuses to list them."""
        works: dict[str, str] = {}
        params = {"filter": f"cites:{own_id}", "sort": "publication_date:desc", "per_page": str(PAGE)}
        page = "*"
        for _ in range(PAGES):
            if not await self._calls.take(today):
                if not works:
                    raise BudgetSpent
                return CitingWorks(tuple(works.items()), "spent")
            found.lists += 1
            answer = await self._get(self._url, {**params, "select": "id,title", "cursor": page})
            if answer.headers.get("X-RateLimit-Remaining") == "0":
                await self._calls.use_up(today)
            if answer.status != 200:
                found.refused += 1
                return None
            listed, following = parse_works(answer.body)
            works |= dict(listed)
            if following is None or not listed:
                return CitingWorks(tuple(works.items()), "all")
            page = following
        return CitingWorks(tuple(works.items()), "cut")

    async def _get(self, address: str, params: Mapping[str, str]) -> Answer:
        """Return an answer with the status 200, 400 or 404. OpenAlex's 403 means to slow down."""
        answer = await self._upstream.get(
            address, {**params, "api_key": self._key}, accept=(200, 400, 403, 404)
        )
        if answer.status == 403:
            raise SourceError("OpenAlex asks for fewer requests (HTTP 403)", retry_after=SLOWER)
        return answer


class BudgetSpent(Exception):
    """The day's budget of calls is used up."""


@dataclass
class Found:
    """Results of one fetch so far."""

    reached: Cursor
    updates: list[Paper] = field(default_factory=list)
    lists: int = 0
    refused: int = 0

    def batch(self, *, more: bool = False) -> Batch:
        """Return the results as a batch."""
        skipped = {"OpenAlex refused the list of works": self.refused} if self.refused else {}
        return Batch(
            papers=(), cursor=str(self.reached), updates=tuple(self.updates), more=more, skipped=skipped
        )


class OpenAlexSettings(SettingsGroup):
    """Address of OpenAlex, and the key to its API."""

    openalex_url: BaseUrl = "https://api.openalex.org"
    openalex_key: SecretStr | None = Field(default=None)
    """With it, people who watch a paper get news of its citations."""


SETTINGS = OpenAlexSettings


def build_citations(context: SourceContext) -> Iterator[Citations]:
    """Build the source of citations, if there is a key."""
    settings = context.settings.of(OpenAlexSettings)
    if settings.openalex_key is not None:
        yield Citations(
            context.upstream("OpenAlex", gate="openalex", pause=PAUSE),
            settings.openalex_url,
            settings.openalex_key.get_secret_value(),
            papers=Papers(context.redis),
            watches=Watches(context.redis),
            calls=DailyCalls(context.redis, "openalex", BUDGET),
            now=context.now,
        )
