"""What can be read from outside: trending papers, what a query finds, and what was posted in a channel.

Feeds, the API and the pages show the same items, so that they never differ.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from time import monotonic

from bot.cards.sanitize import plain
from bot.domain.life import paper_of
from bot.domain.models import Paper, Reason, Subscription
from bot.query import parse, spelled
from bot.search.recent_papers import RecentPapers
from bot.search.search import Search
from bot.store.outbox.outbox import Outbox
from bot.store.papers import Papers
from bot.store.reactions import Annotation, PaperList, Saved
from bot.store.subscriptions import Subscriptions
from bot.store.tokens import Grant

PAGE = 50
"""Items on a page."""
MAX_ITEMS = 500
"""Items of a list that is the same for everyone."""
FRESH = 60.0
"""Seconds for which such a list is cached."""
MAX_CACHED = 200
"""Lists in the cache of a process."""
CONCURRENT_QUERIES = 2
"""Queries that run at a time for strangers: people in channels don't wait for them."""
SPANS = {"day": 0, "week": 7, "month": 30}
"""Of trending papers: a day's in the order of the trending page, the others by upvotes."""
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
"""The time of a list with nothing in it. Readers, and the W3C's validator, take one of 1970 for a mistake."""


@dataclass(frozen=True, slots=True)
class Item:
    """A paper, or something that happened to one, as it stands in a list."""

    entry: str
    """As in the outbox: the paper's id, or the event's name."""
    paper: Paper
    at: datetime
    """When it was posted; for a list that isn't a channel's, when it was first seen."""
    reasons: tuple[Reason, ...] = ()
    note: str = ""
    """What someone wrote about it on a list."""
    message: str = ""
    """The id of the message in which it was posted."""
    place: int = 0
    """Its place in that message."""

    @property
    def event(self) -> str:
        """What happened to the paper; "" if the item is the paper itself."""
        return plain(self.reasons[0].note) if self._is_event and self.reasons else ""

    @property
    def matched(self) -> tuple[Reason, ...]:
        """The subscriptions that it matched."""
        return () if self._is_event else self.reasons

    @property
    def _is_event(self) -> bool:
        return paper_of(self.entry) != self.entry


@dataclass(frozen=True, slots=True)
class Items:
    """One page of a list, which has another page if `more`."""

    items: tuple[Item, ...]
    page: int = 1
    more: bool = False

    @property
    def updated(self) -> datetime:
        """The time of the latest item."""
        return max((item.at for item in self.items), default=LONG_AGO)


class Reader:
    """Reads lists. All of its methods raise RedisError."""

    def __init__(
        self,
        *,
        papers: Papers,
        search: Search,
        recent: RecentPapers,
        outbox: Outbox,
        subscriptions: Subscriptions,
        saved: Saved,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.papers = papers
        self.search = search
        self._recent = recent
        self._outbox = outbox
        self._subscriptions = subscriptions
        self._saved = saved
        self._clock = clock
        self._cache: dict[str, tuple[float, tuple[Item, ...]]] = {}
        self._queries = asyncio.Semaphore(CONCURRENT_QUERIES)

    async def trending(self, span: str, page: int = 1) -> Items:
        """The trending papers of now, or the most upvoted of a longer span."""

        async def read() -> Sequence[Paper]:
            days = SPANS.get(span, 0)
            return await (self.search.upvoted(days, MAX_ITEMS) if days else self.papers.trending())

        return await self._cached(f"trending {span}", read, page)

    async def matching(self, query: str, page: int = 1) -> Items:
        """The papers of the last days that a subscription to `query` would have posted, the newest first.

        Raises UserError if the query can't be read.
        """
        parsed = parse(query)

        async def read() -> Sequence[Paper]:
            async with self._queries:
                ids = await self._recent.matching(parsed)
            seen = await self.papers.first_seen(ids)
            newest = sorted(seen, key=lambda paper_id: (-seen[paper_id], paper_id))[:MAX_ITEMS]
            found = await self.papers.get(newest)
            return [found[paper_id] for paper_id in newest if paper_id in found]

        items = await self._cached(f"query {parsed}", read, page)
        reason = Reason(0, spelled(parsed))
        return replace(items, items=tuple(replace(item, reasons=(reason,)) for item in items.items))

    async def posts(self, grant: Grant, page: int = 1, number: int | None = None) -> Items:
        """What was posted in a channel, or for one of its subscriptions, the latest first."""
        first = (page - 1) * PAGE
        found = await self._outbox.posts(grant.channel, first + PAGE + 1, number or grant.number or None)
        shown = found[first : first + PAGE]
        papers = await self.papers.get({paper_of(post.entry) for post in shown})
        return Items(
            tuple(
                Item(
                    post.entry,
                    papers[paper_of(post.entry)],
                    post.sent.at,
                    post.sent.reasons,
                    message=post.sent.message.id,
                    place=post.sent.place,
                )
                for post in shown
                if paper_of(post.entry) in papers
            ),
            page,
            more=len(found) > first + PAGE,
        )

    async def shared_list(self, grant: Grant, page: int = 1) -> Items:
        """The papers on a channel's shared list, those that were put on it last first, without who did it."""
        shared = PaperList(grant.channel, shared=True)
        added = await self._saved.added(shared)
        first = (page - 1) * PAGE
        ids = list(added)[first : first + PAGE]
        papers, notes = await self.papers.get(ids), await self._saved.annotations(shared)
        items = tuple(
            Item(one, papers[one], added[one], note=_note(notes.get(one, Annotation())))
            for one in ids
            if one in papers
        )
        return Items(items, page, more=len(added) > first + PAGE)

    async def subscriptions(self, grant: Grant) -> list[Subscription]:
        """The channel's subscriptions that may be seen, by number."""
        all_ = await self._subscriptions.of(grant.channel)
        return [one for one in all_ if grant.number in {0, one.number}]

    async def items(self, papers: Sequence[Paper]) -> tuple[Item, ...]:
        """Papers as items, in their order."""
        seen = await self.papers.first_seen([paper.id for paper in papers])
        return tuple(
            Item(
                paper.id,
                paper,
                datetime.fromtimestamp(seen[paper.id] / 1000, UTC) if paper.id in seen else paper.published,
            )
            for paper in papers
        )

    async def _cached(self, name: str, read: Callable[[], Awaitable[Sequence[Paper]]], page: int) -> Items:
        until, items = self._cache.get(name, (0.0, ()))
        if self._clock() >= until:
            items = await self.items(await read())
            self._cache.pop(name, None)
            self._cache[name] = (self._clock() + FRESH, items)
            while len(self._cache) > MAX_CACHED:
                del self._cache[next(iter(self._cache))]
        first = (page - 1) * PAGE
        return Items(items[first : first + PAGE], page, more=len(items) > first + PAGE)


def _note(about: Annotation) -> str:
    return plain(" ".join((about.note, *(f"#{tag}" for tag in about.tags))))
