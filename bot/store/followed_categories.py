"""The categories that are read because subscriptions ask for them, and when each was last wanted."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from redis.asyncio import Redis

from bot.store import keys
from bot.store.scripts import Scripts, script


@dataclass(frozen=True, slots=True)
class Followed:
    """A category that is followed."""

    since: datetime
    wanted: datetime
    """When a subscription last asked for it."""


class FollowedCategories:
    """A short list of followed categories for each upstream."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._scripts = Scripts(redis)

    async def of(self, upstream: str) -> dict[str, Followed]:
        """Return the followed categories by name. Raises RedisError."""
        found: Any = await self._redis.hgetall(keys.followed(upstream))
        return {name: Followed(*map(_moment, times.split())) for name, times in found.items()}

    async def follow(
        self, upstream: str, category: str, now: datetime, *, limit: int, sources: Iterable[str]
    ) -> bool:
        """Follow a category, or note that it is still wanted. Returns False if `limit` others are followed already.

        `sources` are the sources that read it; for a new category they start from the beginning. Raises RedisError.
        """
        followed = await self._scripts.run(
            script("follow"),
            [keys.followed(upstream), keys.CURSORS],
            [category, _ms(now), limit, *sources],
        )
        return bool(followed)

    async def drop(self, upstream: str, before: datetime) -> None:
        """Drop the categories that were last wanted before a time. Raises RedisError."""
        await self._scripts.run(script("unfollow"), [keys.followed(upstream)], [_ms(before)])


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _moment(ms: str) -> datetime:
    return datetime.fromtimestamp(int(ms) / 1000, UTC)
