"""The layout of keys has a version: an older layout is migrated, a newer one is refused.

Each migration can be run again after a crash in it.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import LockError
from structlog import get_logger

from bot.domain.deliveries import PlannedDelivery
from bot.domain.errors import ConfigurationError
from bot.domain.models import ChannelRef
from bot.store import keys, records
from bot.store.outbox.outbox import Outbox
from bot.store.papers import KEEP, Papers
from bot.text.identity import paper_id

PAGE = 500
"""Number of keys or members read by one request."""


async def merge_paper_ids(redis: Redis) -> None:
    """Store each paper under its canonical id, under which sources list it from version 2 on.

    Version 1 stored `math.GT/0309136` and `math/0309136`, or one DOI with and without a tail, as two papers. What was
    posted, saved, voted on, edited or seen under the old id counts for the canonical one, so that nothing is posted again,
    and waiting deliveries are posted under it.
    """
    renamed = {old: new async for old, new in _renamed(redis)}
    if not renamed:
        return
    still_open = await _rename_in_channels(redis, renamed)
    papers = Papers(redis)
    for old, new in renamed.items():
        await _rename_paper(redis, papers, old, new, keep_old=old in still_open)


async def schedule_probes(redis: Redis) -> None:
    """Give every pause a time at which a post is tried again; up to version 2 a pause lasted until it was resumed."""
    outbox = Outbox(redis)
    async for key in redis.scan_iter(match="pb:{s*", count=PAGE):
        shard, _, rest = str(key).partition("}:")
        scope, _, name = rest.partition(":")
        if scope in {"channel", "workspace"} and (why := await redis.hget(str(key), "paused")):
            await outbox.pause_in_shard(int(shard.removeprefix("pb:{s")), scope, name, str(why))


async def _renamed(redis: Redis) -> AsyncIterator[tuple[str, str]]:
    """Yield every stored id that isn't canonical, with the canonical one."""
    for index in (keys.SEEN, keys.CHANGED):
        async for old, _ in redis.zscan_iter(index, count=PAGE):
            new = paper_id(str(old))
            if new and new != old:
                yield str(old), new


async def _rename_in_channels(redis: Redis, renamed: Mapping[str, str]) -> set[str]:
    """Rename papers in everything that channels and people have. Returns the old ids of posts that are being sent."""
    waiting: list[ChannelRef] = []
    async for key in redis.scan_iter(match="pb:{s*", count=PAGE):
        kind, _, name = str(key).partition("}:")[2].partition(":")
        if not name:  # a key of the whole shard
            continue
        if kind == "sent":
            await _rename_fields(redis, str(key), renamed)
        elif kind in ("saved", "shared"):
            await _rename_members(redis, str(key), renamed)
        elif kind == "votes":
            await _rename_votes(redis, str(key), renamed)
        elif kind == "edited":
            await _rename_edited(redis, str(key), name, renamed)
        elif kind == "open":
            waiting.append(ChannelRef.parse(name))
    async for key in redis.scan_iter(match=keys.edits("*"), count=PAGE):
        await _rename_edits(redis, str(key), renamed)
    await _rename_in_polls(redis, renamed)
    still_open: set[str] = set()
    for channel in waiting:  # last: what was sent under the canonical id isn't enqueued again
        still_open |= await _rename_in_deliveries(redis, channel, renamed)
    return still_open


async def _rename_votes(redis: Redis, key: str, renamed: Mapping[str, str]) -> None:
    async for field, record in redis.hscan_iter(key, count=PAGE):
        user, _, paper = str(field).partition(" ")
        if new := renamed.get(paper):
            await redis.hsetnx(key, f"{user} {new}", str(record))
            await redis.hdel(key, str(field))


async def _rename_edited(redis: Redis, key: str, name: str, renamed: Mapping[str, str]) -> None:
    """Count the reasons for which a card was edited for the canonical id, too."""
    *channel, paper = name.split(":", 3)
    new = renamed.get(paper)
    if new is None or len(channel) != 3:
        return
    to, lifetime = keys.edited(ChannelRef.parse(":".join(channel)), new), await redis.pttl(key)
    await redis.sunionstore(to, [to, key])
    if lifetime > 0:
        await redis.pexpire(to, lifetime)
    await redis.delete(key)


async def _rename_edits(redis: Redis, key: str, renamed: Mapping[str, str]) -> None:
    """Rename papers of cards that wait to be edited."""
    async for member, score in redis.zscan_iter(key, count=PAGE):
        where, _, paper = str(member).rpartition(" ")
        if new := renamed.get(paper):
            await redis.zadd(key, {f"{where} {new}": score}, nx=True)
            await redis.zrem(key, str(member))


