"""OpenAlex: who cites the papers that are watched, once a day: https://developers.openalex.org.

It lists nothing and only updates papers that are known. Looking up a work by its DOI is free; a page of citing works costs one of
the 10,000 calls that a free key has each day. Each call is counted before it is made, so that no restart exceeds the budget.
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
from bot.sources.citing_works import Citing, cited, parse_works, work_id
from bot.sources.context import SourceContext
from bot.sources.enrichment import PREFIX
from bot.sources.fields import mapping, read_json
from bot.sources.http import Answer, Upstream
from bot.store.daily_calls import DailyCalls
from bot.store.papers import Papers
from bot.store.watches import Watches
from bot.text.identity import is_arxiv

BUDGET = 9_000
"""Lists asked for in a day; a free key has 10,000, which others may use, too."""
AT_ONCE = 25
"""Lists after which a fetch ends, so that what was read is stored."""
PAGE = 100
"""Citing works in one answer, the most that OpenAlex documents."""
PAGES = 25
"""Pages of one paper's citing works: of a paper with more than 2,500, the latest are looked at."""
SLOWER = 60.0
"""Seconds to wait when OpenAlex wants slower requests and names no time."""
PAUSE = 0.1
"""Seconds between requests; OpenAlex allows 100 a second."""
HOUR = time(5, 0, tzinfo=UTC)
"""When a day's round begins, in UTC."""
_UNSAID: dict[str, Any] = dict.fromkeys(
    ("upvotes", "rank", "code_url", "code_stars", "project_url", "versions", "comment", "withdrawn")
)
"""Facts that OpenAlex says nothing about: other sources may know newer ones."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far the round over all watched papers has come."""

    after: str = ""
    """The last paper of this round that was asked about; "" at its beginning."""
    finished: str = ""
    """The day of the last round that came to its end."""

    def __str__(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def parse(cls, written: str) -> Self:
        """The inverse of `str`; other fields are ignored. Raises SourceError for anything else."""
        try:
            found = json.loads(written)
            return cls(str(found["after"]), str(found["finished"]))
        except (ValueError, TypeError, KeyError) as error:
            raise SourceError(f"the cursor of OpenAlex in Redis can't be read: {written!r}") from error


class Citations:
    """The source that asks which new works cite the watched papers."""

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
        """News of the next watched papers; none once the day's round is over or its budget is spent."""
        today = self._now().astimezone(UTC).date()
        reached = Cursor.parse(cursor) if cursor else Cursor()
        if reached.finished == today.isoformat():
            return Batch(papers=(), cursor=str(reached))
        left = [paper_id for paper_id in await self._watches.watched_for("cited") if paper_id > reached.after]
        found = Found(reached)
        some = await self._papers.get(left[:AT_ONCE])
        for paper_id in left[:AT_ONCE]:
            if found.lists >= AT_ONCE:
                break
            try:
                update = await self._ask(some[paper_id], found, today) if paper_id in some else None
            except BudgetSpent:
                return found.batch()
            except SourceError:
                if found.reached == reached:
                    raise
                return found.batch(more=True)
            found.updates += [update] if update else []
            found.reached = replace(found.reached, after=paper_id)
        if left and found.reached.after != left[-1]:
            return found.batch(more=True)
        found.reached = Cursor(finished=today.isoformat())
        return found.batch()

    def next_poll(self, now: datetime) -> datetime:
        today = datetime.combine(now.astimezone(UTC).date(), HOUR)
        return today if today > now else today + timedelta(days=1)

    async def _ask(self, paper: Paper, found: "Found", today: date) -> Paper | None:
        """The paper with what cites it now; None if OpenAlex doesn't know the paper.

        Raises BudgetSpent if no page could be read.
        """
        own, *seen = paper.openalex or (await self._look_up(paper),)
        if own is None:
            return None
        citing = await self._citing(own, found, today)
        if seen and citing is not None and not citing.works and (merged := await self._look_up(paper)) != own:
            own = merged or own
            citing = await self._citing(own, found, today)
        first = not paper.openalex
        if citing is None or (first and citing.ending == "spent"):
            return None
        known = set(seen)
        new = [] if first else citing.new(known)
        ids = dict.fromkeys((*citing.ids(known), *seen))
        return replace(
            paper,
            sources=(),
            **_UNSAID,
            openalex=(own, *ids),
            events=(cited(new, self._now()),) if new else (),
        )

    async def _look_up(self, paper: Paper) -> str | None:
        """OpenAlex's id of a paper. A work that was merged is found under its new one."""
        doi = f"10.48550/arxiv.{paper.id}" if is_arxiv(paper.id) else paper.id.removeprefix("doi:")
        if not doi.startswith("10."):
            return None
        answer = await self._get(f"{self._url}/doi:{quote(doi, safe='/')}", {"select": "id,title"})
        return work_id(mapping(read_json(answer.body, "OpenAlex"))) if answer.status == 200 else None

    async def _citing(self, own: str, found: "Found", today: date) -> Citing | None:
        """Page by page the works that cite one; None if OpenAlex refuses to list them."""
        works: dict[str, str] = {}
        params = {"filter": f"cites:{own}", "sort": "publication_date:desc", "per_page": str(PAGE)}
        page = "*"
        for _ in range(PAGES):
            if not await self._calls.take(today):
                if not works:
                    raise BudgetSpent
                return Citing(tuple(works.items()), "spent")
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
                return Citing(tuple(works.items()), "all")
            page = following
        return Citing(tuple(works.items()), "cut")

    async def _get(self, address: str, params: Mapping[str, str]) -> Answer:
        """An answer about works: 200, 400 or 404. OpenAlex's 403 means to slow down."""
        answer = await self._upstream.get(
            address, {**params, "api_key": self._key}, accept=(200, 400, 403, 404)
        )
        if answer.status == 403:
            raise SourceError("OpenAlex asks for fewer requests (HTTP 403)", retry_after=SLOWER)
        return answer


class BudgetSpent(Exception):
    """No list can be asked for on this day any more."""


@dataclass
class Found:
    """What one fetch has found so far."""

    reached: Cursor
    updates: list[Paper] = field(default_factory=list)
    lists: int = 0
    refused: int = 0

    def batch(self, *, more: bool = False) -> Batch:
        """All of it, and how far it reaches."""
        skipped = {"OpenAlex refused the list of works": self.refused} if self.refused else {}
        return Batch(
            papers=(), cursor=str(self.reached), updates=tuple(self.updates), more=more, skipped=skipped
        )


class OpenAlexSettings(SettingsGroup):
    """Where OpenAlex is, and the key to it."""

    openalex_url: BaseUrl = "https://api.openalex.org"
    openalex_key: SecretStr | None = Field(default=None)
    """With it those who watch a paper hear who cites it."""


SETTINGS = OpenAlexSettings


def build_citations(context: SourceContext) -> Iterator[Citations]:
    """Citations of watched papers, which need a key."""
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
