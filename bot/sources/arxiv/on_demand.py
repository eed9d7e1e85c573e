"""Categories of arXiv that are read because a subscription asks for them."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from bot.domain.models import Paper
from bot.ports import Batch, Source
from bot.sources.arxiv.calendar import Calendar
from bot.sources.categories import ALIASES, ARCHIVES, ARXIV


class SinceFollowed:
    """A source whose papers are history until `first`, the first announcement after following began."""

    def __init__(self, source: Source, first: datetime, now: Callable[[], datetime]) -> None:
        self.name = source.name
        self._source = source
        self._first = first
        self._now = now

    async def fetch(self, cursor: str | None) -> Batch:
        now = self._now()
        # A small category is silent now and then, which isn't a reason for an alarm.
        batch = replace(await self._source.fetch(cursor), alarm=None)
        # A list that couldn't be read in time may still hold older papers once the announcement has begun.
        news = [paper for paper in batch.papers if now >= self._first and not self._is_older(paper, batch)]
        older = [paper for paper in batch.papers if paper not in news]
        return replace(batch, papers=tuple(news), history=backfilled((*batch.history, *older)))

    def next_poll(self, now: datetime) -> datetime:
        return self._source.next_poll(now)

    def _is_older(self, paper: Paper, batch: Batch) -> bool:
        announced = batch.announced.get(paper.id)
        return announced is not None and announced < self._first.astimezone(UTC).date()


class ArxivOnDemand:
    """Reads categories and whole archives, with the same sources as for those that the operator follows."""

    name = "arxiv"
    title = "arXiv"

    def __init__(
        self,
        sources_of: Callable[[str], Iterable[Source]],
        calendar: Calendar,
        now: Callable[[], datetime],
        *,
        limit: int,
        categories: Collection[str],
    ) -> None:
        self._sources_of = sources_of
        self._calendar = calendar
        self._now = now
        self.limit = limit
        self._categories = frozenset(categories)
        """Categories that the operator follows."""
        self._built: dict[tuple[str, datetime], list[Source]] = {}

    def has(self, category: str) -> bool:
        return category in ARXIV or (category.endswith(".*") and category.removesuffix(".*") in ARCHIVES)

    def is_read(self, category: str, followed: Collection[str] = ()) -> bool:
        read = self._categories | {_primary(name) for name in followed}
        wanted = _primary(category)
        archive = wanted.partition(".")[0]
        if wanted in read or archive in read:
            return True
        return wanted in ARCHIVES and all(name in read for name in _members(wanted))

    def source_names(self, category: str) -> Sequence[str]:
        return [source.name for source in self._sources_of(_primary(category))]

    def sources(self, followed: Mapping[str, datetime]) -> Sequence[Source]:
        wanted: dict[str, datetime] = {}
        for category, since in followed.items():
            name = _primary(category)
            wanted[name] = min(since, wanted.get(name, since))
        needed = {
            (name, since)
            for name, since in wanted.items()
            if name not in self._categories and ("." not in name or name.partition(".")[0] not in wanted)
        }
        self._built = {key: self._built.get(key) or self._build(*key) for key in sorted(needed)}
        return [source for built in self._built.values() for source in built]

    def next_papers(self, now: datetime) -> datetime:
        return self._calendar.following(now)

    def _build(self, name: str, since: datetime) -> list[Source]:
        first = self._calendar.following(since)
        return [SinceFollowed(source, first, self._now) for source in self._sources_of(name)]


def backfilled(papers: Iterable[Paper]) -> tuple[Paper, ...]:
    """Mark the papers as history."""
    return tuple(replace(paper, backfilled=True) for paper in papers)


def _primary(category: str) -> str:
    """Return the category that is primary in papers, or the archive: `math.NA` for `cs.NA`, `math` for `math.*`."""
    return ALIASES.get(category, category.removesuffix(".*"))


def _members(archive: str) -> Iterator[str]:
    return (name for name in ARXIV if name.startswith(f"{archive}.") and name not in ALIASES)
