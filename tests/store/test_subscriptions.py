"""A subscription is stored once, and every process learns of it."""

from datetime import UTC, datetime

import pytest
from redis.asyncio import Redis

from bot.domain.errors import UserError
from bot.domain.models import ChannelRef, Subscription
from bot.store import keys, subscriptions
from bot.store.index_sync import IndexSync
from bot.store.scripts import script
from bot.store.subscriptions import LIMIT, Subscriptions
from tests.papers import a_channel


class Seen:
    """An index that only records subscriptions."""

    def __init__(self) -> None:
        self.all: dict[tuple[ChannelRef, int], Subscription] = {}

    def add(self, subscription: Subscription) -> None:
        assert (subscription.channel, subscription.number) not in self.all, "added twice"
        self.all[subscription.channel, subscription.number] = subscription

    def remove(self, channel: ChannelRef, number: int) -> None:
        self.all.pop((channel, number), None)

    def queries(self) -> list[str]:
        return sorted(subscription.query for subscription in self.all.values())


async def test_a_query_is_stored_once_with_a_number_that_is_never_reused(redis: Redis) -> None:
    subs, here = Subscriptions(redis), a_channel()
    first, created = await subs.add(here, "diffusion", "now", "U1")
    assert created
    assert (first.number, first.query, first.every, first.created_by) == (1, "diffusion", "now", "U1")
    assert abs((datetime.now(UTC) - first.created_at).total_seconds()) < 60
    assert await subs.add(here, "diffusion", "daily", "U2") == (first, False)
    assert await subs.remove(here, 1) == first
    assert await subs.remove(here, 1) is None
    assert (await subs.add(here, "diffusion", "now", "U1"))[0].number == 2
    assert [s.number for s in await subs.of(here)] == [2]
    assert await subs.of(a_channel("other")) == []


async def test_a_channel_has_a_limit(redis: Redis) -> None:
    subs = Subscriptions(redis)
    for n in range(LIMIT):
        await subs.add(a_channel(), f"word{n}", "now", "U1")
    with pytest.raises(UserError, match="50 subscriptions"):
        await subs.add(a_channel(), "one more", "now", "U1")
    assert (await subs.add(a_channel(), "word7", "now", "U1"))[1] is False
    await subs.add(a_channel("elsewhere"), "one more", "now", "U1")


async def test_a_repeated_script_gives_the_same_answer(redis: Redis) -> None:
    here = a_channel()
    shard = keys.shard_of(here)
    at = [keys.subscriptions(here), keys.channel(here), keys.channels(shard), keys.changes(shard)]
    source = script("changes", "subscribe").source
    args: list[str | int] = [str(here), "diffusion", "now", "U1", 50, 100, "token", "diffusion"]
    once = await redis.eval(source, 4, *at, *args)
    assert await redis.eval(source, 4, *at, *args) == once
    assert await redis.xlen(keys.changes(shard)) == 1

    unsubscribe_keys, source = [at[0], at[1], at[3]], script("changes", "unsubscribe").source
    once = await redis.eval(source, 3, *unsubscribe_keys, str(here), 1, 100, "token2")
    assert once
    assert await redis.eval(source, 3, *unsubscribe_keys, str(here), 1, 100, "token2") == once
    assert await redis.eval(source, 3, *unsubscribe_keys, str(here), 1, 100, "token3") is None


async def test_an_index_has_a_subscription_once_any_process_has_confirmed_it(redis: Redis) -> None:
    local, remote = Subscriptions(redis), Subscriptions(redis)
    await local.add(a_channel("C1"), "before", "now", "U1")
    follower = IndexSync(remote, Seen)
    assert (await follower.up_to_date()).queries() == ["before"]
    for n in range(20):
        await local.add(a_channel(f"C{n}"), f"q{n}", "now", "U1")
    await local.remove(a_channel("C1"), 1)
    index = await follower.up_to_date()
    assert index.queries() == sorted(f"q{n}" for n in range(20))
    assert await follower.up_to_date() is index


async def test_a_trimmed_stream_leads_to_a_reload(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "MAX_CHANGES", 10)
    subs, here = Subscriptions(redis), a_channel()
    follower = IndexSync(subs, Seen)
    await follower.up_to_date()
    for n in range(300):
        await subs.add(here, f"q{n}", "now", "U1")
        if n < 299:
            await subs.remove(here, n + 1)
    await redis.xtrim(keys.changes(keys.shard_of(here)), maxlen=5, approximate=False)
    assert (await follower.up_to_date()).queries() == ["q299"]


async def test_a_server_that_lost_its_data_leads_to_a_reload(redis: Redis) -> None:
    subs, here = Subscriptions(redis), a_channel()
    follower = IndexSync(subs, Seen)
    await subs.add(here, "old", "now", "U1")
    assert (await follower.up_to_date()).queries() == ["old"]
    await redis.flushall()
    await subs.add(here, "new", "now", "U1")
    assert (await follower.up_to_date()).queries() == ["new"]


async def test_all_shards_are_loaded(redis: Redis) -> None:
    subs = Subscriptions(redis)
    for n in range(40):
        await subs.add(a_channel(f"C{n}"), "same", "now", "U1")
    loaded = [s async for s in subs.load()]
    assert {s.channel.channel for s in loaded} == {f"C{n}" for n in range(40)}
    assert len({keys.shard_of(s.channel) for s in loaded}) > 8
