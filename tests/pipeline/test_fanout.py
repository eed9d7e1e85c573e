"""Each paper reaches the outbox of every channel that wants it once, no matter which process reads the stream."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from bot.domain.deliveries import PlannedDelivery
from bot.domain.models import ChannelRef, ChannelSettings, MessageRef, Paper, Reason, Subscription
from bot.matching import Matcher
from bot.pipeline import fanout as fanning_out
from bot.pipeline.fanout import Fanout
from bot.ports import Batch
from bot.store import keys
from bot.store.card_updates import CardUpdateQueue
from bot.store.channel_rules import ChannelRules, ChannelSettingsStore
from bot.store.index_sync import IndexSync
from bot.store.notifications import Notifications
from bot.store.outbox.outbox import Outbox
from bot.store.papers import Papers
from bot.store.poll_stream import GROUP, PollReader
from bot.store.subscriptions import Subscriptions
from bot.supervisor import cancel
from tests.papers import SPRING, a_channel, a_paper
from tests.scenario import life_fanout
from tests.waiting import until

ALL = tuple(range(keys.SHARDS))
STALE = 0.05
"""Seconds after which the polls of a reader can be taken over."""


@dataclass
class Room:
    """Everything between a poll and the outbox."""

    redis: Redis
    papers: Papers
    subscriptions: Subscriptions
    outbox: Outbox
    fanout: Fanout

    async def poll(self, *papers: Paper) -> None:
        await self.papers.ingest("hf", Batch(papers=papers, cursor="c"), 0)


def a_room(redis: Redis, **more: Any) -> Room:
    papers, subscriptions = Papers(redis), Subscriptions(redis)
    outbox = Outbox(redis, durable=True)
    follower = IndexSync(subscriptions, Matcher)
    fanout = Fanout(
        PollReader(redis, papers, stale=STALE),
        follower,
        outbox,
        subscriptions,
        ChannelRules(redis),
        edits=CardUpdateQueue(redis),
        life=life_fanout(redis),
        **more,
    )
    return Room(redis, papers, subscriptions, outbox, fanout)


@pytest.fixture
def room(redis: Redis) -> Room:
    return a_room(redis)


async def open_papers(room: Room) -> dict[str, set[str]]:
    """Return channel -> waiting papers."""
    found: dict[str, set[str]] = {}
    async for key in room.redis.scan_iter("pb:*:open:*"):
        channel = ChannelRef.parse(key.split("}:open:")[1])
        found[channel.channel] = {str(paper) for paper in await room.redis.hkeys(key)}
    return found


async def test_a_paper_goes_to_the_channels_that_want_it_with_every_reason(room: Room) -> None:
    await room.subscriptions.add(a_channel("C1"), "diffusion", "now", "U")
    await room.subscriptions.add(a_channel("C1"), "robots", "now", "U")
    await room.subscriptions.add(a_channel("C2"), "compilers", "now", "U")
    await room.poll(a_paper("p1", title="Diffusion for robots"), a_paper("p2", title="Nothing of it"))
    assert await room.fanout.match_all() == 1
    claims = await room.outbox.claim("fake", 10, ALL, token="t")
    [delivery] = claims.deliveries
    assert delivery.channel == a_channel("C1")
    assert delivery.papers == (("p1", (Reason(1, "diffusion"), Reason(2, "robots"))),)
    assert await room.fanout.match_all() == 0


async def test_a_subscription_applies_to_new_papers_only(room: Room) -> None:
    await room.poll(a_paper("p1", title="Diffusion"))
    await room.fanout.match_all()
    await room.subscriptions.add(a_channel("C1"), "diffusion", "now", "U")
    await room.poll(a_paper("p2", title="Diffusion"))
    await room.fanout.match_all()
    assert await open_papers(room) == {"C1": {"p2"}}


async def test_a_young_paper_is_enqueued_when_it_first_qualifies(room: Room) -> None:
    await room.subscriptions.add(a_channel("C1"), "diffusion min:30", "now", "U")
    await room.poll(a_paper("p1", title="Diffusion", upvotes=3))
    assert await room.fanout.match_all() == 0
    await room.poll(a_paper("p1", title="Diffusion", upvotes=31))
    assert await room.fanout.match_all() == 1
    await room.poll(a_paper("p1", title="Diffusion", upvotes=50))
    assert await room.fanout.match_all() == 0


async def test_a_paper_that_once_qualified_is_enqueued_even_if_the_reader_is_late(room: Room) -> None:
    await room.subscriptions.add(a_channel("C1"), "diffusion min:30", "now", "U")
    for upvotes in (3, 31, 5):
        await room.poll(a_paper("p1", title="Diffusion", upvotes=upvotes))
    assert await room.fanout.match_all() == 1


async def test_readers_share_the_papers(redis: Redis) -> None:
    rooms = [a_room(redis) for _ in range(3)]
    await rooms[0].subscriptions.add(a_channel("C1"), "diffusion", "now", "U")
    await rooms[0].poll(*(a_paper(f"p{n}", title="Diffusion") for n in range(60)))
    matched = await asyncio.gather(*(room.fanout.match_all() for room in rooms))
    assert sum(matched) == 60
    assert await open_papers(rooms[0]) == {"C1": {f"p{n}" for n in range(60)}}
    assert await redis.xlen(keys.PAPERS) == 0


async def all_readers_count_as_dead(redis: Redis) -> bool:
    """Whether all polls of readers can be taken over, according to the server's clock."""
    held: Any = await redis.xpending_range(keys.PAPERS, GROUP, "-", "+", count=100)
    return all(one["time_since_delivered"] > 1000 * STALE for one in held)


