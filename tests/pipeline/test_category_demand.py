"""Categories are followed while subscriptions need them, and for another month."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from redis.asyncio import Redis

from bot.pipeline.category_demand import KEEP, FollowedSources
from bot.pipeline.poller import Poller
from bot.ports import Batch
from bot.store.followed_categories import FollowedCategories
from bot.store.lease import Lease
from bot.store.papers import Papers
from bot.store.polls import last_polls
from bot.store.subscriptions import Subscriptions
from tests.papers import a_channel
from tests.sources.on_demand import a_biorxiv, an_arxiv
from tests.waiting import until

START = datetime(2026, 5, 20, 15, tzinfo=UTC)
ARXIV = ["arxiv:math.AG", "arxiv:math.AG:oai"]


class World:
    """Subscriptions, and the sources that they require."""

    def __init__(self, redis: Redis, limit: int = 150) -> None:
        self.at = START
        self.redis = redis
        self.subscriptions = Subscriptions(redis)
        self.sources = FollowedSources(
            (an_arxiv(self.now, limit=limit), a_biorxiv()),
            FollowedCategories(redis),
            self.subscriptions,
            self.now,
        )

    def now(self) -> datetime:
        return self.at

    async def subscribe(self, query: str) -> int:
        subscription, _ = await self.subscriptions.add(a_channel(), query, "now", "U1")
        return subscription.number

    async def names(self) -> list[str]:
        return [source.name for source in await self.sources()]


async def test_a_category_is_read_from_the_next_check_on(redis: Redis) -> None:
    world = World(redis)
    assert await world.names() == []
    await world.subscribe("cat:math.AG sheaves")
    assert await world.names() == ARXIV


async def test_categories_that_are_read_anyway_or_excluded_are_not_followed(redis: Redis) -> None:
    world = World(redis)
    for query in ("cat:cs.AI", "robots -cat:math.AG", "cat:nonsense", '"cat: math.NT"'):
        await world.subscribe(query)
    assert await world.names() == []


async def test_a_category_is_dropped_a_month_after_the_last_subscription(redis: Redis) -> None:
    world = World(redis)
    number = await world.subscribe("cat:math.AG")
    first = await world.sources()
    world.at += 3 * KEEP
    assert await world.sources() == first
    await world.subscriptions.remove(a_channel(), number)
    world.at += KEEP - timedelta(days=2)
    assert await world.sources() == first
    world.at += timedelta(days=4)
    assert await world.names() == []


async def test_an_archive_covers_its_categories(redis: Redis) -> None:
    world = World(redis)
    for query in ("cat:math.AG", "cat:math.*", "cat:cs.NA", "cat:astro-ph"):
        await world.subscribe(query)
    assert await world.names() == ["arxiv:astro-ph", "arxiv:astro-ph:oai", "arxiv:math", "arxiv:math:oai"]


async def test_categories_of_biorxiv_share_a_source(redis: Redis) -> None:
    world = World(redis)
    for query in ("cat:neuroscience", 'cat:"cancer biology"'):
        await world.subscribe(query)
    assert await world.names() == ["biorxiv:on-demand"]


async def test_the_number_of_followed_categories_is_limited(redis: Redis) -> None:
    world = World(redis, limit=1)
    for query in ("cat:math.AG", "cat:math.NT"):
        await world.subscribe(query)
    assert await world.names() == ARXIV
    none = World(redis, limit=0)
    assert await none.names() == []


async def test_a_category_that_is_followed_again_starts_without_its_cursor(redis: Redis) -> None:
    world = World(redis)
    number = await world.subscribe("cat:math.AG")
    await world.sources()
    await Papers(redis).ingest("arxiv:math.AG", Batch((), "old"), 0)
    await world.subscriptions.remove(a_channel(), number)
    await world.sources()
    world.at += 2 * KEEP
    assert await world.names() == []
    await world.subscribe("cat:math.AG")
    assert await world.names() == ARXIV
    assert await Papers(redis).cursor("arxiv:math.AG") is None


@pytest.mark.timeout(30)
async def test_the_poller_starts_and_stops_the_sources_of_categories(redis: Redis) -> None:
    world = World(redis)
    sleeps: asyncio.Queue[asyncio.Event] = asyncio.Queue()

    async def sleep(seconds: float) -> None:
        if seconds != 7.0:
            await asyncio.Event().wait()
        woken = asyncio.Event()
        await sleeps.put(woken)
        await woken.wait()

    poller = Poller(
        (),
        Papers(redis),
        Lease(redis),
        redis,
        now=world.now,
        sleep=sleep,
        on_demand=world.sources,
        follow_every=7.0,
    )

    async def both_polled() -> bool:
        return len(await last_polls(redis)) == 2

    running = asyncio.create_task(poller.run())
    wake = await sleeps.get()
    number = await world.subscribe("cat:math.AG")
    wake.set()
    wake = await sleeps.get()
    await until(both_polled, "the polls")
    assert sorted(await last_polls(redis)) == ARXIV
    await world.subscriptions.remove(a_channel(), number)
    world.at += 2 * KEEP
    wake.set()
    await sleeps.get()
    assert await last_polls(redis) == {}
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
