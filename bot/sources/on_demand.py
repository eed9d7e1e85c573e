"""Categories that are read because subscriptions ask for them, in addition to those that the operator follows."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from bot.ports import Source
from bot.store.followed import FollowedCategories

State = Literal["read", "followed", "free", "full", "off", "unknown"]
"""The operator follows it, or a subscription; it could be followed, or not: too many are, or the operator allows none;
or no upstream has such a category."""
_BEST_FIRST: Sequence[State] = ("read", "followed", "free", "full", "off", "unknown")


class OnDemand(Protocol):
    """An upstream that can follow any of its categories. A category is written as in `cat:`: `math.AG`, `math.*`."""

    @property
    def name(self) -> str:
        """As in the names of its sources."""

    @property
    def title(self) -> str:
        """As people write it."""

    @property
    def limit(self) -> int:
        """Categories that may be followed at the same time; 0 for none."""

    def has(self, category: str) -> bool:
        """Whether the upstream has this category."""

    def is_read(self, category: str, followed: Collection[str] = ()) -> bool:
        """Whether all its papers are read anyway, because of the settings or because of others that are followed."""

    def source_names(self, category: str) -> Sequence[str]:
        """The names of the sources that only this category needs."""

    def sources(self, followed: Mapping[str, datetime]) -> Iterable[Source]:
        """The sources that read these categories, each since a time. What was announced before it is history.

        The same object is returned for as long as a category is followed.
        """

    def next_papers(self, now: datetime) -> datetime:
        """When new papers are expected next."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a category is read, and where."""

    state: State
    upstream: OnDemand | None = None
    """The upstream that has the category."""

    @property
    def is_read(self) -> bool:
        """Whether its papers come in."""
        return self.state in ("read", "followed")


class CategoryCatalog:
    """All upstreams with categories, and which of them are followed."""

    def __init__(self, upstreams: Sequence[OnDemand], followed: FollowedCategories) -> None:
        self._upstreams = upstreams
        self._followed = followed

    async def standing(self, category: str) -> Standing:
        """Whether a category is read now. Raises RedisError."""
        found = [await self._standing_at(upstream, category) for upstream in self._having(category)]
        return _best(found)

    async def follow(self, category: str, now: datetime) -> Standing:
        """Have a category read from now on; a result of `free` says that this call did it. Raises RedisError."""
        found: list[Standing] = []
        for upstream in self._having(category):
            standing = await self._standing_at(upstream, category)
            if standing.state == "free" and not await self._followed.follow(
                upstream.name,
                category,
                now,
                limit=upstream.limit,
                sources=upstream.source_names(category),
            ):
                standing = Standing("full", upstream)
            found.append(standing)
        return _best(found)

    def _having(self, category: str) -> list[OnDemand]:
        return [upstream for upstream in self._upstreams if upstream.has(category)]

    async def _standing_at(self, upstream: OnDemand, category: str) -> Standing:
        if upstream.is_read(category):
            return Standing("read", upstream)
        followed = await self._followed.of(upstream.name)
        if category in followed or upstream.is_read(category, followed):
            return Standing("followed", upstream)
        if not upstream.limit:
            return Standing("off", upstream)
        return Standing("free" if len(followed) < upstream.limit else "full", upstream)


def _best(found: Sequence[Standing]) -> Standing:
    return min(found, key=lambda one: _BEST_FIRST.index(one.state), default=Standing("unknown"))