async def test_a_reader_that_dies_is_replaced(redis: Redis, room: Room) -> None:
    await room.subscriptions.add(a_channel("C1"), "diffusion", "now", "U")
    await room.poll(a_paper("p1", title="Diffusion"))
    dead = PollReader(redis, room.papers)
    assert await dead.read()
    await room.poll(a_paper("p2", title="Diffusion"))
    await until(lambda: all_readers_count_as_dead(redis), "the reader to count as dead")
    assert await room.fanout.match_all() == 2
    await dead.leave()
    await room.fanout.stop()


async def test_matching_waits_while_too_many_deliveries_are_open(redis: Redis) -> None:
    room = a_room(redis, max_open=2)
    for n in range(3):
        await room.subscriptions.add(a_channel(f"C{n}"), "diffusion", "now", "U")
    await room.poll(a_paper("p1", title="Diffusion"))
    assert await room.fanout.match_all() == 3
    await room.poll(a_paper("p2", title="Diffusion"))
    assert await room.fanout.match_all() == 0
    await room.outbox.pause(a_channel("C0"), "archived")
    await room.outbox.pause(a_channel("C1"), "archived")
    assert await room.fanout.match_all() == 3


async def test_matching_resumes_automatically_when_there_is_room(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fanning_out, "FULL_PAUSE", 0.01)
    room = a_room(redis, max_open=1)
    await ChannelSettingsStore(room.redis).put(a_channel("C1"), ChannelSettings(digest_size=20))
    await room.subscriptions.add(a_channel("C1"), "diffusion", "now", "U")
    for n in range(20):
        await room.poll(a_paper(f"p{n}", title="Diffusion"))
    matching = asyncio.create_task(room.fanout.run(Notifications(redis)))
    posted = 0
    async with asyncio.timeout(20):
        while posted < 20:
            claims = await room.outbox.claim("fake", 10, ALL, token=uuid4().hex)
            for delivery in claims.deliveries:
                await room.outbox.done(delivery, MessageRef("m"))
                posted += 1
    await cancel({matching})


async def test_a_digest_gathers_the_papers_of_its_day(room: Room) -> None:
    await room.subscriptions.add(a_channel("C1"), "diffusion", "daily", "U")
    in_half_a_day = ((await room.outbox.now()).hour + 12) % 24
    await ChannelSettingsStore(room.redis).put(a_channel("C1"), ChannelSettings(hour=in_half_a_day))
    await room.poll(*(a_paper(f"p{n}", title="Diffusion") for n in range(3)))
    assert await room.fanout.match_all() == 3
    claims = await room.outbox.claim("fake", 10, ALL, token="t")
    assert claims.deliveries == ()
    assert await open_papers(room) == {"C1": {"p0", "p1", "p2"}}


async def messages(room: Room) -> dict[str, set[str]]:
    """Return delivery -> papers, for all waiting deliveries."""
    found: dict[str, set[str]] = {}
    async for key in room.redis.scan_iter("pb:*:open:*"):
        held: dict[Any, Any] = await room.redis.hgetall(key)
        for paper, delivery in held.items():
            found.setdefault(delivery.partition("/")[2], set()).add(paper)
    return found


def diffusion(*numbers: int) -> list[Paper]:
    return [a_paper(f"p{n}", title="Diffusion") for n in numbers]


async def test_more_than_five_of_one_poll_are_one_message(room: Room) -> None:
    await room.subscriptions.add(a_channel("C1"), "diffusion", "now", "U")
    await room.poll(*diffusion(*range(5)))
    await room.poll(*diffusion(*range(5, 205)))
    assert await room.fanout.match_all() == 205
    found = await messages(room)
    assert {name for name, papers in found.items() if len(papers) == 1} == {f"p{n}" for n in range(5)}
    [flood] = [papers for papers in found.values() if len(papers) > 1]
    assert flood == {f"p{n}" for n in range(5, 205)}


