"""The outbox: every post that a channel should get, from planning to confirmation.

Its scripts move deliveries through their states (`pending, claimed, sending, unknown, held, dead`, and removed when
done); `lua/outbox.lua` says how they are stored. A delivery is one message of one paper or, as a digest, of many.
"""

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from redis.asyncio import Redis
from structlog import get_logger

from bot.domain.deliveries import Claims, Delivery, Outcome, PlannedDelivery, channel_of
from bot.domain.models import ChannelRef, MessageRef, Rules
from bot.store import keys
from bot.store.channel_rules import load_settings
from bot.store.outbox.pausing import PausingOutbox
from bot.store.outbox.records import NO_URL, delivery_of, delivery_record
from bot.store.unreadable import UNREADABLE, set_aside

LEASE = 60.0
"""Seconds that a worker has for one delivery; after that it counts as dead."""
TRIES = 8
"""Failed attempts after which a delivery becomes a dead letter."""
REFUSED_ALONE = 24
"""Unexplained refusals after which a delivery becomes a dead letter, if other posts got through in between. Attempts
end up an hour apart, so that takes most of a day."""
DEATHS = 3
"""A delivery becomes a dead letter once this many workers have died while sending it."""
FAILURES = 5
"""Failures in a row after which nothing is tried in a channel for a while."""
WORKSPACE_FAILURES = 15
"""Failures in a row after which nothing is tried in a workspace for a while."""
FOLDS = 2
"""Answer of `begin.lua` if the channel's budget allows none of the delivery's papers."""
CHANNELS_AT_ONCE = 250
"""Channels that one script checks: a millisecond of the server's time."""
BREAK, LONGEST_BREAK = 60.0, 3600.0
"""Seconds for which nothing is tried after too many failures in a row, at first and at most. The time doubles with each
further failure."""

_log = get_logger()


