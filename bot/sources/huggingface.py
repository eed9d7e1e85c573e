"""Hugging Face's daily lists as a source: which days to read, when, and which papers are new on them."""

import asyncio
import json
from calendar import MONDAY, SUNDAY
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Self
from zoneinfo import ZoneInfo

import structlog

from bot.domain.errors import SourceError
from bot.domain.models import Paper
from bot.ports import Batch
from bot.settings import BaseUrl, SettingsGroup
from bot.sources.context import Progress, SourceContext
from bot.sources.http import Answer, Upstream
from bot.sources.huggingface_papers import HuggingFaceSearch, PageEnricher, parse_list

log = structlog.get_logger(__name__)

NEW_YORK = ZoneInfo("America/New_York")
ROLLS = time(21, 30)
"""New York time at which the list of the next date opens."""
QUIET_FROM = time(12, 0)
"""Time in UTC until which a date's list grows quickly."""
DAY = timedelta(days=1)
FIRST_WALK = 14
"""Number of days that the very first fetch reads."""
LONGEST_WALK = 90
"""Maximum number of days read after downtime; papers listed before are not announced."""
STRETCH = 10
"""Number of days that one fetch reads after downtime, oldest first, so that a list that fails affects only these."""
SWEEP = 7
"""Number of days that are read again once a day, for upvotes and late listings."""
PAGE = 100
"""Maximum number of papers per page. Lists are ordered by upvotes, so a truncated list would lose new papers."""
MAX_PAGES = 20
HISTORY_PAUSE = 0.7
"""Seconds between requests for past days: 500 in five minutes are allowed."""
PAGE_PAUSE = 1.0
"""Seconds between requests for pages of single papers."""

Lists = dict[date, list[Paper] | None]
"""The papers listed on each date; None if that date has no list."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Position in the daily lists, in list dates."""

    day: date
    """The newest date read."""
    first: date
    """The oldest date that is announced: papers listed before are history."""
    swept: date
    """The date on which older lists were last read again."""

    def __str__(self) -> str:
        return json.dumps({name: getattr(self, name).isoformat() for name in ("day", "first", "swept")})

    @classmethod
    def parse(cls, value: str) -> Self:
        """Parse what `str` returned. Raises SourceError for anything else: starting over would skip papers."""
        try:
            dates = {name: date.fromisoformat(day) for name, day in json.loads(value).items()}
            return cls(**dates)
        except (ValueError, TypeError, AttributeError) as error:
            raise SourceError(f"the cursor of Hugging Face in Redis can't be read: {value!r}") from error


@dataclass(frozen=True, slots=True)
class Walk:
    """List dates to read, from the newest back to `oldest`. Lists from `needed` on are required."""

    newest: date
    needed: date
    oldest: date

    def __iter__(self) -> Iterator[date]:
        return (self.newest - n * DAY for n in range(len(self)))

    def __len__(self) -> int:
        return (self.newest - self.oldest).days + 1


class HuggingFace:
    """Reads the daily lists. Papers listed before the first fetch are history."""

    name = "huggingface"

    def __init__(self, upstream: Upstream, url: str, now: Callable[[], datetime], progress: Progress) -> None:
        self._upstream = upstream
        self._url = f"{url.rstrip('/')}/api/daily_papers"
        self._now = now
        self._progress = progress

    async def fetch(self, cursor: str | None) -> Batch:
        """Fetch all lists since the cursor's date. The first fetch reads 14 days and announces the newest list."""
        reached, today = Cursor.parse(cursor) if cursor else None, list_date(self._now())
        walk = plan(reached, today)
        lists = await self._read(walk)
        if reached and walk.newest < today:
            return replace(compose(reached, walk, lists, None), more=True)
        trending = await self._trending()
        if trending is None and not any(papers is not None for papers in lists.values()):
            raise SourceError(f"{self._upstream.name} has no lists at {self._url}: check its address")
        return compose(reached, walk, lists, trending)

    def next_poll(self, now: datetime) -> datetime:
        return next_poll(now)

    async def _read(self, walk: Walk) -> Lists:
        """Read the walk's lists, newest first. If an old one that isn't required fails, stop there."""
        lists: Lists = {}
        for done, day in enumerate(walk, start=1):
            try:
                lists[day] = await self.listed_on(day)
            except SourceError as error:
                if day >= walk.needed or not any(lists.values()):
                    raise
                log.warning("older_lists_not_read", source=self.name, day=str(day), reason=str(error))
                break
            self._progress(self.name, done, len(walk))
        return lists

    async def listed_on(self, day: date) -> list[Paper] | None:
        """Read all pages of a date's list; None if it has none: HTTP 400 for a future date, 404 for an unknown one."""
        papers: dict[str, Paper] = {}
        for page in range(MAX_PAGES):
            params = {"date": day.isoformat(), "p": str(page)}
            answer = await self._ask(params, accept=(200, 400, 404))
            if answer is None:
                return list(papers.values()) if page else None
            before, listed = len(papers), await _parsed(answer)
            papers.update((paper.id, paper) for paper in listed)
            if len(papers) == before or not (len(listed) >= PAGE or answer.has_next):
                break
        return list(papers.values())

    async def _trending(self) -> tuple[str, ...] | None:
        """Return ids in trending order; None if they can't be read, which must not delay the lists."""
        try:
            answer = await self._ask({"sort": "trending"}, accept=(200,))
            return tuple(paper.id for paper in await _parsed(answer)) if answer else None
        except SourceError as error:
            log.warning("trending_order_not_read", source=self.name, reason=str(error))
            return None

    async def _ask(self, params: Mapping[str, str], accept: tuple[int, ...]) -> Answer | None:
        """Request a page; None for an accepted status other than 200."""
        answer = await self._upstream.get(self._url, {**params, "limit": str(PAGE)}, accept=accept)
        return answer if answer.status == 200 else None


