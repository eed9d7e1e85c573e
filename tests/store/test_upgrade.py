"""An upgrade loses and repeats nothing: data that the previous release (0.1.0) wrote are read, matched and posted.

`previous_release.json` was recorded from a running server of that release: channels whose posts were sent, claimed,
being sent, of unknown outcome, dead, paused, or waiting for a digest; one poll that a reader died with, and one that no
reader had seen.
"""

import json
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from bot.domain.models import ChannelRef, ChannelSettings, Mute
from bot.pipeline import delivery as delivering
from bot.store import keys
from bot.store.outbox.outbox import Outbox
from bot.store.poll_stream import GROUP
from bot.store.polls import last_polls
from bot.store.rules import ChannelRules
from bot.store.schema import bring_up_to_date
from bot.store.unreadable import unreadable_records
from bot.store.votes import Votes
from tests.scenario import Board, Clock, House, set_clock

RECORDED: dict[str, Any] = json.loads(
    Path(__file__).with_name("previous_release.json").read_text(encoding="utf-8")
)
AT = datetime.fromisoformat(RECORDED["recorded"])
AT_ONCE = ("now", "sending", "unknown", "claimed")
PAUSED = ("paused", "gone")
PAPERS = [f"2605.0000{n}" for n in range(1, 5)]


def channel(name: str) -> ChannelRef:
    return ChannelRef("board", "T2" if name == "gone" else "T1", name)


async def restore(redis: Redis) -> None:
    """The data as they were, with a reader that died while it held a poll."""
    for key, (kind, value) in RECORDED["keys"].items():
        match kind:
            case "hash":
                await redis.hset(key, mapping=value)
            case "zset":
                await redis.zadd(key, dict(value))
            case "set":
                await redis.sadd(key, *value)
            case "stream":
                for entry, fields in value:
                    await redis.xadd(key, fields, id=entry)
            case _:
                await redis.set(key, value)
    await redis.xgroup_create(keys.PAPERS, GROUP, id="0")
    await redis.xreadgroup(GROUP, "a reader that died", {keys.PAPERS: ">"}, count=len(RECORDED["pending"]))


@pytest.fixture
async def clock(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> Clock:
    monkeypatch.setattr(delivering, "MAX_WAIT", 0.0)
    await restore(redis)
    clock = set_clock(monkeypatch, redis)
    await clock.set(AT + timedelta(minutes=2))
    await bring_up_to_date(redis)
    return clock


async def test_what_the_previous_release_left_open_is_posted_once(redis: Redis, clock: Clock) -> None:
    board = Board(clock)
    house = House(redis, board)
    await house.fanout.match_all()
    await house.deliver()
    expected = Counter({(name, paper): 1 for name in AT_ONCE for paper in PAPERS[1:]})
    del expected["now", PAPERS[1]]  # the previous release posted it
    expected |= Counter({("dead", paper): 1 for paper in PAPERS[2:]})
    assert board.counts() == expected
    assert {dead.key async for dead in house.outbox.dead_letters()} == {
        key.partition("delivery:")[2] for key in RECORDED["keys"] if "delivery:board:T1:dead/" in key
    }
    await clock.set(clock.now + timedelta(hours=2))
    for _ in range(2):
        await house.deliver()
    expected |= Counter({(name, paper): 1 for name in PAUSED for paper in PAPERS[1:]})
    assert board.counts() == expected, "what it had paused is probed"
    await clock.set(clock.now + timedelta(days=1))
    await house.deliver()
    expected |= Counter({("daily", paper): 1 for paper in PAPERS})
    assert board.counts() == expected
    assert [record async for record in unreadable_records(redis)] == []
    assert await house.outbox.open() == 0


async def test_everything_that_people_made_is_still_there(redis: Redis, clock: Clock) -> None:
    board = Board(clock)
    house, here = House(redis, board), channel("now")
    [subscription] = await house.subscriptions.of(here)
    assert (subscription.query, subscription.was) == ("diffusion OR language", "diffusion")
    rules = await ChannelRules(redis).of(here)
    assert rules.settings == ChannelSettings(digest_size=20)
    assert rules.mutes == (Mute(text="robots", created_by="U1 Ada"),)
    daily = await house.settings.of(channel("daily"))
    assert (daily.every, daily.zone, daily.edits) == ("daily", "Europe/Berlin", True)
    assert (await house.papers.get(PAPERS)).keys() == set(PAPERS)
    assert [paper.id for paper in await house.papers.trending()] == PAPERS[:1]
    assert [vote.paper for vote in await Votes(redis).of(here)] == PAPERS[:1]
    sent = await Outbox(redis).sent(here, PAPERS[0])
    assert sent is not None
    assert sent.message.id == "m-now"
    assert (await last_polls(redis))["hf"].found == 3
    pause = (await house.outbox.status(channel("gone"))).pause
    assert pause is not None
    assert (pause.scope, pause.why) == ("workspace", "the token was revoked")
    assert pause.next_probe is not None
    counts = {place: count for place, (count, _) in (await house.outbox.paused_counts()).items()}
    assert counts == {("board", "channel"): 1, ("board", "workspace"): 1}
