"""An unreadable record never blocks the delivery of others: it is set aside with a reason."""

import json
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from prometheus_client import REGISTRY
from redis.asyncio import Redis
from structlog.testing import capture_logs

from bot.domain.deliveries import PlannedDelivery
from bot.domain.models import ChannelSettings, Mute, User
from bot.domain.polls import PollResult
from bot.ports import Batch
from bot.store import keys, unreadable
from bot.store.backup.export import facts
from bot.store.backup.import_ import Restore
from bot.store.card_updates import CardUpdate, CardUpdateQueue
from bot.store.channel_rules import ChannelRules, ChannelSettingsStore
from bot.store.outbox.outbox import Outbox
from bot.store.papers import Papers
from bot.store.poll_stream import PollReader
from bot.store.polls import last_polls, record_poll
from bot.store.reactions import Votes
from bot.store.subscriptions import Subscriptions
from bot.store.unreadable import set_aside, unreadable_count, unreadable_records
from tests.papers import SPRING, a_channel, a_paper
from tests.scenario import Board, Clock, House
from tests.store.poison import poison_everything

HEALTHY, SICK = a_channel("C1", platform="board"), a_channel("C2", platform="board")
SHARD = keys.shard_of(SICK)
PAPER = a_paper("p1", title="A new paper")

Poison = Callable[[Redis, House], Awaitable[object]]


async def paper(redis: Redis, house: House) -> None:
    await house.papers.ingest("test", Batch((a_paper("p0", title="A paper"),), "c"), 0)
    await redis.set(keys.paper("p0"), '{"title": 7}')


async def change_of_a_paper(redis: Redis, house: House) -> None:
    await house.papers.remember([a_paper("p0", title="A paper")])
    await redis.xadd(keys.PAPERS, {"news": json.dumps([["p0", "no JSON"]])})


async def delivery(redis: Redis, house: House) -> None:
    await enqueue_papers(house, "p0")
    await redis.hset(keys.delivery(f"{SICK}/p0"), "papers", "no JSON")


async def delivery_without_a_record(redis: Redis, house: House) -> None:
    await enqueue_papers(house, "p0")
    await redis.delete(keys.delivery(f"{SICK}/p0"))


async def enqueue_papers(house: House, paper_id: str) -> None:
    await house.papers.remember([a_paper(paper_id)])
    await house.outbox.enqueue(
        [PlannedDelivery(channel=SICK, papers=((paper_id, ()),), due=0, label=paper_id)]
    )


def stream_entry(redis: Redis, _house: House) -> Awaitable[object]:
    return redis.xadd(keys.PAPERS, {"papers": "of a newer version"})


def subscription(redis: Redis, _house: House) -> Awaitable[object]:
    return redis.hset(keys.subscriptions(SICK), "9", "no JSON")


def subscription_of_a_newer_language(redis: Redis, _house: House) -> Awaitable[object]:
    record = {"query": 'near(3, "a"', "every": "now", "by": "U1", "at": 0}
    return redis.hset(keys.subscriptions(SICK), "9", json.dumps(record))


def channel(redis: Redis, _house: House) -> Awaitable[object]:
    return redis.sadd(keys.channels(SHARD), "no:channel:at:all")


def change_of_subscriptions(redis: Redis, _house: House) -> Awaitable[object]:
    return redis.xadd(keys.changes(SHARD), {"moved": "of a newer version"}, id="99-1")


def settings(redis: Redis, _house: House) -> Awaitable[object]:
    return redis.hset(keys.channel(SICK), "settings", "no JSON")


def mute(redis: Redis, _house: House) -> Awaitable[object]:
    return redis.hset(keys.mutes(SICK), "robots", "no JSON")


def card_update(redis: Redis, _house: House) -> Awaitable[object]:
    return redis.zadd(keys.edits("board"), {"an edit": 0})


def trending(redis: Redis, _house: House) -> Awaitable[object]:
    return redis.set(keys.TRENDING, "7")


def poll_result(redis: Redis, _house: House) -> Awaitable[object]:
    return redis.hset(keys.POLLS, "arxiv", "no JSON")


def vote(redis: Redis, _house: House) -> Awaitable[object]:
    return redis.hset(keys.votes(SICK), "U1 p0", "no JSON")


POISONS: dict[str, tuple[Poison, str | None]] = {
    "paper": (paper, "paper"),
    "change of a paper": (change_of_a_paper, "paper_change"),
    "delivery": (delivery, "delivery"),
    "delivery without a record": (delivery_without_a_record, None),
    "stream entry": (stream_entry, "poll"),
    "subscription": (subscription, "subscription"),
    "query of a newer language": (subscription_of_a_newer_language, "subscription"),
    "channel": (channel, "channel"),
    "change of subscriptions": (change_of_subscriptions, "subscription_change"),
    "settings": (settings, "settings"),
    "mute": (mute, "mute"),
    "card update": (card_update, "card_update"),
    "trending": (trending, "trending"),
    "poll result": (poll_result, "poll_result"),
    "vote": (vote, "vote"),
}


