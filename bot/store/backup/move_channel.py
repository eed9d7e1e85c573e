"""Moves everything stored about a channel when the platform gives the channel another id."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ResponseError
from structlog import get_logger

from bot.domain.models import ChannelRef
from bot.store import keys
from bot.store.backup.export import facts, open_deliveries
from bot.store.backup.export_records import (
    ChannelToken,
    CopyOf,
    Fact,
    Head,
    OfChannel,
    OpenDelivery,
    Sent,
    moment,
    ms,
)
from bot.store.backup.import_ import Restore
from bot.store.copies import Copies, Copy
from bot.store.outbox.outbox import Outbox
from bot.store.reactions import PaperList
from bot.store.subscriptions import Subscriptions
from bot.store.tokens import Tokens
from bot.store.unreadable import load_each
from bot.store.watches import Watches
from bot.store.worker_loop import run_worker

SEND_WAIT = 30.0
"""Seconds to wait for a post that is being sent to the old id."""
SEND_CHECK = 0.2
"""Seconds between checks of whether it was sent."""
FOLLOW = timedelta(minutes=10)
"""Time for which deliveries that still arrive under the old id are moved, too: a poll is matched with the subscriptions
that existed when its matching began."""
LOOK_EVERY = 60.0
"""Seconds between checks of moves that aren't over."""
WHY = "the channel has a new id"
"""Reason of the pause of the old id."""

_log = get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A move that isn't over."""

    old: ChannelRef
    new: ChannelRef
    at: datetime
    copied: bool
    """Whether people's settings were moved. What they change afterwards under the new id is left alone."""


