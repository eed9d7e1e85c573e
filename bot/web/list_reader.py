"""Lists for readers outside of chats: trending papers, the matches of a query, and the posts of a channel.

Feeds, the API and the pages share this module, so that they always show the same items.
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
from bot.store.reactions import Annotation, PaperList, ReadingLists
from bot.store.subscriptions import Subscriptions
from bot.store.tokens import Grant

PAGE = 50
"""Items per page."""
MAX_ITEMS = 500
"""Maximum number of items of a public list."""
FRESH = 60.0
"""Seconds for which a public list is cached."""
MAX_CACHED = 200
"""Maximum number of lists in a process's cache."""
CONCURRENT_QUERIES = 2
"""Maximum number of concurrent queries for strangers, so that people in channels don't wait for them."""
SPANS = {"day": 0, "week": 7, "month": 30}
"""Spans of trending papers, in days. 0 is the trending page in its own order; the others are sorted by upvotes."""
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
"""Update time of an empty list. Feed readers and the W3C's validator consider 1970 an error."""


@dataclass(frozen=True, slots=True)
class Item:
    """An item of a list: a paper, or an event in a paper's life."""

    entry: str
    """The paper's id, or the event's name, as in the outbox."""
    paper: Paper
    at: datetime
    """Time of the post; in lists that aren't a channel's posts, the time when the paper was first seen or added."""
    reasons: tuple[Reason, ...] = ()
    note: str = ""
    """Someone's note on the paper in a shared list."""
    message: str = ""
    """Id of the message in which the item was posted."""
    place: int = 0
    """Position of the item in that message."""

    @property
    def event(self) -> str:
        """Description of the event; "" if the item is the paper itself."""
        return plain(self.reasons[0].note) if self._is_event and self.reasons else ""

    @property
    def matched(self) -> tuple[Reason, ...]:
        """The subscriptions that the item matched; none for an event."""
        return () if self._is_event else self.reasons

    @property
    def _is_event(self) -> bool:
        return paper_of(self.entry) != self.entry


@dataclass(frozen=True, slots=True)
class Items:
    """One page of a list. `more` says whether there is another one."""

    items: tuple[Item, ...]
    page: int = 1
    more: bool = False

    @property
    def updated(self) -> datetime:
        """The time of the latest item."""
        return max((item.at for item in self.items), default=LONG_AGO)


class ListReader:
    """Reads lists. All of its methods raise RedisError."""

    def __init__(
        self,
        *,
        papers: Papers,
        search: Search,
        recent: RecentPapers,
        outbox: Outbox,
        subscriptions: Subscriptions,
        saved: ReadingLists,
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
        """Return the papers that are trending now, or the most upvoted ones of a longer span."""

        async def read() -> Sequence[Paper]:
            days = SPANS.get(span, 0)
            return await (self.search.upvoted(days, MAX_ITEMS) if days else self.papers.trending())

        return await self._cached(f"trending {span}", read, page)

    async def matching(self, query: str, page: int = 1) -> Items:
        """Return the papers of the last days that a subscription to `query` would have posted, newest first.

        Raises UserError if the query can't be parsed.
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
        """Return the posts of a channel, or of one of its subscriptions, latest first."""
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
        """Return the papers on a channel's shared list, latest addition first, without who added them."""
        shared = PaperList(grant.channel, shared=True)
        added = await self._saved.added(shared)
        first = (page - 1) * PAGE
        ids = list(added)[first : first + PAGE]
        papers, notes = await self.papers.get(ids), await self._saved.annotations(shared)
        items = tuple(
            Item(id_, papers[id_], added[id_], note=_note(notes.get(id_, Annotation())))
            for id_ in ids
            if id_ in papers
        )
        return Items(items, page, more=len(added) > first + PAGE)

    async def subscriptions(self, grant: Grant) -> list[Subscription]:
        """Return the channel's subscriptions that the grant covers, sorted by number."""
        all_ = await self._subscriptions.of(grant.channel)
        return [one for one in all_ if grant.number in {0, one.number}]

    async def items(self, papers: Sequence[Paper]) -> tuple[Item, ...]:
        """Return items for the papers, in the same order."""
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


def _note(annotation: Annotation) -> str:
    return plain(" ".join((annotation.note, *(f"#{tag}" for tag in annotation.tags))))
