"""OpenAlex: who cites the papers that are watched, once a day: https://developers.openalex.org.

It lists nothing and only updates papers that are known. Looking up a work by its DOI is free; a list of citing works costs one of
about 10,000 calls that a free key has each day.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any, Self
from urllib.parse import quote

from pydantic import Field, SecretStr

from bot.domain.errors import SourceError
from bot.domain.life import Event
from bot.domain.models import Paper
from bot.ports import Batch
from bot.settings import BaseUrl, SettingsGroup
from bot.sources.context import SourceContext
from bot.sources.enrichment import PREFIX
from bot.sources.fields import mapping, read_json, text
from bot.sources.http import Upstream
from bot.store.papers import Papers
from bot.store.watches import Watches
from bot.text import clean, shorten
from bot.text.identity import is_arxiv

BUDGET = 9_000
"""Lists asked for in a day; a free key has 10,000. A failed call isn't counted, which the difference allows for."""
AT_ONCE = 25
"""Papers asked about by one fetch."""
PAGE = 100
"""Citing works in one answer, the most that OpenAlex sends; of a paper with more, the latest."""
KNOWN = 200
"""Citing works of a paper that are remembered."""
PAUSE = 0.1
"""Seconds between requests; OpenAlex allows 100 a second."""
HOUR = time(5, 0, tzinfo=UTC)
"""When a day's round begins, in UTC."""
TITLES = 2
"""New citing papers that an event names."""
TITLE = 80
"""Characters of their titles."""

_UNSAID: dict[str, Any] = dict.fromkeys(
    ("upvotes", "rank", "code_url", "code_stars", "project_url", "versions", "comment", "withdrawn")
)
"""Facts that OpenAlex says nothing about: other sources may know newer ones."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far the round over all watched papers has come."""

    day: str
    """The day on which calls were counted last."""
    spent: int = 0
    """Lists asked for on that day."""
    after: str = ""
    """The last paper of this round that was asked about; "" at its beginning."""
    finished: str = ""
    """The day of the last round that came to its end."""

    def __str__(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def parse(cls, written: str) -> Self:
        """The inverse of `str`. Raises SourceError for anything else."""
        try:
            return cls(**json.loads(written))
        except (ValueError, TypeError) as error:
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
        now: Callable[[], datetime],
        budget: int = BUDGET,
    ) -> None:
        self._upstream = upstream
        self._url = f"{url}/works"
        self._key = key
        self._papers = papers
        self._watches = watches
        self._now = now
        self._budget = budget

    async def fetch(self, cursor: str | None) -> Batch:
        """News of the next watched papers; none once the day's round is over or its budget is spent."""
        today = self._now().date().isoformat()
        reached = Cursor.parse(cursor) if cursor else Cursor(today)
        reached = reached if reached.day == today else replace(reached, day=today, spent=0)
        if reached.finished == today or reached.spent >= self._budget:
            return Batch(papers=(), cursor=str(reached))
        left = [paper_id for paper_id in await self._watches.watched_for("cited") if paper_id > reached.after]
        some = await self._papers.get(left[:AT_ONCE])
        updates: list[Paper] = []
        for paper_id in left[:AT_ONCE]:
            if reached.spent >= self._budget:
                return Batch(papers=(), cursor=str(reached), updates=tuple(updates))
            try:
                update = await self._ask(some[paper_id]) if paper_id in some else None
            except SourceError:
                if not updates:
                    raise
                return Batch(papers=(), cursor=str(reached), updates=tuple(updates), more=True)
            updates += [update] if update else []
            reached = replace(reached, after=paper_id, spent=reached.spent + bool(update))
        more = len(left) > AT_ONCE
        reached = reached if more else replace(reached, after="", finished=today)
        return Batch(papers=(), cursor=str(reached), updates=tuple(updates), more=more)

    def next_poll(self, now: datetime) -> datetime:
        today = datetime.combine(now.astimezone(UTC).date(), HOUR)
        return today if today > now else today + timedelta(days=1)

    async def _ask(self, paper: Paper) -> Paper | None:
        """The paper with what cites it now; None if OpenAlex doesn't know the paper."""
        own = paper.openalex[0] if paper.openalex else await self._look_up(paper)
        if own is None:
            return None
        params = {
            "filter": f"cites:{own}",
            "sort": "publication_date:desc",
            "per_page": str(PAGE),
            "select": "id,title",
            "api_key": self._key,
        }
        works = parse_works((await self._upstream.get(self._url, params)).body)
        new = _new(works, set(paper.openalex)) if paper.openalex else []
        ids = dict.fromkeys((*(work_id for work_id, _ in works), *paper.openalex[1:]))
        return replace(
            paper,
            sources=(),
            **_UNSAID,
            openalex=(own, *list(ids)[:KNOWN]),
            events=(cited(new, self._now()),) if new else (),
        )

    async def _look_up(self, paper: Paper) -> str | None:
        """OpenAlex's id of a paper."""
        doi = f"10.48550/arxiv.{paper.id}" if is_arxiv(paper.id) else paper.id.removeprefix("doi:")
        if not doi.startswith("10."):
            return None
        params = {"select": "id,title", "api_key": self._key}
        address = f"{self._url}/doi:{quote(doi, safe='/')}"
        answer = await self._upstream.get(address, params, accept=(200, 404))
        return _id(mapping(read_json(answer.body, "OpenAlex"))) if answer.status == 200 else None


def _new(works: Sequence[tuple[str, str]], known: set[str]) -> list[tuple[str, str]]:
    """The works that are listed for the first time. Unknown ones at the end of a full list are old: they moved up because one
    before them is gone."""
    last = max((place for place, (work_id, _) in enumerate(works) if work_id in known), default=len(works))
    listed = works if len(works) < PAGE else works[:last]
    return [work for work in listed if work[0] not in known]


def cited(new: Sequence[tuple[str, str]], at: datetime) -> Event:
    """The event of these new citing works, each an id and a title."""
    named = [f"“{shorten(title, TITLE)}”" for _, title in new if title][:TITLES]
    more = len(new) - len(named)
    who = " and ".join(filter(None, (", ".join(named), f"{more} more" if more and named else "")))
    number = "a new paper" if len(new) == 1 else f"{len(new)} new papers"
    listed = f": {who}" if who else ""
    return Event(
        "cited", f"cited-{new[0][0].lower()}", at, f"Cited by {number}{listed} (OpenAlex, days to weeks late)"
    )


def parse_works(body: bytes) -> list[tuple[str, str]]:
    """Id and title of the works in an answer. Raises SourceError for anything else."""
    rows = mapping(read_json(body, "OpenAlex")).get("results")
    if not isinstance(rows, list):
        raise SourceError(f"OpenAlex sent no list of works ({len(body)} bytes)")
    works = [(_id(mapping(row)), clean(text(mapping(row).get("title")))) for row in rows]
    return [(work_id, title) for work_id, title in works if work_id]


def _id(work: dict[str, Any]) -> str | None:
    """`https://openalex.org/W123` -> `W123`."""
    found = text(work.get("id")).rpartition("/")[2]
    return found if found[:1] == "W" and found[1:].isdecimal() and len(found) < 20 else None


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
            now=context.now,
        )
