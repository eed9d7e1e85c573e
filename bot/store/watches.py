"""The papers that channels and people watch, and the events that they want to hear about."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from redis.asyncio import Redis

from bot.domain.life import EVENT_KINDS, IMPORTANT, EventKind, Watch
from bot.domain.models import ChannelRef
from bot.store import keys
from bot.store.scripts import Scripts, script
from bot.store.unreadable import load_each

LIMIT = 500
"""Maximum number of papers that a channel or person can watch."""
KEEP = timedelta(days=400)
"""Time for which watches are stored after the last one was added: as long as a paper's record."""
SCANNED = 1000
"""Number of keys per step of a scan."""
SAVED = "*"
"""Field of a person's watches, in place of a paper's id, that says which events of saved papers they want."""


class Watches:
    """Each watcher's papers, and each paper's watchers."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._scripts = Scripts(redis)

    async def put(self, watcher: ChannelRef, paper_id: str, watch: Watch) -> bool:
        """Watch a paper; replaces an earlier watch of it. Returns False if the watcher has too many already."""
        keep = round(KEEP.total_seconds() * 1000)
        args: list[str | int] = [paper_id, dump(watch), str(watcher), LIMIT, keep]
        return bool(int(await self._scripts.run(script("watch"), _keys(watcher, paper_id), args)))

    async def remove(self, watcher: ChannelRef, paper_id: str) -> bool:
        """Stop watching a paper. Returns False if it wasn't watched."""
        args = [paper_id, str(watcher)]
        return bool(int(await self._scripts.run(script("unwatch"), _keys(watcher, paper_id), args)))

    async def of(self, watcher: ChannelRef) -> dict[str, Watch]:
        """Return the watcher's papers, the latest first."""
        found: Any = await self._redis.hgetall(keys.watches(watcher))
        stored = [(paper_id, text) for paper_id, text in found.items() if paper_id != SAVED]
        loaded = await load_each(self._redis, "watch", stored, lambda _name, text: load(text))
        return dict(sorted(loaded, key=lambda one: one[1].at, reverse=True))

    async def watchers(self, paper_ids: Iterable[str]) -> dict[str, dict[ChannelRef, Watch]]:
        """Return the watchers of each paper, by paper id."""
        wanted = [(paper_id, shard) for paper_id in paper_ids for shard in range(keys.SHARDS)]
        pipeline = self._redis.pipeline(transaction=False)
        for paper_id, shard in wanted:
            _ = pipeline.smembers(keys.watchers(shard, paper_id))
        named = zip(wanted, await pipeline.execute() if wanted else (), strict=True)
        pairs = [
            (paper_id, ChannelRef.parse(name)) for (paper_id, _), names in named for name in sorted(names)
        ]
        for paper_id, watcher in pairs:
            _ = pipeline.hget(keys.watches(watcher), paper_id)
        texts = await pipeline.execute() if pairs else []
        stored = [(pair, text) for pair, text in zip(pairs, texts, strict=True) if text]
        found: dict[str, dict[ChannelRef, Watch]] = {}
        for (paper_id, watcher), watch in await load_each(
            self._redis, "watch", stored, lambda _pair, text: load(text)
        ):
            found.setdefault(paper_id, {})[watcher] = watch
        return found

    async def watched_for(self, kind: EventKind) -> list[str]:
        """Return the ids of the papers watched for this kind of event. Scans every key: use it daily at most."""
        found: set[str] = set()
        async for key in self._redis.scan_iter("pb:*:watches:*", count=SCANNED):
            watcher = ChannelRef.parse(str(key).partition(":watches:")[2])
            found |= {
                paper_id for paper_id, watch in (await self.of(watcher)).items() if kind in watch.events
            }
        return sorted(found)

    async def count(self) -> int:
        """Return how many channels and people watch papers. Scans every key: only for `doctor`."""
        names = [key async for key in self._redis.scan_iter("pb:*:watches:*", count=SCANNED)]
        return len(names)

    async def saved_events(self, person: ChannelRef) -> str:
        """Return which events of their saved papers a person wants: `all`, `important` or `none`."""
        text: Any = await self._redis.hget(keys.watches(person), SAVED)
        return text if text in {"important", "none"} else "all"

    async def set_saved_events(self, person: ChannelRef, wanted: str) -> None:
        """Set which events of their saved papers a person wants."""
        await self._redis.hset(keys.watches(person), SAVED, wanted)


def events_of(wanted: str) -> frozenset[EventKind]:
    """Return the kinds of events for `all`, `important` or a comma-separated list, without unknown ones."""
    if wanted == "all":
        return frozenset(EVENT_KINDS)
    return (
        IMPORTANT
        if wanted == "important"
        else frozenset(kind for kind in EVENT_KINDS if kind in wanted.split(","))
    )


def in_words(events: frozenset[EventKind]) -> str:
    """The inverse of `events_of`."""
    if events == frozenset(EVENT_KINDS):
        return "all"
    return "important" if events == IMPORTANT else ",".join(kind for kind in EVENT_KINDS if kind in events)


def dump(watch: Watch) -> str:
    """Return a watch as JSON."""
    values: dict[str, object] = {
        "events": in_words(watch.events),
        "by": watch.by,
        "at": watch.at.timestamp(),
    }
    if watch.by_saving:
        values |= {"saved": True}
    return json.dumps(values, ensure_ascii=False)


def load(text: str) -> Watch:
    """The inverse of `dump`. Raises ValueError, KeyError or TypeError for anything else."""
    values = json.loads(text)
    return Watch(
        events_of(values["events"]),
        str(values["by"]),
        datetime.fromtimestamp(values["at"], UTC),
        bool(values.get("saved")),
    )


def _keys(watcher: ChannelRef, paper_id: str) -> list[str]:
    return [keys.watches(watcher), keys.watchers(keys.shard_of(watcher), paper_id)]
