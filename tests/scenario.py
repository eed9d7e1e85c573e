"""A bot on a clock that a test sets: the real store, fan-out and delivery, a board that accepts every post, and
processes that can be killed at any call."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha1
from typing import Any, Self, TypeVar, cast

import pytest
from redis.asyncio import Redis

from bot.cards import Card
from bot.domain.errors import RetryLater
from bot.domain.models import ChannelRef, ChannelSettings, Every, MessageRef, Paper
from bot.matching import Matcher
from bot.pipeline.card_updates import CardUpdater
from bot.pipeline.delivery import DeliveryWorker
from bot.pipeline.delivery_card import compose
from bot.pipeline.fanout import Fanout
from bot.pipeline.life import LifeFanout
from bot.ports import Batch, Core, Rates
from bot.store import keys
from bot.store.card_updates import CardUpdateQueue
from bot.store.channel_rules import ChannelRules, ChannelSettingsStore
from bot.store.index_sync import IndexSync
from bot.store.limits import RateLimiter
from bot.store.outbox.outbox import Outbox
from bot.store.papers import Papers
from bot.store.poll_stream import PollReader
from bot.store.scripts import Argument, Script, Scripts
from bot.store.subscriptions import Subscriptions
from bot.store.watches import Watches

T = TypeVar("T")

KEY = "pb:clock"
TIME = "redis.call('TIME')"
SET_TIME = (
    f"{{ math.floor(tonumber(redis.call('GET', '{KEY}')) / 1000),"
    f" (tonumber(redis.call('GET', '{KEY}')) % 1000) * 1000 }}"
)


class Clock:
    """The server's clock, as its scripts and `TIME` see it."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self.now = datetime.fromtimestamp(0, UTC)

    async def set(self, now: datetime) -> None:
        """Set the time to `now`."""
        self.now = now
        await self._redis.set(KEY, round(now.timestamp() * 1000))

    async def next_due(self) -> datetime | None:
        """Return the time at which the next delivery of any channel is due; None if there is none."""
        first: list[float] = []
        for shard in range(keys.SHARDS):
            found: Any = await self._redis.zrange(keys.due(shard, "board"), 0, 0, withscores=True)
            first += [score for _, score in found]
        return datetime.fromtimestamp(min(first) / 1000, UTC) if first else None


def set_clock(monkeypatch: pytest.MonkeyPatch, redis: Redis) -> Clock:
    """Return a clock that stands still until it is set."""
    clock, run = Clock(redis), Scripts.run

    async def run_at_its_time(
        self: Scripts, of: Script, names: Sequence[str], args: Sequence[Argument] = ()
    ) -> Any:
        source = of.source.replace(TIME, SET_TIME)
        sha = sha1(source.encode(), usedforsecurity=False).hexdigest()
        return await run(self, Script(source, sha), names, args)

    async def time(_redis: Redis, **_more: Any) -> tuple[int, int]:
        return int(clock.now.timestamp()), clock.now.microsecond

    monkeypatch.setattr(Scripts, "run", run_at_its_time)
    monkeypatch.setattr(Redis, "time", time)
    return clock


class Killed(BaseException):
    """The process was killed."""


@dataclass
class Life:
    """The calls that a process can make until it is killed at the last of them, before or after it (`makes_last`)."""

    calls: float = float("inf")
    makes_last: bool = False
    dead: bool = False

    async def step(self, call: Callable[[], Awaitable[T]]) -> T:
        """Make one call to the outside world. Raises Killed if the process dies or is dead."""
        if self.dead:
            raise Killed
        self.calls -= 1
        if self.calls > 0:
            return await call()
        self.dead = True
        if self.makes_last:
            await call()
        raise Killed


class MortalRedis(Redis):
    """A client of a process that can be killed before or after any of its round trips."""

    life: Life

    @classmethod
    def living(cls, url: str, life: Life) -> Self:
        """Return a client whose calls count towards `life`."""
        client: Any = cls.from_url(url, decode_responses=True)
        client.life = life
        return cast("Self", client)

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        command: Callable[..., Awaitable[Any]] = super().execute_command
        return await self.life.step(lambda: command(*args, **options))

    def pipeline(self, *args: Any, **options: Any) -> Any:
        pipeline = super().pipeline(*args, **options)
        execute = pipeline.execute

        async def mortal(*how: Any, **more: Any) -> Any:
            return await self.life.step(lambda: execute(*how, **more))

        pipeline.execute = mortal  # type: ignore[method-assign]  # of this one pipeline
        return pipeline


@dataclass
class Post:
    """A post that the board accepted."""

    at: datetime
    channel: ChannelRef
    key: str
    papers: tuple[str, ...]
    card: Card


