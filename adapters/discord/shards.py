"""Shards of the gateway. A process holds each by a lease; when it ends, another process takes them over."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import discord
import structlog
from discord.gateway import DiscordWebSocket
from redis.asyncio import Redis
from redis.exceptions import RedisError
from yarl import URL

from adapters.discord import keys
from bot.ports import Rate
from bot.store.lease import TTL, Lease
from bot.store.limits import RateLimiter, TurnedAway

AT_MOST = 16
"""Max shards per process: enough for forty thousand servers."""
RENEW_EVERY = TTL / 3
"""Seconds between renewals of the leases."""
AGREED_FOR = 90
"""Seconds until the number of shards is decided again if no process is at the gateway."""
NEAR_EACH_OTHER = 5.0
"""Seconds in which Discord allows `max_concurrency` identifies. See
https://docs.discord.com/developers/events/gateway#rate-limiting."""
PER_SHARD = Rate(5, 600.0)
"""Max identifies per shard, so that a crash loop doesn't use up the day's quota."""
WRONG_COUNT = frozenset({4010, 4011})
"""Close codes for a wrong number of shards."""
FOR_GOOD = frozenset({4004, 4013, 4014})
"""Close codes after which no attempt can succeed: a wrong token, or intents that aren't allowed."""

RESERVE = 50
"""Identifies per day that are never used: beyond a thousand, Discord resets the token."""

log = structlog.get_logger(__name__)

Recommend = Callable[[], Awaitable[int]]
"""Asks Discord for its recommended number of shards."""
Run = Callable[[Sequence[int], int], Coroutine[Any, Any, None]]
"""Listens on these shards, out of a total, until it is cancelled."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """Discord's answer about how to connect."""

    shards: int
    """The recommended number of shards."""
    at_once: int
    """Max identifies in five seconds."""
    remaining: int
    """Identifies left today."""
    reset_after: float
    """Seconds until the next day begins."""

    async def allows(self, identifies: int) -> None:
        """Wait until `identifies` can be used: until tomorrow, if today's are nearly used up."""
        if self.remaining - identifies < RESERVE:
            log.error("identifies_used_up", remaining=self.remaining, wait=self.reset_after)
            await asyncio.sleep(self.reset_after)


async def gateway_of(client: discord.Client) -> Gateway:
    """Ask Discord how to connect, and point discord.py at that gateway. Raises discord.py's errors."""
    shards, url, limit = await client.http.get_bot_gateway()
    DiscordWebSocket.DEFAULT_GATEWAY = URL(url)  # discord.py uses it if the shards are set
    return Gateway(shards, limit["max_concurrency"], limit["remaining"], limit["reset_after"] / 1000)


@dataclass(frozen=True, slots=True)
class Group:
    """Shards that were taken together, and the task that listens on them."""

    count: int
    """The total number of shards."""
    leases: dict[int, Lease]
    task: asyncio.Task[None]


class Shards:
    """Takes free shards, and listens on each for as long as its lease is held. `every` and `ttl` in seconds."""

    def __init__(
        self, redis: Redis, *, every: float = RENEW_EVERY, at_most: int = AT_MOST, ttl: float = TTL
    ) -> None:
        self._redis = redis
        self._every = every
        self._at_most = at_most
        self._ttl = ttl
        self._groups: list[Group] = []

    async def listen(self, recommend: Recommend, run: Run) -> None:
        """Take shards and listen until cancelled. Raises LoginFailure, and ConnectionClosed if it is permanent."""
        try:
            while True:
                with suppress(RedisError, OSError):  # the leases outlive a few failed renewals
                    await self._round(recommend, run)
                tasks = {group.task for group in self._groups}
                if not tasks:
                    await asyncio.sleep(self._every)
                    continue
                await asyncio.wait(tasks, timeout=self._every, return_when=asyncio.FIRST_COMPLETED)
                for group in [group for group in self._groups if group.task.done()]:
                    await self._ended(group)
        finally:
            for group in tuple(self._groups):
                await self._give_up(group)

    async def _round(self, recommend: Recommend, run: Run) -> None:
        count = await self._agree(recommend)
        for group in tuple(self._groups):
            held = [await lease.acquire() for lease in group.leases.values()]
            if not all(held) or group.count != count:
                log.warning("shards_lost", shards=list(group.leases), of=group.count)
                await self._give_up(group)
        taken = await self._take(count)
        if taken:
            log.info("shards_taken", shards=list(taken), of=count)
            self._groups.append(
                Group(
                    count, taken, asyncio.create_task(run(list(taken), count), name=f"shards {list(taken)}")
                )
            )

    async def _agree(self, recommend: Recommend) -> int:
        """Return the number of shards that all processes use. The first process decides."""
        if not (agreed := await self._redis.getex(keys.SHARDS, ex=AGREED_FOR)):
            await self._redis.set(keys.SHARDS, await recommend(), nx=True, ex=AGREED_FOR)
            agreed = await self._redis.get(keys.SHARDS)
        return int(agreed or 1)

    async def _take(self, count: int) -> dict[int, Lease]:
        held = {shard for group in self._groups for shard in group.leases}
        taken: dict[int, Lease] = {}
        for shard in (shard for shard in range(count) if shard not in held):
            if len(held) + len(taken) >= self._at_most:
                break
            key, fence = keys.shard(shard, count)
            lease = Lease(self._redis, ttl=self._ttl, key=key, fence_key=fence)
            if await lease.acquire():
                taken[shard] = lease
        return taken

    async def _ended(self, group: Group) -> None:
        """Give up a group that failed; the next round takes its shards again. Raises if that would be useless."""
        await self._give_up(group)
        try:
            group.task.result()
        except discord.LoginFailure:
            raise
        except discord.ConnectionClosed as error:
            log.warning("gateway_closed", code=error.code, reason=error.reason)
            if error.code in FOR_GOOD:
                raise
            if error.code in WRONG_COUNT:
                await self._redis.delete(keys.SHARDS)
        except Exception:  # the edge of a loop: an event that can't be read must not end the bot
            log.exception("shards_failed", shards=list(group.leases))
        await asyncio.sleep(self._every)

    async def _give_up(self, group: Group) -> None:
        self._groups.remove(group)
        group.task.cancel()
        await asyncio.wait({group.task})
        for lease in group.leases.values():
            with suppress(RedisError, OSError):
                await lease.release()


class IdentifyQueue:
    """Lets the shards of all processes identify themselves one after the other."""

    def __init__(self, redis: Redis) -> None:
        self._rates = RateLimiter(redis)

    async def turn(self, shard: int, at_once: int) -> None:
        """Wait until the shard may identify itself; `at_once` of them can in five seconds."""
        once = uuid4().hex
        await self._wait(PER_SHARD, once, "shard", str(shard))
        await self._wait(Rate(at_once, NEAR_EACH_OTHER), once, "any")

    async def _wait(self, rate: Rate, once: str, *scope: str) -> None:
        while True:
            try:
                await asyncio.sleep(await self._rates.turn(rate, once, "discord", "identify", *scope))
            except TurnedAway as away:
                log.info("identify_waits", scope=scope, seconds=away.after)
                await asyncio.sleep(away.after)
            except (RedisError, OSError) as error:
                log.warning("identify_waits_for_redis", error=str(error))
                await asyncio.sleep(NEAR_EACH_OTHER)
            else:
                return
