"""Which categories subscriptions ask for, and the sources that read them on demand."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from bot.domain.errors import UserError
from bot.domain.models import ChannelRef, Subscription
from bot.ports import Source
from bot.query import Category, parse
from bot.query.nodes import terms_of
from bot.sources.on_demand import OnDemand
from bot.store.followed import FollowedCategories
from bot.store.index_sync import IndexSync
from bot.store.subscriptions import Subscriptions

KEEP = timedelta(days=30)
"""Time for which a category is still read that no subscription asks for any more."""
RENEW = timedelta(days=1)
"""Age from which the time is written again at which a category was last wanted."""


class CategoryDemand:
    """The categories that all subscriptions ask for, kept up to date like the index of a matcher."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._asked: dict[tuple[ChannelRef, int], tuple[str, ...]] = {}

    @property
    def categories(self) -> frozenset[str]:
        """Every category that some subscription names and doesn't exclude."""
        return frozenset(self._counts)

    def add(self, subscription: Subscription) -> None:
        """Count what a subscription asks for. Most name no category, and are not even parsed."""
        if asked := _asked_by(subscription.query):
            self._asked[subscription.channel, subscription.number] = asked
            self._counts.update(asked)

    def remove(self, channel: ChannelRef, number: int) -> None:
        """Forget a subscription, if it is known."""
        self._counts -= Counter(self._asked.pop((channel, number), ()))


class FollowedSources:
    """The sources of followed categories. A subscription's category is followed from the next call on."""

    def __init__(
        self,
        upstreams: Sequence[OnDemand],
        followed: FollowedCategories,
        subscriptions: Subscriptions,
        now: Callable[[], datetime],
    ) -> None:
        self._upstreams = upstreams
        self._followed = followed
        self._demand = IndexSync(subscriptions, CategoryDemand)
        self._now = now

    async def __call__(self) -> list[Source]:
        """The sources to read now. Raises RedisError."""
        wanted = (await self._demand.up_to_date()).categories
        return [source for upstream in self._upstreams for source in await self._of(upstream, wanted)]

    async def _of(self, upstream: OnDemand, wanted: frozenset[str]) -> list[Source]:
        now = self._now()
        known = await self._followed.of(upstream.name)
        asked = {name for name in wanted if upstream.has(name) and not upstream.is_read(name)}
        for name in sorted(asked):
            if name in known and now - known[name].wanted < RENEW:
                continue
            await self._followed.follow(
                upstream.name, name, now, limit=upstream.limit, sources=upstream.source_names(name)
            )
        await self._followed.drop(upstream.name, now - KEEP)
        followed = await self._followed.of(upstream.name) if upstream.limit else {}
        return list(upstream.sources({name: one.since for name, one in followed.items()}))


def _asked_by(query: str) -> tuple[str, ...]:
    if "cat:" not in query:
        return ()
    try:
        terms = terms_of(parse(query).root)
    except UserError:  # of a newer version; the matcher has logged it
        return ()
    return tuple({term.name for term, is_wanted in terms if is_wanted and isinstance(term, Category)})