async def read_everything(redis: Redis, house: House) -> None:
    """Read everything that a running bot reads, in all roles."""
    await house.poll(PAPER)
    await house.deliver()
    await house.editor.edit_all()
    _ = [one async for one in house.subscriptions.load()]
    await house.subscriptions.of(SICK)
    await house.outbox.open_deliveries(SICK)
    await house.outbox.status(SICK)
    _ = [one async for one in house.outbox.dead_letters()]
    await ChannelRules(redis).of(SICK)
    await house.papers.trending()
    await last_polls(redis)
    await Votes(redis).of(SICK)


@pytest.mark.parametrize("name", POISONS)
async def test_an_unreadable_record_is_set_aside_and_the_rest_is_delivered(redis: Redis, name: str) -> None:
    poison, kind = POISONS[name]
    board = Board(Clock(redis))
    house = House(redis, board)
    for channel in (HEALTHY, SICK):
        await house.subscribe(channel, "now", ChannelSettings())
    await house.poll(a_paper("p00", title="Something else", abstract=""))
    await poison(redis, house)
    before = REGISTRY.get_sample_value("paperboy_records_set_aside_total", {"kind": kind or ""}) or 0
    with capture_logs() as logs:
        await read_everything(redis, house)
        await read_everything(redis, house)
    assert {post.channel for post in board.posts if "p1" in post.papers} == {HEALTHY, SICK}
    found = {record.kind: record async for record in unreadable_records(redis)}
    reported = [log for log in logs if log["event"] == "record_unreadable"]
    if kind is None:
        assert not found
        return
    assert set(found) == {kind}
    assert found[kind].reason
    assert [log["kind"] for log in reported] == [kind], "it is reported once, however often it is read"
    assert REGISTRY.get_sample_value("paperboy_records_set_aside_total", {"kind": kind}) == before + 1


async def test_a_delivery_that_cannot_be_read_is_a_dead_letter_that_can_be_dropped(redis: Redis) -> None:
    house = House(redis, Board(Clock(redis)))
    await delivery(redis, house)
    await house.deliver()
    [dead] = [one async for one in house.outbox.dead_letters()]
    assert "can't be read" in dead.why
    assert await house.outbox.drop(dead.key)
    await enqueue_papers(house, "p0")
    await house.deliver()
    assert await house.outbox.sent(SICK, "p0")


async def test_an_unreadable_paper_is_rewritten_by_its_source(redis: Redis) -> None:
    house = House(redis, Board(Clock(redis)))
    await paper(redis, house)
    assert await house.papers.get(["p0"]) == {}
    assert await unreadable_count(redis) == 1
    await house.papers.ingest("test", Batch((a_paper("p0"),), "c"), 0)
    assert await house.papers.get(["p0"]) == {"p0": a_paper("p0")}
    assert await unreadable_count(redis) == 0


async def test_a_poll_that_an_older_version_cannot_read_is_matched_after_the_upgrade(redis: Redis) -> None:
    papers = Papers(redis)
    await papers.ingest("test", Batch((PAPER,), "c"), 0)
    entry, fields = await first_poll(redis)
    await redis.delete(keys.PAPERS)
    await set_aside(redis, "poll", entry, fields, ValueError("of a newer version"))
    poll = await PollReader(redis, papers).read()
    assert poll is not None
    assert [change.paper.id for change in poll.news] == ["p1"]
    assert await unreadable_count(redis) == 0


async def test_an_unreadable_subscription_can_be_removed_and_others_added(redis: Redis) -> None:
    subscriptions = Subscriptions(redis)
    await redis.hset(keys.subscriptions(SICK), "9", "no JSON")
    added, created = await subscriptions.add(SICK, "diffusion", "now", "U1")
    assert created
    assert [one.query for one in await subscriptions.of(SICK)] == ["diffusion"]
    assert await subscriptions.change(SICK, 9, query="robots") is None
    assert await subscriptions.remove(SICK, 9)
    assert await redis.hkeys(keys.subscriptions(SICK)) == [str(added.number)]


