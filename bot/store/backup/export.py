"""Reads everything that is kept, as facts: for a backup, another server, or another channel."""

import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

from redis.asyncio import Redis

from bot.domain.models import ChannelRef
from bot.store import keys
from bot.store.backup.export_records import (
    Channel,
    Cursor,
    Fact,
    Head,
    OpenDelivery,
    PaperSeen,
    Saved,
    Sealed,
    Sent,
    Subscribed,
    Trending,
    moment,
)

PAGE = 500
OF_THE_MOMENT = frozenset(
    (
        *("paused", "paused_at", "probe_at", "probe_gap", "limited", "fails", "broken", "busy", "next"),
        *("notified", "notified_why", "notifier", "notifying", "request", "unrequest", "removed"),
    )
)
"""Fields of a channel's hash about its present state, which are not exported."""


async def facts(redis: Redis, only: ChannelRef | None = None) -> AsyncIterator[Fact]:
    """Every fact; or those of one channel. Meanwhile the bot may go on: each fact was true when it was read."""
    yield Head()
    if only is None:
        async for fact in _of_papers(redis):
            yield fact
        async for fact in _sealed(redis):
            yield fact
        async for fact in _saved(redis):
            yield fact
    async for channel in _channels(redis, only):
        async for fact in _of_channel(redis, channel):
            yield fact


async def _of_papers(redis: Redis) -> AsyncIterator[Fact]:
    cursors: Any = await redis.hgetall(keys.CURSORS)
    for source, cursor in cursors.items():
        yield Cursor(source=source, cursor=cursor)
    if trending := await redis.get(keys.TRENDING):
        yield Trending(papers=json.loads(trending))
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
    return [
        PaperSeen(
            id=paper_id,
            seen=None if at is None else moment(at),
            record=json.loads(text) if text else None,
        )
        for paper_id, text, at in zip(ids, texts, seen, strict=True)
    ]


async def _sealed(redis: Redis) -> AsyncIterator[Fact]:
    """But for what is about to be forgotten."""
    async for key in redis.scan_iter("pb:*:installation", count=PAGE):
        text = await redis.get(key)
        if text and await redis.ttl(key) < 0:
            home = ChannelRef.parse(str(key).partition("{")[2].partition("}")[0] + ":")
            yield Sealed(platform=home.platform, name=home.workspace, text=str(text))


async def _saved(redis: Redis) -> AsyncIterator[Fact]:
    async for key in redis.scan_iter("pb:*:saved:*", count=PAGE):
        saved: Any = await redis.zrange(key, 0, -1, withscores=True)
        for paper_id, at in saved:
            yield Saved(person=str(key).partition(":saved:")[2], paper=paper_id, at=moment(at * 1000))


async def _channels(redis: Redis, only: ChannelRef | None) -> AsyncIterator[ChannelRef]:
    if only is not None:
        yield only
        return
    for shard in range(keys.SHARDS):
        async for name in redis.sscan_iter(keys.channels(shard), count=PAGE):
            yield ChannelRef.parse(name)


async def _of_channel(redis: Redis, channel: ChannelRef) -> AsyncIterator[Fact]:
    name = str(channel)
    fields: Any = await redis.hgetall(keys.channel(channel))
    mutes: Any = await redis.hgetall(keys.mutes(channel))
    votes: Any = await redis.hgetall(keys.votes(channel))
    about = {field: text for field, text in fields.items() if field not in OF_THE_MOMENT}
    yield Channel(channel=name, about=about, mutes=mutes, votes=votes)
    for number, text in (await redis.hgetall(keys.subscriptions(channel))).items():
        record = json.loads(text)
        yield Subscribed(channel=name, number=int(number), **(record | {"at": moment(record["at"])}))
    now = int((await redis.time())[0]) // keys.PERIOD
    for ago in range(keys.PERIODS):
        async for paper_id, text in redis.hscan_iter(keys.sent(channel, now - ago), count=PAGE):
            at, message, url = f"{text}  ".split(" ")[:3]
            yield Sent(channel=name, paper=paper_id, at=moment(float(at)), message=message, url=url)
    owed: Any = await redis.hvals(keys.open_papers(channel))
    for key in sorted(set(owed)):
        fields = await redis.hgetall(keys.delivery(key))
        if fields:  # else it was posted a moment ago
            yield OpenDelivery(
                channel=name,
                label=key.partition("/")[2],
                papers=_papers_of(fields["papers"]),
                due=moment(float(fields["due"])),
                since=moment(float(fields["since"])) if "since" in fields else None,
            )


def _papers_of(text: str) -> Any:
    """Lua writes an empty list as {}."""
    return [[paper_id, reasons or []] for paper_id, reasons in json.loads(text)]
