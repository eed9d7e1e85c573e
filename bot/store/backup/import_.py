"""Restores exported facts. It only adds what is missing, so that it can always be repeated."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import islice

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

from bot.domain.deliveries import PlannedDelivery
from bot.domain.models import ChannelRef, Reason
from bot.query import parse
from bot.store import keys
from bot.store.backup.export_records import (
    BadLine,
    Channel,
    ChannelToken,
    CopyOf,
    Cursor,
    Fact,
    OfChannel,
    OpenDelivery,
    PaperSeen,
    Saved,
    Sealed,
    Sent,
    Shared,
    Subscribed,
    Trending,
    Watched,
    ms,
    read,
)
from bot.store.channel_rules import FIELD, dump, load
from bot.store.copies import Copies
from bot.store.outbox.outbox import Outbox
from bot.store.papers import KEEP
from bot.store.reactions import PaperList
from bot.store.records import as_line
from bot.store.scripts import Scripts, script
from bot.store.subscriptions import LIMIT, MAX_CHANGES
from bot.store.tokens import Grant, Tokens
from bot.store.watches import KEEP as WATCHED
from bot.store.watches import SAVED

PAGE = 500
"""Lines written at a time."""
PAPERS_AT_ONCE = 50
"""Papers written by one script."""


Movable = Channel | Subscribed | Watched | Shared | Sent


class Restore:
    """Imports lines of `paperboy export`. With `to`, imports the lines of one channel into that channel."""

    def __init__(self, redis: Redis, to: ChannelRef | None = None) -> None:
        self._redis = redis
        self._scripts = Scripts(redis)
        self._outbox = Outbox(redis)
        self._to = to
        self.counts: Counter[str] = Counter()
        """Number of facts of each kind that were written or existed already."""
        self.refused: list[Subscribed] = []
        """Subscriptions above their channel's limit, which were not written."""

    async def write(self, lines: Iterable[str]) -> None:
        """Write every line's fact. Raises BadLine, which names the line; earlier pages of lines are written then."""
        numbered = enumerate(lines, 1)
        while page := list(islice(numbered, PAGE)):
            await self._write(
                [fact for number, line in page if line.strip() for fact in self._fact(number, line)]
            )

    def _fact(self, number: int, line: str) -> Iterable[Fact]:
        try:
            fact = read(line)
        except BadLine as error:
            raise BadLine(f"line {number}: {error}") from None
        if number == 1 and fact.kind != "paperboy":
            raise BadLine('line 1: the first line of an export is {"kind":"paperboy","format":1}')
        if self._to is None:
            yield fact
        elif isinstance(fact, Movable):  # open deliveries are still posted in the old channel
            yield moved(fact, self._to)

    async def _write(self, facts: Sequence[Fact]) -> None:
        self.counts.update(fact.kind for fact in facts if fact.kind != "paperboy")
        await self._papers([fact for fact in facts if isinstance(fact, PaperSeen)])
        await self._plain(facts)
        await self._watches([fact for fact in facts if isinstance(fact, Watched)])
        await asyncio.gather(*(self._subscribe(fact) for fact in facts if isinstance(fact, Subscribed)))
        for fact in facts:
            if isinstance(fact, ChannelToken):
                grant = Grant(channel=fact.ref, kind=fact.purpose, number=fact.number, at=fact.at)
                await Tokens(self._redis).restore(grant, fact.digest, fact.secret)
            elif isinstance(fact, CopyOf):
                _ = await Copies(self._redis).restore(fact.ref, fact.copy_)
        await self._outbox.enqueue(_planned(fact) for fact in facts if isinstance(fact, OpenDelivery))

    async def _papers(self, papers: Sequence[PaperSeen]) -> None:
        for at in range(0, len(papers), PAPERS_AT_ONCE):
            chunk = papers[at : at + PAPERS_AT_ONCE]
            args: list[str | int] = [int(KEEP.total_seconds() * 1000)]
            for paper in chunk:
                seen = "" if paper.seen is None else ms(paper.seen)
                args += [paper.id, seen, as_line(paper.record) if paper.record else ""]
            script_keys = [keys.SEEN, keys.CHANGED, *(keys.paper(paper.id) for paper in chunk)]
            await self._scripts.run(script("backup/restore_papers"), script_keys, args)

    async def _plain(self, facts: Sequence[Fact]) -> None:
        """Write the facts that take one command each."""
        pipeline = self._redis.pipeline(transaction=False)
        oldest = int((await self._redis.time())[0]) // keys.PERIOD - keys.PERIODS
        for fact in facts:
            match fact:
                case Cursor():
                    _ = pipeline.hsetnx(keys.CURSORS, fact.source, fact.cursor)
                case Trending():
                    _ = pipeline.set(keys.TRENDING, json.dumps(fact.papers), nx=True)
                case Sealed():
                    _ = pipeline.set(keys.installation(fact.platform, fact.name), fact.text, nx=True)
                case Saved():
                    _add_to_list(pipeline, PaperList(ChannelRef.parse(fact.person)), fact)
                case Shared():
                    _add_to_list(pipeline, PaperList(fact.ref, shared=True), fact)
                case Channel():
                    _set_up(pipeline, fact)
                case Sent() if (period := int(fact.at.timestamp()) // keys.PERIOD) > oldest:
                    key = keys.sent(fact.ref, period)
                    record = f"{ms(fact.at)} {fact.message} {fact.url} {fact.more}".rstrip()
                    _ = pipeline.hsetnx(key, fact.paper, record)
                    _ = pipeline.expireat(key, (period + 1 + keys.PERIODS) * keys.PERIOD)
                    posting = keys.posting(keys.shard_of(fact.ref), fact.ref)
                    _ = pipeline.zadd(posting, {fact.channel: ms(fact.at)}, gt=True)
                    _ = pipeline.expire(posting, keys.PERIODS * keys.PERIOD)
        if len(pipeline):
            await pipeline.execute()

    async def _watches(self, watched: Sequence[Watched]) -> None:
        pipeline = self._redis.pipeline(transaction=False)
        for fact in watched:
            _ = pipeline.hsetnx(keys.watches(fact.ref), fact.paper or SAVED, fact.record)
            _ = pipeline.expire(keys.watches(fact.ref), WATCHED)
            if fact.paper:
                key = keys.watchers(keys.shard_of(fact.ref), fact.paper)
                _ = pipeline.sadd(key, fact.channel)
                _ = pipeline.expire(key, WATCHED)
        if watched:
            await pipeline.execute()

    async def _subscribe(self, fact: Subscribed) -> None:
        shard = keys.shard_of(fact.ref)
        script_keys = [
            keys.subscriptions(fact.ref),
            keys.channel(fact.ref),
            keys.channels(shard),
            keys.changes(shard),
        ]
        record = {"query": fact.query, "every": fact.every, "by": fact.by, "at": ms(fact.at)}
        record |= {"key": str(parse(fact.query))} | ({"was": fact.was} if fact.was else {})
        args: list[str | int] = [
            fact.channel,
            fact.number,
            json.dumps(record, ensure_ascii=False),
            LIMIT,
            MAX_CHANGES,
        ]
        if not int(
            await self._scripts.run(script("changes", "backup/restore_subscription"), script_keys, args)
        ):
            self.refused.append(fact)
            self.counts["subscription"] -= 1


def moved(fact: Movable, to: ChannelRef) -> Movable:
    """Return the fact for another channel, without what has no meaning there: a role to ping, addresses of messages."""
    changes: dict[str, object] = {"channel": str(to)}
    if isinstance(fact, Sent):
        changes |= {"message": "", "url": "", "more": ""}
    elif isinstance(fact, Channel) and FIELD in fact.about and fact.ref.workspace != to.workspace:
        settings = load(fact.about[FIELD])
        changes["about"] = fact.about | {FIELD: dump(replace(settings, ping=""))}
    return fact.model_copy(update=changes)


def one_channel(lines: Iterable[str]) -> None:
    """Raise BadLine if the lines are of several channels: only one can be moved."""
    facts = [fact for line in lines if line.strip() and isinstance(fact := read(line), OfChannel)]
    copies = {fact.to for fact in facts if isinstance(fact, CopyOf)}
    channels = {fact.channel for fact in facts} - copies
    if len(channels) > 1:
        raise BadLine(
            f"the file has {len(channels)} channels, and only one can be moved: export it alone, "
            f"as with paperboy export --channel {min(channels)}"
        )


def _add_to_list(pipeline: Pipeline, paper_list: PaperList, fact: Saved | Shared) -> None:
    papers, notes = paper_list.keys
    _ = pipeline.zadd(papers, {fact.paper: fact.at.timestamp()}, nx=True)
    if fact.record:
        _ = pipeline.hsetnx(notes, fact.paper, fact.record)


def _set_up(pipeline: Pipeline, fact: Channel) -> None:
    if not fact.ref.person:
        _ = pipeline.sadd(keys.channels(keys.shard_of(fact.ref)), fact.channel)
    for key, name, text in _fields(fact):
        _ = pipeline.hsetnx(key, name, text)


def _fields(fact: Channel) -> Iterable[tuple[str, str, str]]:
    """Yield key, field and text of everything that people set up in a channel."""
    yield from ((keys.channel(fact.ref), name, text) for name, text in fact.about.items())
    yield from ((keys.mutes(fact.ref), muted, text) for muted, text in fact.mutes.items())
    yield from ((keys.votes(fact.ref), vote, text) for vote, text in fact.votes.items())


def _planned(fact: OpenDelivery) -> PlannedDelivery:
    return PlannedDelivery(
        channel=fact.ref,
        papers=tuple((i, tuple(Reason(*reason) for reason in why)) for i, why in fact.papers),
        due=ms(fact.due),
        label=fact.label,
        maybe_sent_since=None if fact.since is None else ms(fact.since),
    )