async def test_the_list_of_unreadable_records_is_bounded(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unreadable, "MAX_RECORDS", 3)
    for n in range(10):
        await set_aside(redis, "paper", f"p{n}", "x" * 1_000_000, ValueError("no"))
    assert await unreadable_count(redis) == 3
    assert [len(record.text) async for record in unreadable_records(redis)] == [unreadable.MAX_TEXT] * 3
    assert await redis.ttl(keys.UNREADABLE) > 0
    counted = REGISTRY.get_sample_value("paperboy_records_set_aside_total", {"kind": "paper"})
    await set_aside(redis, "paper", "p0", "x", ValueError("no"))
    again = REGISTRY.get_sample_value("paperboy_records_set_aside_total", {"kind": "paper"})
    assert again == counted, "a record in the list is counted once"


async def test_fields_that_a_newer_version_added_are_ignored(redis: Redis) -> None:
    """Check every kind of record that two versions share during a rolling upgrade."""
    ref, user = a_channel(), User("U1", "Ada")
    subscriptions, outbox, papers = Subscriptions(redis), Outbox(redis), Papers(redis)
    added, _ = await subscriptions.add(ref, "diffusion", "now", "U1")
    await ChannelSettingsStore(redis).put(ref, ChannelSettings(hour=7))
    await ChannelRules(redis).mute(ref, Mute(text="robots"))
    await papers.ingest("test", Batch((PAPER,), "c"), 0)
    await record_poll(redis, PollResult(source="arxiv", at=SPRING, next_at=SPRING))
    await Votes(redis).put(ref, user, "p1", liked=True, numbers=(1,))
    await outbox.enqueue([PlannedDelivery(channel=ref, papers=(("p1", ()),), due=0, label="p1")])
    await CardUpdateQueue(redis).put("fake", [CardUpdate(ref, "p1", "growth")])
    await add_a_field(redis, keys.subscriptions(ref), "1")
    await add_a_field(redis, keys.channel(ref), "settings")
    await add_a_field(redis, keys.mutes(ref), "robots")
    await add_a_field(redis, keys.POLLS, "arxiv")
    stored = json.loads(str(await redis.get(keys.paper("p1"))))
    await redis.set(keys.paper("p1"), json.dumps(stored | {"venue": "ICLR"}))
    await redis.hset(keys.votes(ref), "U1 p1", "[true, [1], 5]")
    await redis.hset(keys.delivery(f"{ref}/p1"), "priority", "high")
    await redis.hset(keys.delivery(f"{ref}/p1"), "papers", '[["p1", [[1, "diffusion", "", 0.5]], "extra"]]')
    entry, fields = await first_poll(redis)
    await redis.delete(keys.PAPERS)
    await redis.xadd(keys.PAPERS, {**fields, "priority": "high"}, id=entry)

    assert await subscriptions.of(ref) == [added]
    assert await ChannelSettingsStore(redis).of(ref) == ChannelSettings(hour=7)
    assert (await ChannelRules(redis).of(ref)).mutes == (Mute(text="robots"),)
    assert await last_polls(redis) == {"arxiv": PollResult(source="arxiv", at=SPRING, next_at=SPRING)}
    assert await papers.get(["p1"]) == {"p1": PAPER}
    assert [vote.liked for vote in await Votes(redis).of(ref)] == [True]
    claims = await outbox.claim("fake", 10, range(keys.SHARDS), token="t")
    assert [delivery.papers[0][1][0].query for delivery in claims.deliveries] == ["diffusion"]
    poll = await PollReader(redis, papers).read()
    assert poll is not None
    assert [change.paper for change in poll.news] == [PAPER]
    assert await unreadable_count(redis) == 0


async def first_poll(redis: Redis) -> tuple[str, Any]:
    stream: Any = await redis.xrange(keys.PAPERS)
    return stream[0][0], stream[0][1]


async def add_a_field(redis: Redis, key: str, field: str) -> None:
    stored = json.loads(str(await redis.hget(key, field)))
    await redis.hset(key, field, json.dumps(stored | {"added_later": [1, 2]}))


async def test_an_unknown_frequency_counts_as_the_channels(redis: Redis) -> None:
    record = {"query": "diffusion", "every": "monthly", "by": "U1", "at": 0}
    await redis.hset(keys.subscriptions(SICK), "1", json.dumps(record))
    assert [one.every for one in await Subscriptions(redis).of(SICK)] == ["channel"]


async def test_an_export_omits_only_unreadable_records(redis: Redis) -> None:
    house = House(redis, Board(Clock(redis)))
    for channel in (HEALTHY, SICK):
        await house.subscribe(channel, "now", ChannelSettings())
    await house.subscriptions.change(SICK, 1, query="robots")
    await poison_everything(redis, SICK)
    found = Counter([fact.kind async for fact in facts(redis)])
    assert (found["channel"], found["subscription"]) == (2, 2)
    await Restore(redis).write([fact.model_dump_json() async for fact in facts(redis)])
