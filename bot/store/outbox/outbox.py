"""The outbox: every post that is owed to a channel, from its offer until it is confirmed.

Its scripts move deliveries through their states (`pending, claimed, sending, unknown, held, dead`, and gone when
done); `lua/outbox.lua` says how they are kept. A delivery is one message of one paper or, as a digest, of many.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from math import inf
from typing import Any

from redis.asyncio import Redis

from bot.domain.deliveries import (
    ChannelStatus,
    Claims,
    DeadLetter,
    Delivery,
    OpenDelivery,
    Outcome,
    PlannedDelivery,
    Sent,
    channel_of,
)
from bot.domain.models import ChannelRef, ChannelSettings, MessageRef
from bot.store import keys
from bot.store.outbox.records import (
    NO_URL,
    delivery_of,
    delivery_record,
    open_delivery_of,
    sent_of,
    wanted,
)
from bot.store.scripts import Scripts, script
from bot.store.settings import load

LEASE = 60.0
"""Seconds in which a worker does one delivery, or is taken for dead."""
TRIES = 8
DEATHS = 3
FAILURES = 5
"""In a row: then nothing is tried in that channel for a while."""
WORKSPACE_FAILURES = 15
BREAK, LONGEST_BREAK = 60.0, 3600.0
"""Seconds; doubles with each further failure."""


class Outbox:
    """The deliveries of all shards.

    `durable` says that the server syncs every answered write to its disk: then a restart of it loses nothing, and
    nothing is doubted after one.
    """

    def __init__(self, redis: Redis, *, durable: bool = False, lease: float = LEASE) -> None:
        self._redis = redis
        self._scripts = Scripts(redis)
        self._durable = durable
        self.lease = lease

    async def enqueue(self, planned: Iterable[PlannedDelivery]) -> int:
        """Owe these papers to their channels, but for those that were sent or are owed already.

        -> how many were taken. Any number of times the same is the same as once. Offers of one call should be
        few hundreds: each shard's are one script.
        """
        by_shard: dict[int, list[PlannedDelivery]] = {}
        for offer in planned:
            by_shard.setdefault(keys.shard_of(offer.channel), []).append(offer)
        scripts = (
            self._run(
                "enqueue", shard, [json.dumps([delivery_record(offer) for offer in some], ensure_ascii=False)]
            )
            for shard, some in by_shard.items()
        )
        return sum(map(int, await asyncio.gather(*scripts)))

    async def replan(
        self, channel: ChannelRef, taken: Mapping[str, Iterable[str]], offers: Iterable[PlannedDelivery]
    ) -> None:
        """Take papers out of deliveries (by key) that wait, and offer some of them anew; all of it or nothing.

        What somebody has in hand meanwhile stays as it is.
        """
        takes = [{"key": key, "papers": list(papers)} for key, papers in taken.items()]
        args = [json.dumps(list(map(delivery_record, offers)), ensure_ascii=False), json.dumps(takes)]
        home = [keys.shard(keys.shard_of(channel))]
        await self._scripts.run(script("outbox/outbox", "outbox/take", "outbox/enqueue"), home, args)

    async def open_deliveries(self, channel: ChannelRef) -> list[OpenDelivery]:
        """The channel's deliveries that are not done, the earliest first."""
        by_paper: Any = await self._redis.hvals(keys.open_papers(channel))
        wanted_keys = sorted(set(by_paper))
        pipeline = self._redis.pipeline(transaction=False)
        for key in wanted_keys:
            _ = pipeline.hgetall(keys.delivery(key))
        records = await pipeline.execute() if wanted_keys else []
        owed = [
            open_delivery_of(key, record) for key, record in zip(wanted_keys, records, strict=True) if record
        ]
        return sorted(owed, key=lambda one: one.due)

    async def digest(self, channel: ChannelRef, label: str) -> list[str]:
        """The papers of the digest that was posted under this label, for as long as what was sent is known."""
        return [paper_id async for paper_id, sent in self._all_sent(channel) if sent.label == label]

    async def paper_of(self, channel: ChannelRef, message: str) -> str | None:
        """The one paper that the channel's message of this id was the card of."""
        async for paper_id, sent in self._all_sent(channel):
            if sent.message.id == message and not sent.label:
                return paper_id
        return None

    async def open(self) -> int:
        """How many deliveries wait to go out by themselves: not paused, not waiting for a person, and not
        digests whose hour is still to come."""
        pipeline = self._redis.pipeline(transaction=False)
        for shard in range(keys.SHARDS):
            _ = pipeline.get(keys.open_count(shard))
        return sum(int(count or 0) for count in await pipeline.execute())

    async def now(self) -> datetime:
        """By the server's clock."""
        seconds, micros = await self._redis.time()
        return datetime.fromtimestamp(seconds + micros / 1e6, UTC)

    async def dead_letter_counts(self) -> Mapping[str, int]:
        """How many deliveries wait for a person, by state."""
        states = ("dead", "held")
        pipeline = self._redis.pipeline(transaction=False)
        for state in states:
            for shard in range(keys.SHARDS):
                _ = pipeline.zcard(keys.dead_letters(shard, state))
        counts = list(map(int, await pipeline.execute()))
        return {state: sum(counts[n * keys.SHARDS :][: keys.SHARDS]) for n, state in enumerate(states)}

    async def overdue(self, platform: str) -> float:
        """For how many seconds the longest waiting of the deliveries that could go out is due."""
        now = (await self.now()).timestamp()
        pipeline = self._redis.pipeline(transaction=False)
        for shard in range(keys.SHARDS):
            _ = pipeline.zrange(keys.due(shard, platform), 0, 0, withscores=True)
        first = min((score for answer in await pipeline.execute() for _, score in answer), default=inf)
        return max(0.0, now - first / 1000)

    async def claim(self, platform: str, most: int, shards: Sequence[int], *, token: str) -> Claims:
        """Take about `most` deliveries that are due, from the shards given, fairly between workspaces and channels.

        A channel has one delivery in hand at a time. The same `token` again gives the same deliveries.
        """
        share = max(1, most // max(1, len(shards)))
        args: list[str | int] = [
            platform,
            token,
            share,
            _ms(self.lease),
            int(self._durable),
            DEATHS,
            WORKSPACE_FAILURES,
        ]
        answers = await asyncio.gather(*(self._run("claim", shard, args) for shard in shards))
        return Claims(
            deliveries=tuple(delivery_of(token, one) for answer in answers for one in answer[2:]),
            next_look={shard: _seconds(answer[0]) for shard, answer in zip(shards, answers, strict=True)},
            forgot={shard: answer[1] for shard, answer in zip(shards, answers, strict=True) if answer[1]},
        )

    async def mark_replayed(self, forgot: Mapping[int, str]) -> None:
        """What these shards may have forgotten has been offered again."""
        await asyncio.gather(*(self._run("mark_replayed", shard, [since]) for shard, since in forgot.items()))

    async def begin(self, delivery: Delivery, *, gap: float = 0.0) -> ChannelSettings | None:
        """Write down that the platform is about to be called. -> how the channel wants its cards now

        None: it is another worker's by now, do not call.

        `gap` is the least time in seconds until the next post in the channel.
        """
        args: list[str | int] = [delivery.key, delivery.token, _ms(self.lease), _ms(gap)]
        ours, *settings = await self._run("begin", keys.shard_of(delivery.channel), args)
        return load(settings[0]) if int(ours) else None

    async def done(self, delivery: Delivery, message: MessageRef) -> float | None:
        """The platform confirmed the post. -> seconds until its shard has something due."""
        args = [delivery.key, f"{message.id} {message.url or NO_URL}"]
        return _seconds(await self._run("done", keys.shard_of(delivery.channel), args))

    async def record_outcome(self, delivery: Delivery, outcome: Outcome) -> float | None:
        """It was not confirmed; nothing happens where it is another worker's by now. -> as `done`"""
        how = {
            "state": outcome.state,
            "why": outcome.why[:300],
            "after": _ms(outcome.after),
            "counts": outcome.counts,
            "limit": outcome.limit or False,
            "named": outcome.named,
            "clean": outcome.state == "pending",
            "tries": TRIES,
            "threshold": FAILURES,
            "workspace_threshold": WORKSPACE_FAILURES,
            "first": _ms(BREAK),
            "most": _ms(LONGEST_BREAK),
        }
        args = [delivery.key, delivery.token, json.dumps(how, ensure_ascii=False)]
        return _seconds(await self._run("record_outcome", keys.shard_of(delivery.channel), args))

    async def pause(self, channel: ChannelRef, why: str) -> None:
        """Post nothing in this channel until it is resumed. What is owed to it stays owed."""
        await self._run("pause", keys.shard_of(channel), ["channel", str(channel), why or "paused"])

    async def resume(self, channel: ChannelRef) -> None:
        """Post in this channel again, if only to see whether it works."""
        await self._run("pause", keys.shard_of(channel), ["channel", str(channel), ""])

    async def resume_if_paused(self, channel: ChannelRef) -> None:
        """Somebody is there and can reach us: post again where it was paused, if only to see whether it works."""
        if await self._redis.hexists(keys.channel(channel), "paused"):
            await self.resume(channel)
        if await self._redis.hexists(keys.workspace_health(channel), "paused"):
            await self.resume_workspace(channel.platform, channel.workspace)

    async def pause_workspace(self, platform: str, workspace: str, why: str) -> None:
        """Post nothing in the whole workspace until it is resumed."""
        await self._everywhere("pause", ["workspace", keys.workspace(platform, workspace), why or "paused"])

    async def resume_workspace(self, platform: str, workspace: str) -> None:
        """Post in the workspace again; channels that were paused by themselves stay so."""
        await self._everywhere("pause", ["workspace", keys.workspace(platform, workspace), ""])

    async def sent(self, channel: ChannelRef, paper_id: str) -> Sent | None:
        """When and where the paper was posted in the channel, for about the last `keys.PERIODS` months."""
        now = int((await self._redis.time())[0]) // keys.PERIOD
        for ago in range(keys.PERIODS):
            text: Any = await self._redis.hget(keys.sent(channel, now - ago), paper_id)
            if text:
                return sent_of(text)
        return None

    async def _all_sent(self, channel: ChannelRef) -> AsyncIterator[tuple[str, Sent]]:
        """What was posted in the channel, the latest months first."""
        period = int((await self.now()).timestamp()) // keys.PERIOD
        for ago in range(keys.PERIODS):
            async for paper_id, text in self._redis.hscan_iter(keys.sent(channel, period - ago), count=500):
                yield paper_id, sent_of(text)

    async def standing(self, channel: ChannelRef) -> ChannelStatus:
        """What is owed to a channel now."""
        health: Any = await self._redis.hget(keys.channel(channel), "paused")
        workspace = keys.workspace_health(channel)
        paused: Any = await self._redis.hget(workspace, "paused")
        owed: Any = await self._redis.hvals(keys.open_papers(channel))
        pipeline = self._redis.pipeline(transaction=False)
        for key in set(owed):
            _ = pipeline.hget(keys.delivery(key), "state")
        states = await pipeline.execute() if owed else []
        aside = sum(state in {"dead", "held"} for state in states)
        return ChannelStatus(len(states) - aside, aside, health or paused or "")

    async def dead_letters(self) -> AsyncIterator[DeadLetter]:
        """Deliveries that wait for a person to decide, in no order."""
        for shard in range(keys.SHARDS):
            for state in ("dead", "held"):
                async for key, since in self._redis.zscan_iter(keys.dead_letters(shard, state)):
                    record: Any = await self._redis.hgetall(keys.delivery(key))
                    if record:
                        moment = datetime.fromtimestamp(since / 1000, UTC)
                        why = record.get("error", "")
                        yield DeadLetter(key, channel_of(key), wanted(record["papers"]), state, why, moment)

    async def retry(self, key: str) -> bool:
        """Try a delivery that was set aside once more. False where there is none such."""
        return bool(await self._run("decide", keys.shard_of(channel_of(key)), [key, "retry"]))

    async def drop(self, key: str) -> bool:
        """Forget a delivery that was set aside; it is not recorded as sent. False where there is none such."""
        return bool(await self._run("decide", keys.shard_of(channel_of(key)), [key, "drop"]))

    async def forget(self, channel: ChannelRef) -> None:
        """Owe a channel nothing, and remember nothing of it: not what it was sent, not its settings.

        What is being posted at this moment may still appear.
        """
        await self._run("forget", keys.shard_of(channel), [str(channel)])

    async def _everywhere(self, name: str, args: Sequence[str | int]) -> None:
        await asyncio.gather(*(self._run(name, shard, args) for shard in range(keys.SHARDS)))

    async def _run(self, name: str, shard: int, args: Sequence[str | int]) -> Any:
        return await self._scripts.run(script("outbox/outbox", f"outbox/{name}"), [keys.shard(shard)], args)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _seconds(ms: Any) -> float | None:
    return None if int(ms) < 0 else int(ms) / 1000
