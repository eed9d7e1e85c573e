"""When a platform changes a channel's id, all its stored data is moved, even if processes are killed."""

import json
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from redis.asyncio import Redis

from bot.cards import Card
from bot.domain.deliveries import PlannedDelivery
from bot.domain.life import IMPORTANT, Watch
from bot.domain.models import ChannelRef, ChannelSettings, MessageRef, Mute, Reason
from bot.pipeline import delivery as delivering
from bot.ports import Batch
from bot.store import keys
from bot.store.backup import move_channel
from bot.store.backup.move_channel import FOLLOW, ChannelMoves
from bot.store.channel_rules import ChannelRules, ChannelSettingsStore
from bot.store.outbox.outbox import Outbox
from bot.store.reactions import Annotation, PaperList, ReadingLists
from bot.store.subscriptions import Subscriptions
from bot.store.tokens import Grant, Kind, Tokens
from bot.store.watches import Watches
from tests.papers import a_paper
from tests.scenario import Board, Clock, House, Life, MortalRedis, Post, set_clock, until_dead

OLD, NEW = ChannelRef("slack", "T1", "G0OLD"), ChannelRef("slack", "T1", "C0NEW")


async def fill_channel(redis: Redis) -> None:
    """Store two subscriptions, one of them changed, settings, a mute, and a posted paper."""
    subscriptions = Subscriptions(redis)
    await subscriptions.add(OLD, "diffusion", "now", "U1 ada")
    await subscriptions.add(OLD, "robots", "weekly", "U2 ben")
    await subscriptions.change(OLD, 2, query="robots OR drones")
    await ChannelSettingsStore(redis).put(OLD, ChannelSettings(zone="Europe/Berlin"))
    await ChannelRules(redis).mute(OLD, Mute(text="survey", created_by="U1 ada"))
    await Watches(redis).put(OLD, "2603.00001", Watch(IMPORTANT, "U1 ada", datetime.now(UTC)))
    period = int(datetime.now(UTC).timestamp()) // keys.PERIOD
    text = f"{int(datetime.now(UTC).timestamp() * 1000)} 12.5 https://lab.slack.com/archives/G0OLD/p125"
    await redis.hset(keys.sent(OLD, period), "2603.00001", text)


async def stored(redis: Redis, channel: ChannelRef) -> dict[str, object]:
    """Return everything stored for a channel."""
    sent = await Outbox(redis).sent(channel, "2603.00001")
    return {
        "subscriptions": [(s.number, s.query, s.was) for s in await Subscriptions(redis).of(channel)],
        "settings": (await ChannelSettingsStore(redis).of(channel)).zone,
        "mutes": [mute.text for mute in (await ChannelRules(redis).of(channel)).mutes],
        "watched": list(await Watches(redis).of(channel)),
        "sent": sent.message if sent else None,
    }


SUBSCRIPTIONS = [(1, "diffusion", ""), (2, "robots OR drones", "robots")]
MOVED: dict[str, object] = {
    "subscriptions": SUBSCRIPTIONS,
    "settings": "Europe/Berlin",
    "mutes": ["survey"],
    "watched": ["2603.00001"],
    "sent": MessageRef("12.5", "https://lab.slack.com/archives/C0NEW/p125"),
}
NOTHING: dict[str, object] = {
    "subscriptions": [],
    "settings": "UTC",
    "mutes": [],
    "watched": [],
    "sent": None,
}


async def move(redis: Redis, old: ChannelRef = OLD, new: ChannelRef = NEW) -> None:
    """Move a channel completely."""
    await ChannelMoves(redis).move(old, new)
    await end_move(redis)


async def end_move(redis: Redis) -> None:
    """End the period in which data that still arrives under the old id is moved."""
    moves = await redis.hgetall(keys.MOVES)
    for old, text in moves.items():
        values = json.loads(text)
        values["at"] -= FOLLOW.total_seconds() * 1000
        await redis.hset(keys.MOVES, old, json.dumps(values))
    await ChannelMoves(redis).resume()


