"""An unreadable record of every kind, as raw data, for a running bot."""

import json
from collections.abc import Awaitable, Callable

from redis.asyncio import Redis

from bot.domain.models import ChannelRef
from bot.store import keys
from bot.store.card_updates import CardUpdateQueue
from bot.store.channel_rules import ChannelRules
from bot.store.outbox.outbox import Outbox
from bot.store.papers import Papers
from bot.store.polls import last_polls
from bot.store.reactions import Votes
from bot.store.subscriptions import Subscriptions

Poison = Callable[[Redis, ChannelRef], Awaitable[object]]

POISON: dict[str, Poison] = {
    "poll": lambda redis, _: redis.xadd(keys.PAPERS, {"papers": "of a newer version"}),
    "subscription": lambda redis, here: redis.hset(keys.subscriptions(here), "9", "no JSON"),
    "subscription_query": lambda redis, here: redis.hset(
        keys.subscriptions(here),
        "8",
        json.dumps({"query": 'near(3, "a"', "every": "now", "by": "U1", "at": 0}),
    ),
    "channel": lambda redis, here: redis.sadd(keys.channels(keys.shard_of(here)), "no:channel:at:all"),
    "subscription_change": lambda redis, here: redis.xadd(
        keys.changes(keys.shard_of(here)), {"moved": "of a newer version"}, id="99-1"
    ),
    "mute": lambda redis, here: redis.hset(keys.mutes(here), "robots", "no JSON"),
    "trending": lambda redis, _: redis.set(keys.TRENDING, "7"),
    "poll_result": lambda redis, _: redis.hset(keys.POLLS, "another", "no JSON"),
    "card_update": lambda redis, here: redis.zadd(keys.edits(here.platform), {"an edit": 0}),
    "vote": lambda redis, here: redis.hset(keys.votes(here), "U1 p0", "no JSON"),
    "paper": lambda redis, _: redis.set(keys.paper("poisoned"), '{"title": 7}'),
    "sent": lambda redis, here: _sent(redis, here),  # noqa: PLW0108  # it is defined below
    "delivery": lambda redis, here: _due_delivery(redis, here),  # noqa: PLW0108  # it is defined below
}


async def _sent(redis: Redis, here: ChannelRef) -> None:
    period = int((await redis.time())[0]) // keys.PERIOD
    await redis.hset(keys.sent(here, period), "poisoned", "no time")


async def _due_delivery(redis: Redis, here: ChannelRef) -> None:
    """Write a due delivery with unreadable papers, in a separate channel."""
    sick = ChannelRef(here.platform, here.workspace, "sick")
    key, shard = f"{sick}/poisoned", keys.shard_of(sick)
    lane = f"{keys.shard(shard)}lane:{keys.workspace(sick.platform, sick.workspace)}"
    await redis.hset(
        keys.delivery(key), mapping={"state": "pending", "due": 0, "papers": "no JSON", "counted": 1}
    )
    await redis.incr(keys.open_count(shard))
    await redis.zadd(f"{keys.shard(shard)}box:{sick}", {key: 0})
    await redis.zadd(lane, {str(sick): 0})
    await redis.zadd(keys.due(shard, sick.platform), {keys.workspace(sick.platform, sick.workspace): 0})
    await redis.publish(keys.WAKE, f"due {sick.platform} {shard}")


async def read_as_commands_do(redis: Redis, here: ChannelRef) -> None:
    """Read everything that commands, `doctor` and the card updates read of a channel."""
    subscriptions, papers, outbox = Subscriptions(redis), Papers(redis), Outbox(redis)
    await subscriptions.of(here)
    _ = [one async for one in subscriptions.load()]
    await ChannelRules(redis).of(here)
    await Votes(redis).of(here)
    await last_polls(redis)
    await papers.trending()
    await papers.get(["poisoned"])
    await outbox.sent(here, "poisoned")
    await outbox.open_deliveries(here)
    await CardUpdateQueue(redis).take(here.platform, 100)


async def poison_everything(redis: Redis, here: ChannelRef) -> None:
    """Write one unreadable record of each kind."""
    for poison in POISON.values():
        await poison(redis, here)