async def _parsed(answer: Answer) -> list[Paper]:
    """Parse a page in a thread: it takes 30 ms, for which commands would otherwise wait."""
    return await asyncio.to_thread(parse_list, answer.body)


class HuggingFaceHistory:
    """The daily lists of past days."""

    name = "Hugging Face"

    def __init__(self, source: HuggingFace) -> None:
        self._source = source

    async def of(self, day: date) -> Sequence[Paper]:
        return await self._source.listed_on(day) or ()


class HuggingFaceSettings(SettingsGroup):
    """Address of Hugging Face."""

    huggingface_url: BaseUrl = "https://huggingface.co"


SETTINGS = HuggingFaceSettings


def build(context: SourceContext) -> Iterator[HuggingFace]:
    """Build the source of the daily lists."""
    yield _source(context, context.upstream("Hugging Face"))


def build_search(context: SourceContext) -> Iterator[HuggingFaceSearch]:
    """Build Hugging Face's own search."""
    yield HuggingFaceSearch(context.upstream("Hugging Face"), _url(context))


def build_history(context: SourceContext) -> Iterator[HuggingFaceHistory]:
    """Build the reader of past days' lists."""
    upstream = context.upstream("Hugging Face", gate="huggingface-history", pause=HISTORY_PAUSE)
    yield HuggingFaceHistory(_source(context, upstream))


def build_enrichers(context: SourceContext) -> Iterator[PageEnricher]:
    """Build the enricher for papers that other sources have listed."""
    yield PageEnricher(context.upstream("Hugging Face", gate="huggingface", pause=PAGE_PAUSE), _url(context))


def _source(context: SourceContext, upstream: Upstream) -> HuggingFace:
    return HuggingFace(upstream, _url(context), context.now, context.progress)


def _url(context: SourceContext) -> str:
    return context.settings.of(HuggingFaceSettings).huggingface_url


def list_date(now: datetime) -> date:
    """Return the newest date that has a list, or will have one within the day."""
    local = now.astimezone(NEW_YORK)
    return local.date() + DAY if local.time() >= ROLLS else local.date()


def plan(reached: Cursor | None, today: date) -> Walk:
    """Choose the lists to read.

    Only working days have lists. Weekends are read too: that costs little, and no list is missed if that changes.
    The working day before `today` is read again, because its list may still grow.
    """
    if reached is None:
        return Walk(newest=today, needed=today, oldest=today - (FIRST_WALK - 1) * DAY)
    needed = max(min(reached.day, _working_day_before(today)), today - (LONGEST_WALK - 1) * DAY)
    if reached.day < needed:
        log.warning("lists_too_old_to_announce", since=str(reached.day), until=str(needed))
    newest = needed + (STRETCH - 1) * DAY
    if newest < today:
        return Walk(newest=newest, needed=needed, oldest=needed)
    oldest = needed if reached.swept == today else min(needed, today - SWEEP * DAY)
    return Walk(newest=today, needed=needed, oldest=oldest)


def _working_day_before(day: date) -> date:
    back = {MONDAY: 3, SUNDAY: 2}.get(day.weekday(), 1)
    return day - back * DAY


def compose(reached: Cursor | None, walk: Walk, lists: Lists, trending: tuple[str, ...] | None) -> Batch:
    """Build a batch from the lists: new papers from the first announced date on, history before it."""
    first = reached.first if reached else max((day for day in lists if lists[day]), default=walk.newest)
    complete = len(lists) == len(walk)
    # The next fetch's sweep reads the lists that an incomplete walk left out.
    swept = walk.newest if complete else (reached.swept if reached else walk.newest - DAY)
    newest = max(walk.newest, reached.day) if reached else walk.newest
    news: dict[str, Paper] = {}
    history: dict[str, Paper] = {}
    for day in sorted(lists):
        (news if day >= first else history).update((paper.id, paper) for paper in lists[day] or ())
    return Batch(
        papers=tuple(news.values()),
        cursor=str(Cursor(newest, first, swept)),
        history=tuple(paper for paper in history.values() if paper.id not in news),
        trending=trending,
    )


def next_poll(now: datetime) -> datetime:
    """Poll every 15 minutes from a list's opening to noon UTC of its date, Monday to Friday; else hourly."""
    today = now.astimezone(UTC).date()
    working_days = [day for day in (today, today + DAY) if day.weekday() < 5]
    openings = [datetime.combine(day - DAY, ROLLS, NEW_YORK) for day in working_days]
    closings = [datetime.combine(day, QUIET_FROM, UTC) for day in working_days]
    if any(opens <= now < closes for opens, closes in zip(openings, closings, strict=True)):
        return now + timedelta(minutes=15)
    return min([now + timedelta(hours=1), *(opens for opens in openings if opens > now)])
