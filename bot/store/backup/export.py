"""Reads everything stored, as facts: for a backup, another server, or another channel."""

import json
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

from redis.asyncio import Redis

from bot.domain.models import ChannelRef, Reason
from bot.store import keys
from bot.store.backup.export_records import (
    Channel,
    ChannelToken,
    CopyOf,
    Cursor,
    Fact,
    Head,
    OpenDelivery,
    PaperSeen,
    Saved,
    Sealed,
    Sent,
    Shared,
    Subscribed,
    Trending,
    Watched,
    moment,
)
from bot.store.copies import Copies
from bot.store.outbox.records import load_papers
from bot.store.reactions import PaperList
from bot.store.subscriptions import Subscriptions
from bot.store.tokens import Tokens
from bot.store.unreadable import load_each
from bot.store.watches import SAVED

PAGE = 500
"""Records read by one command."""
OF_THE_MOMENT = frozenset(
    (
        *("paused", "paused_at", "probe_at", "probe_gap", "limited", "fails", "broken", "busy", "next"),
        *("notified", "notified_why", "notifier", "notifying", "request", "unrequest", "removed"),
        *("passed", "refused", "refused_noticed"),
    )
)
"""Fields of a channel's hash about its present state, which are not exported."""


async def facts(redis: Redis, only: ChannelRef | None = None) -> AsyncIterator[Fact]:
    """Yield every fact, or those of one channel. The bot may be running: each fact was true when it was read.

    Records that can't be read are set aside and left out.
    """
    yield Head()
    if only is None:
        async for fact in _of_papers(redis):
            yield fact
        async for fact in _sealed(redis):
            yield fact
        async for fact in _saved(redis):
            yield fact
    async for fact in _watches(redis, only):
        yield fact
    async for fact in _shared(redis, only):
        yield fact
    async for channel in _channels(redis, only):
        async for fact in _of_channel(redis, channel):
            yield fact


async def _of_papers(redis: Redis) -> AsyncIterator[Fact]:
    cursors: Any = await redis.hgetall(keys.CURSORS)
    for source, cursor in cursors.items():
        yield Cursor(source=source, cursor=cursor)
    stored = [("order", text)] if (text := await redis.get(keys.TRENDING)) else []
    for _, trending in await load_each(
        redis, "trending", stored, lambda _name, order: Trending(papers=json.loads(order))
    ):
        yield trending
    for index in (keys.SEEN, keys.CHANGED):  # each paper is in one of them, most are in both
        async for page in _pages(redis, index):
            for paper in await _papers(redis, page):
                if index == keys.SEEN or paper.seen is None:
                    yield paper


async def _pages(redis: Redis, index: str) -> AsyncIterator[list[str]]:
    page: list[str] = []
    async for paper_id, _ in redis.zscan_iter(index, count=PAGE):
        page.append(paper_id)
        if len(page) >= PAGE:
            yield page
            page = []
    if page:
        yield page


async def _papers(redis: Redis, ids: Sequence[str]) -> list[PaperSeen]:
    texts = await redis.mget([keys.paper(paper_id) for paper_id in ids])
    seen: Any = await redis.zmscore(keys.SEEN, list(ids))

    def paper(paper_id: str, stored: tuple[Any, Any]) -> PaperSeen:
        text, at = stored
        return PaperSeen(
            id=paper_id,
            seen=None if at is None else moment(at),
            record=json.loads(text) if text else None,
        )

    stored = zip(ids, zip(texts, seen, strict=True), strict=True)
    return [paper for _, paper in await load_each(redis, "paper", stored, paper)]


async def _sealed(redis: Redis) -> AsyncIterator[Fact]:
    """Yield the encrypted records, without those that will expire."""
    async for key in redis.scan_iter("pb:*:installation", count=PAGE):
        text = await redis.get(key)
        if text and await redis.ttl(key) < 0:
            home = ChannelRef.parse(str(key).partition("{")[2].partition("}")[0] + ":")
            yield Sealed(platform=home.platform, name=home.workspace, text=str(text))


async def _saved(redis: Redis) -> AsyncIterator[Fact]:
    async for key in redis.scan_iter("pb:*:saved:*", count=PAGE):
        person = str(key).partition(":saved:")[2]
        async for paper_id, at, record in _listed(redis, PaperList(ChannelRef.parse(person))):
            yield Saved(person=person, paper=paper_id, at=at, record=record)


async def _shared(redis: Redis, only: ChannelRef | None) -> AsyncIterator[Fact]:
    found = redis.scan_iter("pb:*:shared:*", count=PAGE) if only is None else _one(keys.shared(only))
    async for key in found:
        name = str(key).partition(":shared:")[2]
        async for paper_id, at, record in _listed(redis, PaperList(ChannelRef.parse(name), shared=True)):
            yield Shared(channel=name, paper=paper_id, at=at, record=record)


