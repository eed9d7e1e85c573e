"""Stored data is bounded: 400 days of normal use on a simulated clock, and the size of every kind of key."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
from redis.asyncio import Redis

from bot.domain.life import IMPORTANT, Watch
from bot.domain.models import ChannelRef, ChannelSettings, Every, Mute, User
from bot.domain.polls import PollResult
from bot.pipeline import delivery as delivering
from bot.store import keys, poll_stream
from bot.store.button_payloads import ButtonPayloads
from bot.store.channel_rules import ChannelRules
from bot.store.copies import Copies, Copy
from bot.store.followed_categories import FollowedCategories
from bot.store.polls import record_poll
from bot.store.reactions import MAX_SAVED, Annotation, PaperList, ReadingLists, Votes
from bot.store.tokens import Grant, Kind, Tokens
from tests.papers import a_paper
from tests.scenario import Board, Clock, House, set_clock

BEGIN = datetime(2026, 1, 1, 12, tzinfo=UTC)
DAYS = 400
KEEP = timedelta(days=100)
"""A quarter of the real retention of papers, so that the test reaches its bound."""
PAPERS_A_DAY = 2
EVERY: tuple[Every, ...] = ("now", "daily", "weekly")
PEOPLE = [User(f"U{n}", f"Person {n}") for n in range(3)]

KEPT_PAPERS = PAPERS_A_DAY * (KEEP.days + 2)
SENT = PAPERS_A_DAY * 30 * 5 * len(EVERY)
"""Posts of five months: records of posts expire by whole months."""
BOUNDS = {
    "schema": 0,
    "clock": 0,  # this test's
    "run": 0,
    "open": 16 + PAPERS_A_DAY * 7 * 2,  # a counter per shard, and the papers waiting for a digest
    "cursors": 1,
    "polls": 1,
    "trending": 0,
    "seen": PAPERS_A_DAY * DAYS + 1,  # grows without bound: it defines which papers are new
    "changed": KEPT_PAPERS,
    "paper": 0,
    "papers": 0,  # the stream: matched polls are removed
    "consumers": 2,
    "channels": len(EVERY),
    "channel": 12 * len(EVERY),
    "workspace": 6,
    "subs": 2 * len(EVERY),
    "changes": 10_100 * len(EVERY),  # trimmed to about 10,000 in each shard
    "mutes": 2 * len(EVERY),
    "sent": SENT,
    "posting": len(EVERY),
    "labels": 31 * len(EVERY),
    "budget": PAPERS_A_DAY,
    "fits": 400,  # for the one channel whose budget is used
    "messages": 2 * len(EVERY),
    "votes": 10 * DAYS,  # per channel, for 400 days after its last vote
    "saved": MAX_SAVED * len(PEOPLE),
    "saved_notes": MAX_SAVED * len(PEOPLE),
    "shared": MAX_SAVED * len(EVERY),
    "shared_notes": MAX_SAVED * len(EVERY),
    "zotero": 0,  # one string per person, for 400 days after its last use
    "watches": 500 * len(PEOPLE),  # per person, for 400 days after the last one
    "watchers": DAYS,
    "edited": 2 * PAPERS_A_DAY * 61,
    "kept": 0,
    "due": len(EVERY),
    "lane": len(EVERY),
    "box": 2 * len(EVERY),
    "delivery": 10 * 2 * len(EVERY),
    "paused": len(EVERY),
    "followed": 30,
    "tokens": 2 * len(EVERY),  # until they are revoked; a channel has at most 60
    "token": 0,
    "copies": 2 * len(EVERY),  # until they are removed; a channel has at most 10
    "copy_of": 0,
}
"""Kind of key -> maximum number of elements in all its keys. A kind that is missing here is new: add its bound."""
MOST_KEYS = {
    "paper": KEPT_PAPERS,
    "watches": len(PEOPLE) * len(EVERY),
    "watchers": 400,
    "kept": 91,
    "token": 2 * len(EVERY),
    "copy_of": 2 * len(EVERY),
    "edited": PAPERS_A_DAY * 61,
}
"""Kinds with many keys -> maximum number of keys."""

EXPIRE = """
local ms = tonumber(ARGV[1])
for _, key in ipairs(redis.call('KEYS', '*')) do
  local left = redis.call('PTTL', key)
  if left > 0 then
    redis.call('PEXPIRE', key, math.max(1, left - ms))
    if left <= ms then
      redis.call('DEL', key)
    end
  end
