"""The categories that subscriptions ask for, and the sources that read them on demand."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from bot.domain.errors import UserError
from bot.domain.models import ChannelRef, Subscription
from bot.ports import Source
from bot.query import Category, parse
from bot.query.nodes import terms_of
from bot.sources.on_demand import OnDemand
from bot.store.followed_categories import FollowedCategories
from bot.store.index_sync import IndexSync
from bot.store.subscriptions import Subscriptions

KEEP = timedelta(days=30)
"""Time for which a category is still read after the last subscription has stopped asking for it."""
RENEW = timedelta(days=1)
"""Minimum time between two updates of the time at which a category was last wanted."""


class CategoryDemand:
    """The categories that all subscriptions ask for, synchronised like the index of a matcher."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._by_subscription: dict[tuple[ChannelRef, int], tuple[str, ...]] = {}

    @property
    def categories(self) -> frozenset[str]:
        """Every category that some subscription names and doesn't exclude."""
        return frozenset(self._counts)

    def add(self, subscription: Subscription) -> None:
        """Count the categories that a subscription asks for. Most name none, and are not even parsed."""
        if categories := _categories_in(subscription.query):
            self._by_subscription[subscription.channel, subscription.number] = categories
            self._counts.update(categories)

    def remove(self, channel: ChannelRef, number: int) -> None:
        """Forget a subscription, if it is known."""
        self._counts -= Counter(self._by_subscription.pop((channel, number), ()))


class FollowedSources:
    """The sources of followed categories. Each call follows the categories of new subscriptions."""

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
        """Return the sources to read now. Raises RedisError."""
        wanted = (await self._demand.up_to_date()).categories
        return [source for upstream in self._upstreams for source in await self._of(upstream, wanted)]

    async def _of(self, upstream: OnDemand, wanted: frozenset[str]) -> list[Source]:
        now = self._now()
        known = await self._followed.of(upstream.name)
        to_follow = {name for name in wanted if upstream.has(name) and not upstream.is_read(name)}
        for name in sorted(to_follow):
            if name in known and now - known[name].wanted < RENEW:
                continue
            await self._followed.follow(
                upstream.name, name, now, limit=upstream.limit, sources=upstream.source_names(name)
            )
        await self._followed.drop(upstream.name, now - KEEP)
        followed = await self._followed.of(upstream.name) if upstream.limit else {}
        return list(upstream.sources({name: category.since for name, category in followed.items()}))


def _categories_in(query: str) -> tuple[str, ...]:
    if "cat:" not in query:
        return ()
    try:
        terms = terms_of(parse(query).root)
    except UserError:  # a query of a newer version; the matcher has logged it
        return ()
    return tuple({term.name for term, is_wanted in terms if is_wanted and isinstance(term, Category)})
