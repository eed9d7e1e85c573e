"""Copies of a channel's posts are stored with their channel, and share its fate."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from bot.domain.deliveries import PlannedDelivery
from bot.domain.errors import UserError
from bot.domain.models import ChannelRef, MessageRef, Reason
from bot.store import keys
from bot.store.backup.export import facts
from bot.store.backup.import_ import Restore, one_channel
from bot.store.backup.move_channel import FOLLOW, ChannelMoves
from bot.store.copies import MAX_COPIES, Copies, Copy, _with_name
from bot.store.data_deletion import DataDeletion
from bot.store.outbox.outbox import Outbox
from bot.store.subscriptions import Subscriptions
from tests.papers import a_channel
from tests.scenario import set_clock

AT = datetime(2026, 3, 3, tzinfo=UTC)


def a_copy(sealed: str = "sealed") -> Copy:
    return Copy(to=ChannelRef("hook", "hooks.example.org", ""), by="U1 Ada", at=AT, sealed=sealed)


async def post(outbox: Outbox, channel: ChannelRef, *papers: str) -> None:
    """Post a message, and confirm it."""
    wanted = tuple((paper, (Reason(1, "cats"),)) for paper in papers)
    await outbox.enqueue([PlannedDelivery(channel=channel, papers=wanted, due=0, label=papers[0])])
    shard = keys.shard_of(channel)
    claims = await outbox.claim(channel.platform, 9, [shard], token=f"claim {papers}")
    for delivery in claims.deliveries:
        await outbox.begin(delivery)
        await outbox.done(delivery, MessageRef("m1"), papers)


@given(st.text(min_size=1, max_size=30), st.text(max_size=30))
def test_a_copy_is_in_the_shard_of_its_channel(workspace: str, channel: str) -> None:
    original = ChannelRef("fake", workspace, channel)
    assert keys.shard_of(_with_name(a_copy(), original).to) == keys.shard_of(original)


async def test_a_confirmed_post_is_enqueued_for_each_copy_once(redis: Redis) -> None:
    channel, copies, outbox = a_channel(), Copies(redis), Outbox(redis, durable=True)
    first, second = await copies.add(channel, a_copy("one")), await copies.add(channel, a_copy("two"))
    await post(outbox, channel, "p1", "p2")
    for copy in (first, second):
        (waiting,) = await outbox.open_deliveries(copy.to)
        assert waiting.label == "p1"
        assert waiting.papers == (("p1", (Reason(1, "cats"),)), ("p2", (Reason(1, "cats"),)))
    (claimed, *_) = (await outbox.claim("hook", 9, [keys.shard_of(channel)], token="t")).deliveries
    assert claimed.copy_of == channel


async def test_numbers_are_stable_and_there_is_a_limit(redis: Redis) -> None:
    channel, copies = a_channel(), Copies(redis)
    added = [await copies.add(channel, a_copy(str(n))) for n in range(MAX_COPIES)]
    assert [copy.number for copy in added] == list(range(1, MAX_COPIES + 1))
    with pytest.raises(UserError, match="the most"):
        await copies.add(channel, a_copy("one more"))
    await copies.remove(channel, added[2])
    assert [copy.number for copy in await copies.of(channel)] == [1, 2, *range(4, MAX_COPIES + 1)]
    assert await copies.find(added[2].to) is None
    assert await copies.find(added[3].to) == (channel, added[3])


async def test_a_moved_channel_keeps_its_copies_and_their_deliveries(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = set_clock(monkeypatch, redis)
    await clock.set(AT)
    old, new, copies, outbox = a_channel("C1"), a_channel("C2"), Copies(redis), Outbox(redis, durable=True)
    await Subscriptions(redis).add(old, "cats", "now", "U1 Ada")
    copy = await copies.add(old, a_copy())
    await post(outbox, old, "p1")
    await ChannelMoves(redis).move(old, new)
    (moved,) = await copies.of(new)
    assert (moved.sealed, moved.number, moved.by) == (copy.sealed, copy.number, copy.by)
    assert moved.to != copy.to
    await post(outbox, new, "p2")
    await clock.set(AT + 2 * FOLLOW)
    await ChannelMoves(redis).resume()
    assert await copies.of(old) == []
    assert await copies.of(new) == [moved]
    waiting = await outbox.open_deliveries(moved.to)
    assert sorted(paper for one in waiting for paper, _ in one.papers) == ["p1", "p2"]
    assert await outbox.open_deliveries(copy.to) == []


async def test_a_backup_contains_copies_and_their_deliveries(redis: Redis) -> None:
    channel, copies, outbox = a_channel(), Copies(redis), Outbox(redis, durable=True)
    await Subscriptions(redis).add(channel, "cats", "now", "U1 Ada")
    copy = await copies.add(channel, a_copy())
    await post(outbox, channel, "p1")
    lines = [fact.model_dump_json() async for fact in facts(redis)]
    one_channel(lines)
    await redis.flushdb()
    for _ in range(2):
        await Restore(redis).write(lines)
    assert await copies.of(channel) == [copy]
    (waiting,) = await outbox.open_deliveries(copy.to)
    assert waiting.label == "p1"
    assert not await redis.sismember(keys.channels(keys.shard_of(copy.to)), str(copy.to))


async def test_a_forgotten_channel_or_person_leaves_no_copies(redis: Redis) -> None:
    channel, copies, outbox = a_channel(), Copies(redis), Outbox(redis, durable=True)
    copy = await copies.add(channel, a_copy())
    await post(outbox, channel, "p1")
    await redis.set(keys.adapter_key("hook", "failing", str(copy.to)), "1")
    await DataDeletion(redis).person("fake", "U1")
    assert [one.by for one in await copies.of(channel)] == [""]
    await DataDeletion(redis).channel(channel)
    left = [key async for key in redis.scan_iter("*") if str(channel) in key or "hook" in key]
    assert [key for key in left if not key.endswith(("due:hook", "workspace:hook:hooks.example.org"))] == []


async def test_a_copy_is_reencrypted_unless_it_was_removed_meanwhile(redis: Redis) -> None:
    channel, copies = a_channel(), Copies(redis)
    await copies.add(channel, a_copy("old"))
    await copies.reseal("other", str.upper)
    await copies.reseal("hook", str.upper)
    assert [copy.sealed for copy in await copies.of(channel)] == ["OLD"]
