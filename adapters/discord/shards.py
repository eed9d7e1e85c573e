"""Shards of the gateway: each is held by one process, by a lease; what a process that ended held, others take over."""

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
from bot.store.rates import Rates, TurnedAway

AT_MOST = 16
"""Shards of one process: forty thousand servers."""
RENEW_EVERY = TTL / 3
AGREED_FOR = 90
"""Seconds that a number of shards stays agreed on when nobody is at the gateway."""
NEAR_EACH_OTHER = 5.0
"""Seconds in which Discord allows `max_concurrency` identifies."""
PER_SHARD = Rate(5, 600.0)
"""Identifies of one shard: a process that crashes again and again must not use the day's up."""
WRONG_COUNT = frozenset({4010, 4011})
"""Close codes that say that the number of shards is not right (any more)."""
FOR_GOOD = frozenset({4004, 4013, 4014})
"""Close codes after which no attempt can succeed: the token, the intents."""


RESERVE = 50
"""Identifies of the day that are kept: past its thousand, Discord resets the token."""

log = structlog.get_logger(__name__)

Recommend = Callable[[], Awaitable[int]]
"""How many shards Discord thinks right."""
Run = Callable[[Sequence[int], int], Coroutine[Any, Any, None]]
"""Listens on these shards of so many, until it is cancelled."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """How it may be connected to."""

    shards: int
    at_once: int
    """Identifies in five seconds."""
    remaining: int
    """Identifies that are left of the day."""
    reset_after: float
    """Seconds until the day begins anew."""

    async def allows(self, identifies: int) -> None:
        """Wait for the next day where this one's identifies are used up: Discord would reset the token."""
        if self.remaining - identifies < RESERVE:
            log.error("too many connections to Discord today; waiting", seconds=self.reset_after)
            await asyncio.sleep(self.reset_after)


async def gateway_of(client: discord.Client) -> Gateway:
    """Ask, and let discord.py connect to where the answer says. Raises what discord.py raises."""
    shards, url, limit = await client.http.get_bot_gateway()
    DiscordWebSocket.DEFAULT_GATEWAY = URL(url)  # what it uses wherever the number of shards is given
    return Gateway(shards, limit["max_concurrency"], limit["remaining"], limit["reset_after"] / 1000)


@dataclass(frozen=True, slots=True)
class Group:
    """Shards that were taken together, and what listens on them."""

    count: int
    """Of how many they are."""
    leases: dict[int, Lease]
    task: asyncio.Task[None]


class Shards:
    """Holds shards, and runs what listens on them for as long as they are held."""

    def __init__(
        self, redis: Redis, *, every: float = RENEW_EVERY, at_most: int = AT_MOST, ttl: float = TTL
    ) -> None:
        self._redis = redis
        self._every = every
        self._at_most = at_most
        self._ttl = ttl
        self._groups: list[Group] = []

    async def listen(self, recommend: Recommend, run: Run) -> None:
        """Until cancelled. Raises LoginFailure, or ConnectionClosed where no attempt can succeed."""
        try:
            while True:
                with suppress(RedisError, OSError):  # a lease that can't be renewed now is not lost yet
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
                log.warning("shards are no longer ours", shards=list(group.leases), of=group.count)
                await self._give_up(group)
        taken = await self._take(count)
        if taken:
            log.info("listening", shards=list(taken), of=count)
            self._groups.append(
                Group(
                    count, taken, asyncio.create_task(run(list(taken), count), name=f"shards {list(taken)}")
                )
            )

    async def _agree(self, recommend: Recommend) -> int:
        """The number of shards that all processes use: whoever comes first decides."""
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
        """What listened has failed: it is begun anew, at another count where this one was wrong."""
        await self._give_up(group)
        try:
            group.task.result()
        except discord.LoginFailure:
            raise
        except discord.ConnectionClosed as error:
            log.warning("Discord closed the connection", code=error.code, reason=error.reason)
            if error.code in FOR_GOOD:
                raise
            if error.code in WRONG_COUNT:
                await self._redis.delete(keys.SHARDS)
        except Exception:  # the edge of a loop: one event that can't be read must not end the bot
            log.exception("shards failed", shards=list(group.leases))
        await asyncio.sleep(self._every)

    async def _give_up(self, group: Group) -> None:
        self._groups.remove(group)
        group.task.cancel()
        await asyncio.wait({group.task})
        for lease in group.leases.values():
            with suppress(RedisError, OSError):
                await lease.release()


class Identifies:
    """When a shard may identify itself: all processes take turns."""

    def __init__(self, redis: Redis) -> None:
        self._rates = Rates(redis)

    async def turn(self, shard: int, at_once: int) -> None:
        """Wait for it."""
        once = uuid4().hex
        await self._wait(PER_SHARD, once, "shard", str(shard))
        await self._wait(Rate(at_once, NEAR_EACH_OTHER), once, "any")

    async def _wait(self, rate: Rate, once: str, *scope: str) -> None:
        while True:
            try:
                await asyncio.sleep(await self._rates.turn(rate, once, "discord", "identify", *scope))
            except TurnedAway as away:
                log.info("an identify waits", scope=scope, seconds=away.after)
                await asyncio.sleep(away.after)
            except (RedisError, OSError) as error:
                log.warning("no turn can be taken", error=str(error))
                await asyncio.sleep(NEAR_EACH_OTHER)
            else:
                return