end
"""


def kind_of(key: str) -> str:
    """Return the kind of a key: `sent` for `pb:{s03}:sent:…`."""
    return (key.partition("}:")[2] or key.removeprefix("pb:")).partition(":")[0]


async def elements(redis: Redis, key: str) -> int:
    match await redis.type(key):
        case "hash":
            return int(await redis.hlen(key))
        case "zset":
            return int(await redis.zcard(key))
        case "set":
            return int(await redis.scard(key))
        case "list":
            return int(await redis.llen(key))
        case "stream":
            return int(await redis.xlen(key))
        case _:
            return 0


async def sizes(redis: Redis) -> tuple[Counter[str], Counter[str]]:
    """Return kind -> number of elements in all its keys, and kind -> number of keys."""
    held, number = Counter[str](), Counter[str]()
    async for key in redis.scan_iter("*"):
        held[kind_of(key)] += await elements(redis, key)
        number[kind_of(key)] += 1
    groups: Any = await redis.xinfo_groups(keys.PAPERS)
    held["consumers"] = sum(group["consumers"] for group in groups)
    return held, number


class Use:
    """The actions of people and the bot in a year."""

    def __init__(self, redis: Redis, clock: Clock) -> None:
        self.redis = redis
        self.clock = clock
        self.board = Board(clock)
        self.rng = random.Random(1)
        self.channels: list[ChannelRef] = [ChannelRef("board", "T", every) for every in EVERY]
        self.house = self.start()

    def start(self) -> House:
        """Start a process of the bot; the previous one was killed, or stopped."""
        house = House(self.redis, self.board)
        house.papers._keep = KEEP
        return house

    async def begin(self) -> None:
        for channel, every in zip(self.channels, EVERY, strict=True):
            await self.house.subscribe(channel, every, ChannelSettings(digest_size=1, edits=True, most=1))

    async def day(self, number: int) -> None:
        if number % 3 == 0:
            if number % 2:
                await self.house.fanout.stop()
            self.house = self.start()
        papers = [
            a_paper(f"p{number}-{n}", title="A paper", published=self.clock.now) for n in range(PAPERS_A_DAY)
        ]
        await self.house.poll(*papers, cursor=f"c{number}")
        await self.house.deliver()
        grown = [
            a_paper(paper.id, title="A paper", published=paper.published, upvotes=100) for paper in papers
        ]
        await self.house.poll(*grown, cursor=f"d{number}")
        await self.house.deliver()
        await self.house.editor.edit_all()
        await record_poll(self.redis, PollResult(source="test", at=self.clock.now, next_at=self.clock.now))
        await self.people(number)

    async def people(self, number: int) -> None:
        channel, person = self.rng.choice(self.channels), self.rng.choice(PEOPLE)
        paper = f"p{number}-0"
        await Votes(self.redis).put(channel, person, paper, liked=True, numbers=(1,))
        saved, note = ReadingLists(self.redis), Annotation("a note", ("to-read",), person.signature)
        await saved.add(PaperList.of_person(person, channel), paper, note)
        await saved.add(PaperList(channel, shared=True), paper, note)
        await saved.remove(PaperList(channel, shared=True), f"p{number - 1}-0")
        watcher = ChannelRef.of_person(channel.platform, channel.workspace, person.id)
        await self.house.watches.put(watcher, paper, Watch(IMPORTANT, person.signature, self.clock.now))
        await ButtonPayloads(self.redis).put(f"the abstract of {paper}")
        followed, now = FollowedCategories(self.redis), self.clock.now
        await followed.follow("arxiv", f"cs.{number}", now, limit=30, sources=())
        await followed.drop("arxiv", now - timedelta(days=60))
        until = now + timedelta(days=1)
        await ChannelRules(self.redis).mute(channel, Mute(text=f'"topic {number}"', until=until))
        added, _ = await self.house.subscriptions.add(channel, f"topic{number}", "now", person.signature)
        await self.house.subscriptions.remove(channel, added.number)
        for kind in get_args(Kind):
            grant = Grant(channel=channel, kind=kind, at=now)
            await Tokens(self.redis).make(grant)
        await self.copies(channel, person)
        if number % 30 == 0:
            await self.house.outbox.pause(channel, "archived")
            await self.house.outbox.resume(channel)

    async def copies(self, channel: ChannelRef, person: User) -> None:
        """Replace the address to which the channel's posts are copied."""
        copies = Copies(self.redis)
        for copy in await copies.of(channel):
            await copies.remove(channel, copy)
        to = ChannelRef("board", "hooks", "")
        await copies.add(channel, Copy(to=to, by=person.signature, at=self.clock.now, sealed="an address"))


@pytest.mark.timeout(300)
async def test_every_kind_of_key_is_within_its_bound_after_400_days(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivering, "MAX_WAIT", 0.0)
    monkeypatch.setattr(poll_stream, "IDLE", 0.0)  # the server measures idle time with its own clock
    clock = set_clock(monkeypatch, redis)
    await clock.set(BEGIN)
    use = Use(redis, clock)
    await use.begin()
    for number in range(DAYS):
        await use.day(number)
        await redis.eval(EXPIRE, 0, 86_400_000)
        await clock.set(BEGIN + timedelta(days=number + 1))
    held, number_of = await sizes(redis)
    assert {kind for kind in held if kind not in BOUNDS} == set(), "add the bounds of these"
    assert {kind: held[kind] for kind in BOUNDS if held[kind] > BOUNDS[kind]} == {}
    assert {kind: number_of[kind] for kind in MOST_KEYS if number_of[kind] > MOST_KEYS[kind]} == {}
    posted = use.board.counts()
    assert max(posted.values()) == 1
    assert len(posted) > 2.5 * PAPERS_A_DAY * (DAYS - 8)  # a weekly card names ten of fourteen papers