class ChannelMoves:
    """Carries out moves, also those that another process left unfinished. Every method raises RedisError.

    A move is recorded until it is over. Each of its steps adds what is missing under the new id, then removes it from
    the old one. So a move can be interrupted anywhere, and several processes can carry it out at once.
    """

    def __init__(self, redis: Redis, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._redis = redis
        self._outbox, self._subscriptions = Outbox(redis), Subscriptions(redis)
        self._watches, self._tokens, self._copies = Watches(redis), Tokens(redis), Copies(redis)
        self._sleep = sleep

    async def move(self, old: ChannelRef, new: ChannelRef) -> None:
        """Move the subscriptions, settings, open deliveries and sent records of `old` to `new`, which keeps its own."""
        if old == new or not await self._is_stored(old):
            return
        if await self._redis.hdel(keys.MOVES, str(new)):  # it moves back
            await self._outbox.resume(new)
        move = Move(old=old, new=new, at=await self._outbox.now(), copied=False)
        await self._redis.hsetnx(keys.MOVES, str(old), _dump(move))
        await self.resume()

    async def resume(self) -> None:
        """Continue every recorded move, the earliest first."""
        stored: Any = await self._redis.hgetall(keys.MOVES)
        loaded = await load_each(self._redis, "move", stored.items(), _load)
        for _, move in sorted(loaded, key=lambda one: one[1].at):
            await self._continue(move)

    async def run(self) -> None:
        """Continue every recorded move now and then, until cancelled."""

        async def work() -> None:
            await self.resume()
            await self._sleep(LOOK_EVERY)

        await run_worker("channel_moves", work)

    async def _is_stored(self, channel: ChannelRef) -> bool:
        """Whether anything is stored about a channel: platforms report moves of all channels."""
        same_shard = (keys.channel, keys.subscriptions, keys.watches, keys.shared, keys.mutes, keys.copies)
        found = await self._redis.exists(*(key(channel) for key in same_shard))
        return bool(found or await self._redis.exists(keys.tokens(channel)))

    async def _continue(self, move: Move) -> None:
        over = await self._outbox.now() - move.at >= FOLLOW
        sending = await self._stop_posting(move.old)
        if not move.copied:
            await self._copy_settings(move)
        await self._copy_posts(move, but=sending)
        if over:
            await self._end_copies(move)
            await self._outbox.forget(move.old)
            await self._redis.hdel(keys.MOVES, str(move.old))
            _log.info("channel_move_over", channel=str(move.old), to=str(move.new))

    async def _stop_posting(self, old: ChannelRef) -> str:
        """Pause a channel, and wait until no worker posts there. Returns the delivery of a worker that seems dead.

        That delivery is moved later, once its lease has expired.
        """
        for _ in range(round(SEND_WAIT / SEND_CHECK)):
            await self._outbox.pause(old, WHY)  # again and again, since a post that gets through ends a pause
            await self._outbox.mark_notified(old, "channel", WHY)  # there is nothing for people to fix
            busy = await self._redis.hget(keys.channel(old), "busy")
            if not busy:
                return ""
            await self._sleep(SEND_CHECK)
        _log.warning("channel_moved_while_sending", channel=str(old), delivery=busy)
        return str(busy)

    async def _copy_settings(self, move: Move) -> None:
        """Move what people set up (subscriptions, settings, watches, lists, tokens), and state that derives from it."""
        await self._write(move, lambda fact: not isinstance(fact, ChannelToken | CopyOf | OpenDelivery))
        await self._tokens.move(move.old, move.new)
        for copy in await self._copies.of(move.old):
            await self._copies.restore(move.new, _without_name(copy))
        for key in (keys.labels, keys.budget, keys.fits, keys.messages):
            await self._copy_key(key(move.old), key(move.new))
        await self._move_edits(move)
        for subscription in await self._subscriptions.of(move.old):
            await self._subscriptions.remove(move.old, subscription.number)
        for paper_id in await self._watches.of(move.old):
            await self._watches.remove(move.old, paper_id)
        await self._redis.delete(*PaperList(move.old, shared=True).keys)
        await self._redis.hset(keys.MOVES, str(move.old), _dump(move, copied=True))

    async def _copy_posts(self, move: Move, *, but: str) -> None:
        """Move the waiting deliveries, except `but`, and the records of what was posted."""
        copied: dict[str, list[str]] = {}

        def is_wanted(fact: Fact) -> bool:
            if not isinstance(fact, OpenDelivery):
                return isinstance(fact, Sent)
            if fact.ref == move.old and f"{fact.channel}/{fact.label}" != but:
                copied[f"{fact.channel}/{fact.label}"] = [paper_id for paper_id, _ in fact.papers]
                return True
            return False

        await self._write(move, is_wanted)
        await self._outbox.take(move.old, copied)

    async def _end_copies(self, move: Move) -> None:
        """Remove the old id's copies, kept until now for posts confirmed under that id, and move their deliveries."""
        for copy in await self._copies.of(move.old):
            moved = await self._copies.restore(move.new, _without_name(copy))
            to = Move(old=copy.to, new=moved.to, at=move.at, copied=True)
            waiting = [fact async for fact in open_deliveries(self._redis, copy.to)]
            lines = [Head(), *(_moved(fact, to) for fact in waiting)]
            await Restore(self._redis).write(line.model_dump_json() for line in lines)
            await self._copies.remove(move.old, copy)

    async def _write(self, move: Move, is_wanted: Callable[[Fact], bool]) -> None:
        lines = [
            _moved(fact, move).model_dump_json()
            async for fact in facts(self._redis, only=move.old)
            if fact.kind == "paperboy" or is_wanted(fact)
        ]
        await Restore(self._redis).write(lines)

    async def _copy_key(self, old: str, new: str) -> None:
        """Copy a key to another shard, unless it exists there."""
        text, ttl = await self._redis.dump(old), await self._redis.pttl(old)
        if text:
            try:
                await self._redis.restore(new, max(ttl, 0), text)
            except ResponseError as error:
                if "BUSYKEY" not in str(error):
                    raise

    async def _move_edits(self, move: Move) -> None:
        waiting = keys.edits(move.old.platform)
        found = [edit async for edit, _ in self._redis.zscan_iter(waiting, match=f"{move.old} *")]
        for edit in found:
            await self._redis.zadd(waiting, {f"{move.new}{edit.removeprefix(str(move.old))}": 0}, nx=True)
            await self._redis.zrem(waiting, edit)


def _without_name(copy: Copy) -> Copy:
    """Return the copy without its name, which depends on the channel."""
    return replace(copy, to=replace(copy.to, channel=""))


def _moved(fact: Fact, move: Move) -> Fact:
    if not isinstance(fact, OfChannel):
        return fact
    changes = {"channel": str(move.new)}
    if isinstance(fact, Sent):
        changes["url"] = fact.url.replace(move.old.channel, move.new.channel)
    return fact.model_copy(update=changes)


def _dump(move: Move, *, copied: bool = False) -> str:
    return json.dumps({"to": str(move.new), "at": ms(move.at), "copied": copied})


def _load(old: str, text: str) -> Move:
    values = json.loads(text)
    return Move(
        old=ChannelRef.parse(old),
        new=ChannelRef.parse(values["to"]),
        at=moment(values["at"]),
        copied=bool(values.get("copied")),
    )