async def test_everything_is_moved_and_the_old_id_forgotten(redis: Redis) -> None:
    await fill_channel(redis)
    await move(redis)
    assert await stored(redis, NEW) == MOVED
    assert await stored(redis, OLD) == NOTHING
    assert not [key async for key in redis.scan_iter("*G0OLD*")]
    assert not await redis.exists(keys.MOVES)


async def test_moving_twice_changes_nothing(redis: Redis) -> None:
    await fill_channel(redis)
    for _ in range(2):
        await move(redis)
    await ChannelMoves(redis).move(NEW, NEW)
    assert await stored(redis, NEW) == MOVED


async def test_a_move_of_a_channel_that_never_subscribed_stores_nothing(redis: Redis) -> None:
    await ChannelMoves(redis).move(OLD, NEW)
    assert not await redis.keys("*")


async def test_a_channel_can_move_back(redis: Redis) -> None:
    await fill_channel(redis)
    await ChannelMoves(redis).move(OLD, NEW)
    await ChannelMoves(redis).move(NEW, OLD)
    await end_move(redis)
    assert await stored(redis, OLD) == MOVED | {
        "sent": MessageRef("12.5", "https://lab.slack.com/archives/G0OLD/p125")
    }
    assert (await Outbox(redis).status(OLD)).pause is None
    assert not [key async for key in redis.scan_iter("*C0NEW*")]


async def test_changes_made_during_the_move_are_kept(redis: Redis) -> None:
    await fill_channel(redis)
    await ChannelMoves(redis).move(OLD, NEW)
    await Subscriptions(redis).remove(NEW, 1)
    await Subscriptions(redis).add(NEW, "speech", "now", "U3 eve")
    await end_move(redis)
    found = await stored(redis, NEW)
    assert found == MOVED | {"subscriptions": [SUBSCRIPTIONS[1], (3, "speech", "")]}


HERE, THERE = ChannelRef("board", "T", "old"), ChannelRef("board", "T", "new")
BEGIN = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
BUDGET = 3


@dataclass
class Renaming(Board):
    """A platform on which a channel keeps its posts when its id changes, as on Slack."""

    async def find(self, to: ChannelRef, key: str, since: datetime) -> MessageRef | None:  # noqa: ARG002  # as Platform
        for n, post in enumerate(self.posts, 1):
            if post.key.partition("/")[2] == key.partition("/")[2] and post.at >= since:
                return MessageRef(f"m{n}")
        return None