class Outbox(PausingOutbox):
    """The deliveries of all shards.

    `durable` means that the server syncs every write to its disk before it answers: then a restart loses nothing, and
    no delivery has to be looked up afterwards.
    """

    def __init__(self, redis: Redis, *, durable: bool = False, lease: float = LEASE) -> None:
        super().__init__(redis)
        self._durable = durable
        self.lease = lease

    async def enqueue(self, planned: Iterable[PlannedDelivery]) -> int:
        """Enqueue these papers for their channels, without those that were sent or are enqueued already.

        Returns how many were enqueued. Repeating a call changes nothing. Plan a few hundred at a time: one script
        writes a shard's deliveries.
        """
        by_shard: dict[int, list[PlannedDelivery]] = {}
        for delivery in planned:
            by_shard.setdefault(keys.shard_of(delivery.channel), []).append(delivery)
        scripts = (
            self._shards.run(
                "enqueue", shard, [json.dumps([delivery_record(one) for one in some], ensure_ascii=False)]
            )
            for shard, some in by_shard.items()
        )
        return sum(map(int, await asyncio.gather(*scripts)))

    async def replan(
        self, channel: ChannelRef, taken: Mapping[str, Iterable[str]], planned: Iterable[PlannedDelivery]
    ) -> None:
        """Take papers out of waiting deliveries (by key) and enqueue some of them again, in one atomic step.

        A delivery that a worker has claimed in the meantime stays as it is.
        """
        takes = [{"key": key, "papers": list(papers)} for key, papers in taken.items()]
        await self._take(channel, takes, planned)

    async def take(self, channel: ChannelRef, taken: Mapping[str, Iterable[str]]) -> None:
        """Take papers out of deliveries (by key) in any state, except those that a worker has claimed."""
        takes = [{"key": key, "papers": list(papers), "in_doubt": True} for key, papers in taken.items()]
        await self._take(channel, takes, ())

    async def _take(
        self, channel: ChannelRef, takes: Sequence[Mapping[str, object]], planned: Iterable[PlannedDelivery]
    ) -> None:
        args = [json.dumps(list(map(delivery_record, planned)), ensure_ascii=False), json.dumps(takes)]
        await self._shards.run("replan", keys.shard_of(channel), args)

    async def claim(self, platform: str, most: int, shards: Sequence[int], *, token: str) -> Claims:
        """Claim about `most` due deliveries from these shards, fairly across workspaces and channels.

        A channel has one claimed delivery at a time. A repeated call with the same `token` returns the same
        deliveries. A delivery whose record can't be read becomes a dead letter.
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
        answers = await asyncio.gather(*(self._shards.run("claim", shard, args) for shard in shards))
        claimed: list[Delivery] = []
        for shard, answer in zip(shards, answers, strict=True):
            for one in answer[2:]:
                try:
                    claimed.append(delivery_of(token, one))
                except UNREADABLE as error:
                    await self._set_aside(shard, token, one, error)
        return Claims(
            deliveries=tuple(claimed),
            next_look={shard: _seconds(answer[0]) for shard, answer in zip(shards, answers, strict=True)},
            forgot={shard: answer[1] for shard, answer in zip(shards, answers, strict=True) if answer[1]},
        )

    async def _set_aside(self, shard: int, token: str, found: Sequence[str], error: Exception) -> None:
        key = found[0]
        await set_aside(self._redis, "delivery", key, found, error)
        why = f"its record can't be read: {error}"
        await self._shards.run(
            "record_outcome", shard, [key, token, _outcome(Outcome(state="dead", why=why))]
        )

    async def mark_replayed(self, forgot: Mapping[int, str]) -> None:
        """Record that the papers whose posts these shards may have forgotten were announced again."""
        await asyncio.gather(
            *(self._shards.run("mark_replayed", shard, [since]) for shard, since in forgot.items())
        )

    async def begin(self, delivery: Delivery, *, gap: float = 0.0) -> Rules | None:
        """Record that the platform is about to be called, and return the channel's rules, without its mutes.

        Returns None if another worker has taken over the delivery. Don't call the platform then, nor if the rules say
        that the delivery `folds`. `gap` is the minimum time in seconds until the next post in the channel.
        """
        args: list[str | int] = [delivery.key, delivery.token, _ms(self.lease), _ms(gap)]
        ours, *rules = await self._shards.run("begin", keys.shard_of(delivery.channel), args)
        if not int(ours):
            return None
        settings, taste, left = rules
        return Rules(
            await load_settings(self._redis, delivery.channel, settings),
            taste=taste,
            left=None if left == "" else int(left),
            folds=int(ours) == FOLDS,
        )

    async def done(self, delivery: Delivery, message: MessageRef, shown: Sequence[str] = ()) -> float | None:
        """Record that the platform confirmed the post, which showed its papers in the order of `shown`, if known.

        Returns the seconds until the delivery's shard has something due.
        """
        args = [delivery.key, f"{message.id} {message.url or NO_URL}", json.dumps(list(shown))]
        next_look, resumed = await self._shards.run("done", keys.shard_of(delivery.channel), args)
        if int(resumed):
            name = keys.workspace(delivery.channel.platform, delivery.channel.workspace)
            await self._shards.run_in_all("pause", ["workspace", name, "", "confirmed"])
        return _seconds(next_look)

    async def record_outcome(self, delivery: Delivery, outcome: Outcome) -> float | None:
        """Record the outcome of an unconfirmed post, unless another worker has taken it over. Returns as `done`."""
        args = [delivery.key, delivery.token, _outcome(outcome)]
        next_look, noticed = await self._shards.run("record_outcome", keys.shard_of(delivery.channel), args)
        if int(noticed):
            _log.error("channel_refused_for_a_day", channel=str(delivery.channel), reason=outcome.why)
        return _seconds(next_look)

    async def posted_in(self, paper_ids: Sequence[str]) -> dict[str, set[ChannelRef]]:
        """Return the channels in which each paper was posted, in about the last `keys.PERIODS` months.

        Checks every channel, so use it only for rare events, such as a withdrawal.
        """
        found: dict[str, set[ChannelRef]] = {}
        for shard in range(keys.SHARDS) if paper_ids else ():
            cursor = "0"
            while True:
                cursor, *pairs = await self._shards.run(
                    "posted", shard, [cursor, CHANNELS_AT_ONCE, *paper_ids]
                )
                for paper_id, channel in zip(pairs[::2], pairs[1::2], strict=True):
                    found.setdefault(paper_id, set()).add(ChannelRef.parse(channel))
                if cursor == "0":
                    break
        return found

    async def retry(self, key: str) -> bool:
        """Try a dead letter once more. Returns False if there is none with this key."""
        return bool(await self._shards.run("decide", keys.shard_of(channel_of(key)), [key, "retry"]))

    async def drop(self, key: str) -> bool:
        """Remove a dead letter; it isn't recorded as sent. Returns False if there is none with this key."""
        return bool(await self._shards.run("decide", keys.shard_of(channel_of(key)), [key, "drop"]))

    async def forget(self, channel: ChannelRef) -> None:
        """Remove everything stored about a channel: its deliveries, sent records, settings.

        A post in flight may still appear.
        """
        await self._shards.run("forget", keys.shard_of(channel), [str(channel)])

    async def hasten(self, platform: str, shard: int | None = None, *, channels: int = 1_000) -> int:
        """Make failed deliveries due now, after a platform was down, in one shard or all.

        Stops after `channels` channels of a shard. Returns how many deliveries were made due; those for which the
        platform named a time stay as they are.
        """
        shards = range(keys.SHARDS) if shard is None else (shard,)
        hastened = await asyncio.gather(
            *(self._shards.run("hasten", number, [platform, channels]) for number in shards)
        )
        return sum(map(int, hastened))

    async def free_claims(self, platform: str) -> None:
        """Make all claimed deliveries claimable again at once. Call it only if all workers are known to be dead."""
        await self._shards.run_in_all("free_claims", [platform])


def _outcome(outcome: Outcome) -> str:
    """Return an outcome as JSON for `record_outcome.lua`."""
    values = {
        "state": outcome.state,
        "why": outcome.why[:300],
        "after": _ms(outcome.after),
        "rest": outcome.rest,
        "due": outcome.due,
        "counts": outcome.counts,
        "limit": outcome.limit or False,
        "named": outcome.named,
        "refused": outcome.refused or False,
        "passed": False if outcome.passed is None else _ms(outcome.passed),
        "doomed": REFUSED_ALONE,
        "clean": outcome.state == "pending",
        "tries": TRIES,
        "threshold": FAILURES,
        "workspace_threshold": WORKSPACE_FAILURES,
        "first": _ms(BREAK),
        "most": _ms(LONGEST_BREAK),
    }
    return json.dumps(values, ensure_ascii=False)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _seconds(ms: Any) -> float | None:
    return None if int(ms) < 0 else int(ms) / 1000
