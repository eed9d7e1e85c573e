"""Reads the outbox without changing it, for commands, `doctor` and the metrics."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import inf
from typing import Any

from redis.asyncio import Redis

from bot.domain.deliveries import (
    ChannelStatus,
    DeadLetter,
    OpenDelivery,
    Pause,
    Post,
    Refused,
    Sent,
    channel_of,
)
from bot.domain.life import ENTRY, paper_of
from bot.domain.models import ChannelRef
from bot.store import keys
from bot.store.outbox.records import load_papers, open_delivery_of, pause_of, sent_of
from bot.store.scripts import Scripts, script
from bot.store.unreadable import UNREADABLE, load_each

CHANNELS_SEARCHED = 100
"""Maximum number of channels of a workspace that are searched for posts of a paper."""
REFUSED_FOR = timedelta(days=1)
"""Time after which a channel is reported if all its posts are refused for no documented reason: as in the scripts."""


class OutboxReader:
    """Counts and lists deliveries and pauses."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._scripts = Scripts(redis)

    async def now(self) -> datetime:
        """Return the time of Redis' clock."""
        seconds, micros = await self._redis.time()
        return datetime.fromtimestamp(seconds + micros / 1e6, UTC)

    async def open(self) -> int:
        """Return how many deliveries are due or late, without those of paused channels and dead letters."""
        pipeline = self._redis.pipeline(transaction=False)
        for shard in range(keys.SHARDS):
            _ = pipeline.get(keys.open_count(shard))
        return sum(int(count or 0) for count in await pipeline.execute())

    async def overdue(self, platform: str) -> float:
        """Return how many seconds a platform's most overdue delivery is late, without those of paused channels."""
        now = (await self.now()).timestamp()
        pipeline = self._redis.pipeline(transaction=False)
        for shard in range(keys.SHARDS):
            _ = pipeline.zrange(keys.due(shard, platform), 0, 0, withscores=True)
        first = min((score for answer in await pipeline.execute() for _, score in answer), default=inf)
        return max(0.0, now - first / 1000)

    async def open_deliveries(self, channel: ChannelRef) -> list[OpenDelivery]:
        """Return the channel's deliveries that aren't done, the earliest first."""
        by_paper: Any = await self._redis.hvals(keys.open_papers(channel))
        names = sorted(set(by_paper))
        pipeline = self._redis.pipeline(transaction=False)
        for key in names:
            _ = pipeline.hgetall(keys.delivery(key))
        records = await pipeline.execute() if names else []
        stored = [(key, record) for key, record in zip(names, records, strict=True) if record]
        loaded = await load_each(self._redis, "delivery", stored, open_delivery_of)
        return sorted((delivery for _, delivery in loaded), key=lambda one: one.due)

    async def status(self, channel: ChannelRef) -> ChannelStatus:
        """Return how many messages wait for a channel, and its pause if it is paused."""
        open_keys: Any = await self._redis.hvals(keys.open_papers(channel))
        pipeline = self._redis.pipeline(transaction=False)
        for key in set(open_keys):
            _ = pipeline.hget(keys.delivery(key), "state")
        states = await pipeline.execute() if open_keys else []
        dead = sum(state in {"dead", "held"} for state in states)
        return ChannelStatus(len(states) - dead, dead, await self._pause_of(channel))

    async def _pause_of(self, channel: ChannelRef) -> Pause | None:
        """Return the pause of the channel, or else of its workspace."""
        for scope, name, health in (
            ("channel", str(channel), keys.channel(channel)),
            (
                "workspace",
                keys.workspace(channel.platform, channel.workspace),
                keys.workspace_health(channel),
            ),
        ):
            fields: Any = await self._redis.hmget(health, "paused", "paused_at", "probe_at")
            if fields[0]:
                return pause_of(f"{scope} {name}", *fields)
        return None

    async def paused_counts(self) -> Mapping[tuple[str, str], tuple[int, datetime]]:
        """Return how many are paused, and since when the first one is, by (platform, `channel` or `workspace`)."""
        pipeline = self._redis.pipeline(transaction=False)
        for shard in range(keys.SHARDS):
            _ = pipeline.zrange(keys.paused(shard), 0, -1, withscores=True)
        since: dict[str, float] = {}  # a workspace is paused in every shard
        for answer in await pipeline.execute():
            since |= {name: min(at, since.get(name, inf)) for name, at in answer}
        counts: dict[tuple[str, str], tuple[int, datetime]] = {}
        for name, at in since.items():
            scope, _, paused = name.partition(" ")
            group, moment = (paused.partition(":")[0], scope), datetime.fromtimestamp(at / 1000, UTC)
            count, first = counts.get(group, (0, moment))
            counts[group] = (count + 1, min(first, moment))
        return counts

    async def pauses(self, limit: int = 100) -> list[Pause]:
        """Return the pauses of the channels and workspaces that have been paused longest."""
        found: dict[str, tuple[float, int]] = {}
        for shard in range(keys.SHARDS):
            stored: Any = await self._redis.zrange(keys.paused(shard), 0, limit - 1, withscores=True)
            found |= {name: (at, shard) for name, at in stored}
        pauses = []
        for name, (_, shard) in sorted(found.items(), key=lambda item: item[1])[:limit]:
            scope, _, paused = name.partition(" ")
            fields: Any = await self._redis.hmget(
                f"{keys.shard(shard)}{scope}:{paused}", "paused", "paused_at", "probe_at"
            )
            if fields[0]:
                pauses.append(pause_of(name, *fields))
        return pauses

    async def refused_counts(self, for_at_least: timedelta) -> Mapping[str, tuple[int, datetime]]:
        """Return, by platform, in how many channels all posts have been refused for at least this time without a
        documented reason, and since when in the first of them."""
        counts: dict[str, tuple[int, datetime]] = {}
        for refused in await self._refused(await self.now() - for_at_least):
            count, first = counts.get(refused.channel.platform, (0, refused.since))
            counts[refused.channel.platform] = (count + 1, min(first, refused.since))
        return counts

    async def refused(self, for_at_least: timedelta, limit: int = 100) -> list[Refused]:
        """Return the channels that `refused_counts` counts, the longest refused first, with the platform's answer."""
        found = await self._refused(await self.now() - for_at_least)
        return [
            replace(one, why=str(await self._redis.hget(keys.channel(one.channel), "refused") or ""))
            for one in sorted(found, key=lambda one: one.since)[:limit]
        ]

    async def _refused(self, before: datetime) -> list[Refused]:
        pipeline = self._redis.pipeline(transaction=False)
        for shard in range(keys.SHARDS):
            latest = before.timestamp() * 1000
            _ = pipeline.zrangebyscore(keys.refused(shard), "-inf", latest, withscores=True)
        stored = [pair for answer in await pipeline.execute() for pair in answer]
        loaded = await load_each(
            self._redis,
            "refused",
            stored,
            lambda name, at: Refused(ChannelRef.parse(name), "", datetime.fromtimestamp(at / 1000, UTC)),
        )
        return [one for _, one in loaded]

    async def dead_letter_counts(self) -> Mapping[str, int]:
        """Return how many deliveries wait for the operator's decision, by state (`dead` or `held`)."""
        states = ("dead", "held")
        pipeline = self._redis.pipeline(transaction=False)
        for state in states:
            for shard in range(keys.SHARDS):
                _ = pipeline.zcard(keys.dead_letters(shard, state))
        counts = list(map(int, await pipeline.execute()))
        return {state: sum(counts[n * keys.SHARDS :][: keys.SHARDS]) for n, state in enumerate(states)}

    async def dead_letters(self) -> AsyncIterator[DeadLetter]:
        """Yield the deliveries that wait for the operator's decision, in no particular order."""
        for shard in range(keys.SHARDS):
            for state in ("dead", "held"):
                async for key, since in self._redis.zscan_iter(keys.dead_letters(shard, state)):
                    record: Any = await self._redis.hgetall(keys.delivery(key))
                    if record:
                        moment = datetime.fromtimestamp(since / 1000, UTC)
                        why = record.get("error", "")
                        yield DeadLetter(key, channel_of(key), _papers(record), state, why, moment)

    async def sent(self, channel: ChannelRef, paper_id: str) -> Sent | None:
        """Return when and where the paper was posted in the channel, in about the last `keys.PERIODS` months."""
        return (await self._sent_in([str(channel)], [paper_id])).get(paper_id, {}).get(channel)

    async def sent_each(self, channel: ChannelRef, paper_ids: Sequence[str]) -> Mapping[str, Sent]:
        """Return the same for several papers, without those that weren't posted."""
        found = await self._sent_in([str(channel)], paper_ids)
        return {paper_id: posts[channel] for paper_id, posts in found.items()}

    async def sent_elsewhere(
        self, channel: ChannelRef, paper_ids: Sequence[str]
    ) -> Mapping[str, Sequence[tuple[ChannelRef, Sent]]]:
        """Return the same for the other channels of its workspace, the latest post of each paper first.

        Only the channels with the most recent posts are searched.
        """
        pipeline = self._redis.pipeline(transaction=False)
        for shard in range(keys.SHARDS):
            _ = pipeline.zrange(
                keys.posting(shard, channel), 0, CHANNELS_SEARCHED - 1, desc=True, withscores=True
            )
        recent = sorted(
            (pair for answer in await pipeline.execute() for pair in answer), key=lambda pair: -pair[1]
        )
        others = [name for name, _ in recent if name != str(channel)][:CHANNELS_SEARCHED]
        found = await self._sent_in(others, paper_ids)
        return {
            paper_id: sorted(posts.items(), key=lambda post: post[1].at, reverse=True)
            for paper_id, posts in found.items()
        }

    async def _sent_in(
        self, channels: Sequence[str], paper_ids: Sequence[str]
    ) -> dict[str, dict[ChannelRef, Sent]]:
        """Return the latest post of each paper in each channel."""
        if not channels or not paper_ids:
            return {}
        period = int((await self._redis.time())[0]) // keys.PERIOD
        pipeline = self._redis.pipeline(transaction=False)
        periods = [(name, ago) for name in channels for ago in reversed(range(keys.PERIODS))]
        for name, ago in periods:
            _ = pipeline.hmget(keys.sent(ChannelRef.parse(name), period - ago), list(paper_ids))
        stored = [
            ((name, paper_id), text)
            for (name, _), texts in zip(periods, await pipeline.execute(), strict=True)
            for paper_id, text in zip(paper_ids, texts, strict=True)
            if text
        ]
        found: dict[str, dict[ChannelRef, Sent]] = {}
        for (name, paper_id), sent in await load_each(self._redis, "sent", stored, _sent):
            found.setdefault(paper_id, {})[ChannelRef.parse(name)] = sent
        return found

    async def posts(self, channel: ChannelRef, most: int, number: int | None = None) -> list[Post]:
        """Return the latest posts in the channel, the newest first; with `number`, those of one subscription.

        At least `most`, if as many are stored. The server selects them: a busy channel has thousands of records.
        """
        period = int((await self.now()).timestamp()) // keys.PERIOD
        found: list[Post] = []
        for ago in range(keys.PERIODS):
            if len(found) >= most:
                break
            latest: list[Any] = await self._scripts.run(
                script("outbox/latest"),
                [keys.sent(channel, period - ago)],
                [most - len(found), ENTRY, number or ""],
            )
            pairs = zip(latest[::2], latest[1::2], strict=True)
            stored = [(f"{channel} {entry}", (entry, text)) for entry, text in pairs]
            posts = await load_each(
                self._redis, "sent", stored, lambda _name, one: Post(one[0], sent_of(one[1]))
            )
            matching = (post for _, post in posts if number is None or _is_for(post, number))
            found += sorted(matching, key=_newest_first)
        return found

    async def digest(self, channel: ChannelRef, label: str) -> list[str]:
        """Return the papers of the digest that was posted under this label, as long as its sent records exist."""
        return [paper_id async for paper_id, sent in self._all_sent(channel) if sent.label == label]

    async def _all_sent(self, channel: ChannelRef) -> AsyncIterator[tuple[str, Sent]]:
        """Yield everything that was posted in the channel, the latest month first."""
        period = int((await self.now()).timestamp()) // keys.PERIOD
        for ago in range(keys.PERIODS):
            async for paper_id, text in self._redis.hscan_iter(keys.sent(channel, period - ago), count=500):
                for _, sent in await load_each(
                    self._redis,
                    "sent",
                    [(f"{channel} {paper_id}", text)],
                    lambda _name, record: sent_of(record),
                ):
                    yield paper_id, sent


def _sent(_name: object, record: str) -> Sent:
    return sent_of(record)


def _is_for(post: Post, number: int) -> bool:
    """Whether the subscription matched the post's paper. The numbers in an event's reasons mean something else."""
    return paper_of(post.entry) == post.entry and any(one.number == number for one in post.sent.reasons)


def _newest_first(post: Post) -> tuple[float, str, int, str]:
    return -post.sent.at.timestamp(), post.sent.message.id, post.sent.place, post.entry


def _papers(record: Mapping[str, str]) -> Any:
    """Return the papers of a dead letter; none if they can't be read."""
    try:
        return load_papers(record["papers"])
    except UNREADABLE:
        return ()