async def test_the_digest_threshold_is_a_setting(room: Room) -> None:
    await room.subscriptions.add(a_channel("C1"), "diffusion", "now", "U")
    await ChannelSettingsStore(room.redis).put(a_channel("C1"), ChannelSettings(digest_size=1))
    await room.poll(*diffusion(1, 2))
    await room.fanout.match_all()
    assert list((await messages(room)).values()) == [{"p1", "p2"}]


async def test_only_papers_new_to_the_channel_count_towards_the_threshold(room: Room) -> None:
    await ChannelSettingsStore(room.redis).put(a_channel("C1"), ChannelSettings(digest_size=8))
    await room.subscriptions.add(a_channel("C1"), "diffusion", "now", "U")
    await room.poll(*diffusion(1, 2, 3))
    await room.fanout.match_all()
    await room.subscriptions.add(a_channel("C1"), "robots", "now", "U")
    await room.poll(*(a_paper(f"p{n}", title="Diffusion for robots") for n in range(1, 9)))
    assert await room.fanout.match_all() == 5
    assert len(await messages(room)) == 8


async def test_a_reader_that_dies_between_two_calls_splits_no_message(
    redis: Redis, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fanning_out, "CHANNELS_AT_ONCE", 1)
    for n in range(4):
        await room.subscriptions.add(a_channel(f"C{n}"), "diffusion", "now", "U")
    await room.poll(*diffusion(*range(8)))
    for calls in range(4):
        dying = a_room(redis)
        dying.fanout._outbox = Dying(redis, after=calls)
        with pytest.raises(ConnectionError):
            await dying.fanout.match_all()
        await until(lambda: all_readers_count_as_dead(redis), "the reader to count as dead")
    assert await room.fanout.match_all() == 8
    assert await open_papers(room) == {f"C{n}": {f"p{n}" for n in range(8)} for n in range(4)}
    assert len(await messages(room)) == 1, "all deliveries have the same name"


class Dying(Outbox):
    """An outbox that accepts `after` calls, and then fails."""

    def __init__(self, redis: Redis, after: int) -> None:
        super().__init__(redis, durable=True)
        self._left = after

    async def enqueue(self, planned: Iterable[PlannedDelivery]) -> int:
        added = await super().enqueue(planned) if self._left else 0
        if self._left == 0:
            raise ConnectionError
        self._left -= 1
        return added


async def test_papers_with_many_matches_are_planned_in_parts(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fanning_out, "MATCHES_AT_ONCE", 7)
    for n in range(9):
        await room.subscriptions.add(a_channel(f"C{n}"), "diffusion", "now", "U")
    await room.poll(*diffusion(*range(6)))
    assert await room.fanout.match_all() == 54
    assert {len(papers) for papers in (await open_papers(room)).values()} == {6}
    assert len(await messages(room)) == 1


async def test_replayed_papers_reach_only_the_channels_that_were_subscribed_then(room: Room) -> None:
    await room.subscriptions.add(a_channel("C1"), "diffusion", "now", "U")
    await room.poll(a_paper("p1", title="Diffusion"), a_paper("p2", title="Diffusion"))
    await room.fanout.match_all()
    claims = await room.outbox.claim("fake", 10, ALL, token="t")
    [delivery] = claims.deliveries
    await room.subscriptions.add(a_channel("C2"), "diffusion", "now", "U")
    lost = keys.shard(keys.shard_of(a_channel("C1")))
    async for key in room.redis.scan_iter(f"{lost}*{'p2' if 'p1' in delivery.key else 'p1'}"):
        await room.redis.delete(key)
    await room.redis.delete(f"{lost}open:{a_channel('C1')}", f"{lost}box:{a_channel('C1')}")
    news = PollReader(room.redis, room.papers)
    assert sorted(await asyncio.gather(news.replay_recent(), news.replay_recent())) == [False, True]
    assert await room.fanout.match_all() == 2
    assert await open_papers(room) == {"C1": {"p1", "p2"}}


def matcher_of_everyone() -> Matcher:
    """Return a matcher with 5,000 channels that all want every paper."""
    matcher = Matcher()
    for n in range(5000):
        channel = a_channel(f"C{n}", f"T{n % 50}")
        matcher.add(Subscription(channel=channel, number=1, query="paper", created_at=SPRING))
    return matcher


async def test_a_paper_with_many_matches_does_not_block_the_event_loop(redis: Redis, room: Room) -> None:
    fanout = Fanout(
        PollReader(redis, room.papers),
        IndexSync(room.subscriptions, matcher_of_everyone),
        room.outbox,
        room.subscriptions,
        ChannelRules(redis),
        edits=CardUpdateQueue(redis),
        life=life_fanout(redis),
    )
    await room.poll(a_paper("p1"))
    turns = 0

    async def take_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.create_task(take_turns())
    assert await fanout.match_all() == 5000
    other.cancel()
    assert turns > 5000 / fanning_out.CHANNELS_PER_YIELD
    assert await room.outbox.open() == 5000