@dataclass
class Board:
    """A platform that accepts every post, and can look each one up."""

    clock: Clock
    posts: list[Post] = field(default_factory=list)
    edits: list[tuple[str, str, Card]] = field(default_factory=list)
    life: Life = field(default_factory=Life)
    refuses: int = 0
    """Number of posts that it refuses before it accepts again."""
    name = "board"
    rates = Rates()
    on_uncertain = "hold"

    async def run(self, core: Core) -> None: ...

    async def close(self) -> None: ...

    async def send(self, to: ChannelRef, card: Card, key: str) -> MessageRef:
        async def post() -> MessageRef:
            if self.refuses:
                self.refuses -= 1
                raise RetryLater("not now")
            self.posts.append(Post(self.clock.now, to, key, card.posting.papers, card))
            return MessageRef(f"m{len(self.posts)}")

        return await self.life.step(post)

    async def find(self, to: ChannelRef, key: str, since: datetime) -> MessageRef | None:
        for n, post in enumerate(self.posts, 1):
            if (post.channel, post.key) == (to, key) and post.at >= since:
                return MessageRef(f"m{n}")
        return None

    async def edit(self, to: ChannelRef, message: MessageRef, card: Card) -> None:
        self.edits.append((to.channel, message.id, card))

    def counts(self) -> Counter[tuple[str, str]]:
        """Return (channel, paper) -> how often it was posted there."""
        return Counter((post.channel.channel, paper) for post in self.posts for paper in post.papers)


@dataclass
class ThreadedBoard(Board):
    """A board with a thread for each post; only `find_reply` looks into threads."""

    threads: dict[str, str] = field(default_factory=dict)
    """Reply -> the post that it answers."""

    async def reply(self, to: ChannelRef, message: MessageRef, card: Card, key: str) -> MessageRef:
        async def post() -> MessageRef:
            self.posts.append(Post(self.clock.now, to, key, card.posting.papers, card))
            reply = MessageRef(f"m{len(self.posts)}")
            self.threads[reply.id] = message.id
            return reply

        return await self.life.step(post)

    async def find_reply(
        self, to: ChannelRef, message: MessageRef, key: str, since: datetime
    ) -> MessageRef | None:
        found = await super().find(to, key, since)
        return found if found and self.threads.get(found.id) == message.id else None

    async def find(self, to: ChannelRef, key: str, since: datetime) -> MessageRef | None:
        found = await super().find(to, key, since)
        return found if found and found.id not in self.threads else None


def life_fanout(redis: Redis, *, threads: bool = False) -> LifeFanout:
    """Return the fan-out of papers' events, for platforms with threads or without."""
    outbox = Outbox(redis, durable=True)
    return LifeFanout(Watches(redis), outbox, ChannelRules(redis), has_threads=lambda _platform: threads)


class House:
    """One process of the bot: everything from a poll to a post."""

    def __init__(self, redis: Redis, board: Board) -> None:
        self.papers, self.subscriptions = Papers(redis), Subscriptions(redis)
        self.outbox, self.settings = Outbox(redis, durable=True), ChannelSettingsStore(redis)
        self.watches = Watches(redis)
        self.fanout = Fanout(
            PollReader(redis, self.papers, stale=0.0),
            IndexSync(self.subscriptions, Matcher),
            self.outbox,
            self.subscriptions,
            ChannelRules(redis),
            edits=CardUpdateQueue(redis),
            life=life_fanout(redis, threads=isinstance(board, ThreadedBoard)),
        )
        self.deliveries = DeliveryWorker(
            board,  # type: ignore[arg-type]  # `on_uncertain` is a plain str here
            self.outbox,
            self.papers,
            RateLimiter(redis),
            lambda delivery, entries, rules: compose(entries, rules, board.clock.now, delivery.label),
        )

        self.editor = CardUpdater(
            board,  # type: ignore[arg-type]
            CardUpdateQueue(redis),
            self.outbox,
            self.papers,
            self.subscriptions,
            settings=self.settings,
            rates=RateLimiter(redis),
            now=lambda: board.clock.now,
        )

    async def subscribe(self, channel: ChannelRef, every: Every, settings: ChannelSettings) -> None:
        """Subscribe a channel to every paper."""
        await self.settings.put(channel, settings)
        await self.subscriptions.add(channel, "paper", every, "U")

    async def poll(self, *papers: Paper, cursor: str = "c") -> None:
        """Ingest the papers that a source lists, and match them."""
        await self.papers.ingest("test", Batch(papers, cursor), 0)
        await self.fanout.match_all()

    async def deliver(self) -> None:
        """Post what is due."""
        await self.deliveries.deliver_due()


async def until_dead(work: Awaitable[object]) -> bool:
    """Do the work; return whether the process survived it."""
    try:
        await work
    except Killed:
        return False
    finally:
        await asyncio.sleep(0)
    return True
