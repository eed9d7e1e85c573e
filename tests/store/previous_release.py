"""Data of the previous release (0.1.0) in `previous_release.json`, and what this version must do with them.

They were recorded from a running server of that release: channels whose posts were sent, claimed, being sent, of
unknown outcome, dead, paused, or waiting for a digest; one poll whose reader died, and one that no reader had seen.
"""

import json
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from bot.domain.models import ChannelRef
from bot.store import keys
from bot.store.migrations import migrate
from bot.store.poll_stream import GROUP
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
    """Write the data, and let a reader die while it holds a poll."""
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


async def restored(redis: Redis, patch: pytest.MonkeyPatch) -> Clock:
    """Restore and migrate the data. Returns a clock that is two minutes later."""
    await restore(redis)
    clock = set_clock(patch, redis)
    await clock.set(AT + timedelta(minutes=2))
    await migrate(redis)
    return clock


async def posted_after_an_upgrade(
    redis: Redis, patch: pytest.MonkeyPatch
) -> tuple[Counter[tuple[str, str]], Counter[tuple[str, str]]]:
    """Return the actual and the expected posts of that day and the next: (channel, paper) -> how often."""
    clock = await restored(redis, patch)
    board = Board(clock)
    house = House(redis, board)
    await house.fanout.match_all()
    await house.deliver()
    await clock.set(clock.now + timedelta(hours=2))  # paused channels are probed
    for _ in range(2):
        await house.deliver()
    await clock.set(clock.now + timedelta(days=1))
    await house.deliver()
    expected = Counter({(name, paper): 1 for name in (*AT_ONCE, *PAUSED) for paper in PAPERS[1:]})
    del expected["now", PAPERS[1]]  # the previous release posted it
    expected |= Counter({("dead", paper): 1 for paper in PAPERS[2:]})
    expected |= Counter({("daily", paper): 1 for paper in PAPERS})
    return board.counts(), expected