@pytest.mark.timeout(300)
@pytest.mark.parametrize("makes_last", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("posts", ["posting", "idle"])
async def test_a_move_survives_a_kill_at_every_call(
    valkey: str, redis: Redis, monkeypatch: pytest.MonkeyPatch, *, makes_last: bool, posts: str
) -> None:
    """After a kill at any call, the move continues at the next start; nothing is lost or posted twice."""
    steps, finished = 0, False
    while not finished:
        steps += 1
        await redis.flushall()
        monkeypatch.setattr(delivering, "MAX_WAIT", 0.0)
        monkeypatch.setattr(move_channel, "SEND_WAIT", move_channel.SEND_CHECK)
        clock = set_clock(monkeypatch, redis)
        await clock.set(BEGIN)
        board = Renaming(clock)
        secrets = await create_channel(redis, board, posting=posts == "posting")
        finished = await move_until_killed(valkey, steps, makes_last=makes_last)
        if not finished:  # a poll was matched with the subscriptions before the move
            await Outbox(redis).enqueue([planned(HERE, "p2", clock)])
        await ChannelMoves(redis, sleep=no_wait).resume()
        await Outbox(redis).enqueue([planned(HERE, "p3", clock)])
        house = House(redis, board)
        await house.poll(a_paper("p4"), cursor="c4")
        await clock.set(clock.now + timedelta(minutes=2))  # leases have expired
        await house.deliver()
        await ChannelMoves(redis, sleep=no_wait).move(HERE, THERE)  # the platform sends the event again
        await clock.set(clock.now + FOLLOW)
        await ChannelMoves(redis, sleep=no_wait).resume()
        assert len([*board.counts().elements()]) <= BUDGET, f"no more than a day's budget, killed at {steps}"
        await clock.set(clock.now + timedelta(days=1))
        await house.deliver()
        everything = {f"p{n}" for n in range(5)} - ({"p2"} if finished else set())
        assert Counter(paper for _, paper in board.counts().elements()) == dict.fromkeys(everything, 1), steps
        assert await channel_data(redis, THERE, secrets) == CHANNEL_DATA, steps
        left = [key async for key in redis.scan_iter(f"*{HERE}*")]
        assert not left, steps
        assert not await redis.exists(keys.MOVES)
        monkeypatch.undo()
    assert steps > 30


async def create_channel(redis: Redis, board: Board, *, posting: bool) -> list[str]:
    """Create a channel with every kind of data. With `posting`, a worker died right after a post."""
    house, outbox = House(redis, board), Outbox(redis)
    await house.subscribe(HERE, "now", ChannelSettings(zone="Europe/Berlin", most=BUDGET))
    await ChannelRules(redis).mute(HERE, Mute(text="survey", created_by="U1 ada"))
    await Watches(redis).put(HERE, "p0", Watch(IMPORTANT, "U1 ada", BEGIN))
    await ReadingLists(redis).add(PaperList(HERE, shared=True), "p0", Annotation(note="read it"))
    tokens = Tokens(redis)
    kinds: tuple[Kind, ...] = ("feed", "api")
    secrets = [await tokens.make(Grant(channel=HERE, kind=kind, at=BEGIN)) for kind in kinds]
    await house.poll(a_paper("p0"))
    await house.deliver()
    await house.papers.ingest("test", Batch((), "c1", history=tuple(map(a_paper, ("p1", "p2", "p3")))), 0)
    await outbox.enqueue([planned(HERE, "p1", board.clock)])
    if posting:
        [delivery] = (await outbox.claim("board", 9, range(keys.SHARDS), token="dead")).deliveries
        assert await outbox.begin(delivery)
        board.posts.append(Post(board.clock.now, HERE, delivery.key, ("p1",), Card("paper", "p1")))
    return secrets


async def no_wait(_seconds: float) -> None:
    """Return at once: the awaited event never comes."""


def planned(channel: ChannelRef, paper_id: str, clock: Clock) -> PlannedDelivery:
    """Return a delivery of a paper that is due now."""
    due = round(clock.now.timestamp() * 1000)
    return PlannedDelivery(
        channel=channel, papers=((paper_id, (Reason(1, "paper"),)),), due=due, label=paper_id
    )


async def move_until_killed(valkey: str, steps: int, *, makes_last: bool) -> bool:
    """Start a move that is killed at its `steps`th call. Returns whether it finished before that."""
    life = Life(steps, makes_last=makes_last)
    mortal = MortalRedis.living(valkey, life)
    try:
        return await until_dead(ChannelMoves(mortal, sleep=no_wait).move(HERE, THERE))
    finally:
        await mortal.aclose()


CHANNEL_DATA: dict[str, object] = {
    "subscriptions": ["paper"],
    "settings": ("Europe/Berlin", BUDGET),
    "mutes": ["survey"],
    "watched": ["p0"],
    "list": {"p0": "read it"},
    "tokens": [THERE, THERE],
    "paused": "",
}


async def channel_data(redis: Redis, channel: ChannelRef, secrets: list[str]) -> dict[str, object]:
    """Return everything that a channel has, except posts."""
    settings = await ChannelSettingsStore(redis).of(channel)
    grants = [await Tokens(redis).find(secret) for secret in secrets]
    listed = await ReadingLists(redis).annotations(PaperList(channel, shared=True))
    return {
        "subscriptions": [one.query for one in await Subscriptions(redis).of(channel)],
        "settings": (settings.zone, settings.most),
        "mutes": [mute.text for mute in (await ChannelRules(redis).of(channel)).mutes],
        "watched": list(await Watches(redis).of(channel)),
        "list": {paper_id: one.note for paper_id, one in listed.items()},
        "tokens": [grant.channel if grant else None for grant in grants],
        "paused": (await Outbox(redis).status(channel)).paused,
    }
