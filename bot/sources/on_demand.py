"""Categories that are read because subscriptions ask for them, in addition to those that the operator follows."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from bot.ports import Source
from bot.store.followed_categories import FollowedCategories

State = Literal["read", "followed", "free", "full", "off", "unknown"]
"""`read`: the operator follows the category; `followed`: a subscription does; `free`: it can be followed; `full`: too
many others are followed; `off`: the operator allows none; `unknown`: no upstream has such a category."""
_BEST_FIRST: Sequence[State] = ("read", "followed", "free", "full", "off", "unknown")


class OnDemand(Protocol):
    """An upstream that can follow any of its categories. A category is written as in `cat:`: `math.AG`, `math.*`."""

    @property
    def name(self) -> str:
        """The upstream's name, with which the names of its sources begin."""

    @property
    def title(self) -> str:
        """The upstream's name as shown to people."""

    @property
    def limit(self) -> int:
        """Maximum number of categories followed at the same time; 0 for none."""

    def has(self, category: str) -> bool:
        """Whether the upstream has this category."""

    def is_read(self, category: str, followed: Collection[str] = ()) -> bool:
        """Whether all the category's papers are read anyway, because of the settings or other followed categories."""

    def source_names(self, category: str) -> Sequence[str]:
        """Return the names of the sources that only this category needs."""

    def sources(self, followed: Mapping[str, datetime]) -> Iterable[Source]:
        """Return the sources that read these categories. Papers announced before a category's time are history.

        The same object is returned for as long as a category is followed.
        """

    def next_papers(self, now: datetime) -> datetime:
        """Return the time at which new papers are expected next."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a category is read, and by which upstream."""

    state: State
    upstream: OnDemand | None = None
    """The upstream that has the category."""

    @property
    def is_read(self) -> bool:
        """Whether the category's papers are read."""
        return self.state in ("read", "followed")


class CategoryCatalog:
    """All upstreams with categories, and the categories that are followed."""

    def __init__(self, upstreams: Sequence[OnDemand], followed: FollowedCategories) -> None:
        self._upstreams = upstreams
        self._followed = followed

    async def standing(self, category: str) -> Standing:
        """Return whether a category is read now. Raises RedisError."""
        found = [await self._standing_at(upstream, category) for upstream in self._upstreams_with(category)]
        return _best(found)

    async def follow(self, category: str, now: datetime) -> Standing:
        """Follow a category if possible; the state `free` means that this call has done so. Raises RedisError."""
        found: list[Standing] = []
        for upstream in self._upstreams_with(category):
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

    def _upstreams_with(self, category: str) -> list[OnDemand]:
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
    return min(found, key=lambda standing: _BEST_FIRST.index(standing.state), default=Standing("unknown"))