async def _listed(redis: Redis, paper_list: PaperList) -> AsyncIterator[tuple[str, datetime, str]]:
    """Yield each paper of a list, the time at which it was added, and its annotation as stored."""
    papers, notes = paper_list.keys
    saved: Any = await redis.zrange(papers, 0, -1, withscores=True)
    annotations: Any = await redis.hgetall(notes)
    for paper_id, at in saved:
        yield paper_id, moment(at * 1000), annotations.get(paper_id, "")


async def _watches(redis: Redis, only: ChannelRef | None) -> AsyncIterator[Fact]:
    found = redis.scan_iter("pb:*:watches:*", count=PAGE) if only is None else _one(keys.watches(only))
    async for key in found:
        stored: Any = await redis.hgetall(key)
        for paper_id, text in stored.items():
            name = str(key).partition(":watches:")[2]
            for _, fact in await load_each(
                redis, "watch", [(f"{name} {paper_id}", (name, paper_id, text))], _watched
            ):
                yield fact


async def _one(key: str) -> AsyncIterator[str]:
    yield key


def _watched(_name: str, stored: tuple[str, str, str]) -> Watched:
    name, paper_id, text = stored
    return Watched(channel=name, paper="" if paper_id == SAVED else paper_id, record=text)


async def _channels(redis: Redis, only: ChannelRef | None) -> AsyncIterator[ChannelRef]:
    if only is not None:
        yield only
        return
    for shard in range(keys.SHARDS):
        async for name in redis.sscan_iter(keys.channels(shard), count=PAGE):
            for _, channel in await load_each(
                redis, "channel", [(name, name)], lambda _name, text: ChannelRef.parse(text)
            ):
                yield channel
    others: set[ChannelRef] = set()
    for kind in ("watches", "copies"):  # also those that have no subscription
        async for key in redis.scan_iter(f"pb:*:{kind}:*", count=PAGE):
            others.add(ChannelRef.parse(str(key).partition(f":{kind}:")[2]))
    for channel in sorted(others):
        if not await redis.sismember(keys.channels(keys.shard_of(channel)), str(channel)):
            yield channel


async def _of_channel(redis: Redis, channel: ChannelRef) -> AsyncIterator[Fact]:
    name = str(channel)
    fields: Any = await redis.hgetall(keys.channel(channel))
    mutes: Any = await redis.hgetall(keys.mutes(channel))
    votes: Any = await redis.hgetall(keys.votes(channel))
    about = {field: text for field, text in fields.items() if field not in OF_THE_MOMENT}
    yield Channel(channel=name, about=about, mutes=mutes, votes=votes)
    for subscription in await Subscriptions(redis).of(channel):
        yield Subscribed(
            channel=name,
            number=subscription.number,
            query=subscription.query,
            every=subscription.every,
            by=subscription.created_by,
            at=subscription.created_at,
            was=subscription.was,
        )
    now = int((await redis.time())[0]) // keys.PERIOD
    for ago in range(keys.PERIODS):
        async for paper_id, text in redis.hscan_iter(keys.sent(channel, now - ago), count=PAGE):
            stored = [(f"{name} {paper_id}", (name, paper_id, text))]
            for _, sent in await load_each(redis, "sent", stored, lambda _name, one: _sent(*one)):
                yield sent
    for grant, digest, secret in await Tokens(redis).of(channel):
        yield ChannelToken(
            channel=name, purpose=grant.kind, number=grant.number, at=grant.at, digest=digest, secret=secret
        )
    async for delivery in open_deliveries(redis, channel):
        yield delivery
    for copy in await Copies(redis).of(channel):
        yield CopyOf(
            channel=name, to=str(copy.to), number=copy.number, by=copy.by, at=copy.at, sealed=copy.sealed
        )
        async for delivery in open_deliveries(redis, copy.to):
            yield delivery


async def open_deliveries(redis: Redis, channel: ChannelRef) -> AsyncIterator[OpenDelivery]:
    """Yield the deliveries that wait for a channel."""
    open_keys: Any = await redis.hvals(keys.open_papers(channel))
    for key in sorted(set(open_keys)):
        fields: Any = await redis.hgetall(keys.delivery(key))
        if fields:  # else it was posted a moment ago
            for _, delivery in await load_each(redis, "delivery", [(key, fields)], _open_delivery):
                yield delivery


def _sent(channel: str, paper_id: str, text: str) -> Sent:
    at, message, url, more = f"{text}   ".split(" ", 3)
    return Sent(
        channel=channel, paper=paper_id, at=moment(float(at)), message=message, url=url, more=more.rstrip()
    )


def _open_delivery(key: str, fields: dict[str, str]) -> OpenDelivery:
    channel, _, label = key.partition("/")
    return OpenDelivery(
        channel=channel,
        label=label,
        papers=tuple(
            (paper_id, tuple(map(_reason, reasons))) for paper_id, reasons in load_papers(fields["papers"])
        ),
        due=moment(float(fields["due"])),
        since=moment(float(fields["since"])) if "since" in fields else None,
    )


def _reason(reason: Reason) -> tuple[int, str] | tuple[int, str, str]:
    return (reason.number, reason.query, reason.note) if reason.note else (reason.number, reason.query)