async def _rename_in_polls(redis: Redis, renamed: Mapping[str, str]) -> None:
    """Rename papers in polls that wait to be matched. A stream's entry can't be changed, so another replaces it."""
    found: Any = await redis.xrange(keys.PAPERS)
    for entry, fields in found:
        try:
            listed: Any = [tuple(change) for change in json.loads(fields["news"])]
        except (ValueError, TypeError, KeyError):  # its reader sets it aside
            continue
        if any(paper in renamed for paper, *_ in listed):
            news = [[renamed.get(paper, paper), *change] for paper, *change in listed]
            await redis.xadd(keys.PAPERS, fields | {"news": json.dumps(news)})
            await redis.xdel(keys.PAPERS, entry)


async def _rename_in_deliveries(redis: Redis, channel: ChannelRef, renamed: Mapping[str, str]) -> set[str]:
    """Enqueue waiting papers under their canonical id, unless that was posted. Returns those that are being sent."""
    outbox = Outbox(redis)
    taken: dict[str, list[str]] = {}
    planned: list[PlannedDelivery] = []
    for delivery in await outbox.open_deliveries(channel):
        old_ids = [paper for paper, _ in delivery.papers if paper in renamed]
        if not old_ids or delivery.state != "pending" or delivery.maybe_sent:
            continue
        taken[delivery.key] = old_ids
        label = delivery.key.partition("/")[2]
        due = round(delivery.due.timestamp() * 1000)
        planned += [
            PlannedDelivery(
                channel=channel,
                papers=((renamed[paper], why),),
                due=due,
                label=renamed.get(label, label),
            )
            for paper, why in delivery.papers
            if paper in renamed
        ]
    if taken:
        await outbox.replan(channel, taken, planned)
    found: Any = await redis.hmget(keys.open_papers(channel), list(renamed))
    return {old for old, delivery in zip(renamed, found, strict=True) if delivery is not None}


async def _rename_fields(redis: Redis, key: str, renamed: Mapping[str, str]) -> None:
    found: list[Any] = await redis.hmget(key, list(renamed))
    for (old, new), value in zip(renamed.items(), found, strict=True):
        if value is not None:
            await redis.hsetnx(key, new, value)
            await redis.hdel(key, old)


async def _rename_members(redis: Redis, key: str, renamed: Mapping[str, str]) -> None:
    scores: list[Any] = await redis.zmscore(key, list(renamed))
    for (old, new), score in zip(renamed.items(), scores, strict=True):
        if score is not None:
            await redis.zadd(key, {new: score}, nx=True)
            await redis.zrem(key, old)


async def _rename_paper(redis: Redis, papers: Papers, old: str, new: str, *, keep_old: bool) -> None:
    """Merge the old record into the canonical one. The old one stays while a post of it waits to be sent."""
    found = await papers.get([old, new])
    seen: list[Any] = await redis.zmscore(keys.SEEN, [old, new])
    moments = [float(at) for at in seen if at is not None]
    if moments:
        await redis.zadd(keys.SEEN, {new: min(moments)})
    if old in found:
        merged = records.merge(found.get(new), replace(found[old], id=new))
        await redis.set(keys.paper(new), records.dump(merged), px=KEEP // timedelta(milliseconds=1))
    await redis.zrem(keys.SEEN, old)
    if not keep_old:
        await redis.delete(keys.paper(old))
    # The search index reads these changes: it adds the canonical id and drops the old one.
    last = await papers.last_change()
    await redis.zadd(keys.CHANGED, {old: last + 1, new: last + 2})


Migration = Callable[[Redis], Awaitable[None]]
"""Changes the layout from one version to the next. It is run again if a process died during it."""

MIGRATIONS: tuple[Migration, ...] = (merge_paper_ids, schedule_probes)
"""The first leads from version 1 to 2, and so on. A migration is never changed or removed after its release."""
MIGRATION_TIMEOUT = 600.0
"""Seconds that a migration may take before another process tries it, too."""

_log = get_logger()


async def migrate(redis: Redis, migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """Migrate the layout to the version that this program knows. One process does it, and the others wait for it.

    Raises ConfigurationError if a newer program has written here.
    """
    known = 1 + len(migrations)
    if await _found(redis, known) == known:
        return
    try:
        async with redis.lock(keys.MIGRATING, timeout=MIGRATION_TIMEOUT, blocking_timeout=MIGRATION_TIMEOUT):
            while (version := await _found(redis, known)) < known:
                _log.info("migration_started", schema=version + 1)
                await migrations[version - 1](redis)
                await redis.set(keys.SCHEMA, version + 1)
    except LockError:
        raise ConfigurationError(
            f"Another process has been bringing Redis up to date for {MIGRATION_TIMEOUT / 60:.0f} minutes. Start again later."
        ) from None


async def _found(redis: Redis, known: int) -> int:
    """Return the layout's version; an empty server gets this program's."""
    # Write only if necessary: a full server refuses writes, but we can start anyway.
    if not await redis.exists(keys.SCHEMA):
        await redis.set(keys.SCHEMA, known, nx=True)
    version = int(await redis.get(keys.SCHEMA) or known)
    if version > known:
        raise ConfigurationError(
            f"This Redis was used by a newer Paperboy (schema {version}, this one knows {known}): update Paperboy."
        )
    return version
