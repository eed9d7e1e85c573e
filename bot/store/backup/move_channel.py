"""Moves everything stored of a channel when the platform gives the channel another id."""

import asyncio

from redis.asyncio import Redis
from structlog import get_logger

from bot.domain.models import ChannelRef
from bot.store import keys
from bot.store.backup.export import facts
from bot.store.backup.export_records import ChannelToken, Fact, OfChannel, Sent
from bot.store.backup.import_ import Restore
from bot.store.outbox.outbox import Outbox
from bot.store.subscriptions import Subscriptions
from bot.store.tokens import Tokens

SEND_WAIT = 30.0
"""Seconds to wait for a post that is being sent to the old id."""
SEND_CHECK = 0.2
"""Seconds between checks of whether it was sent."""

_log = get_logger()


async def move_channel(redis: Redis, old: ChannelRef, new: ChannelRef) -> None:
    """Give `new` the subscriptions, settings, open deliveries and sent records of `old`, which is then forgotten.

    What `new` already has is kept. Each step adds what is missing and nothing else, so after an interruption the
    whole can be repeated.
    """
    if old == new or not await redis.exists(keys.channel(old)):
        return
    outbox, subscriptions = Outbox(redis), Subscriptions(redis)
    await outbox.pause(old, "the channel has a new id")
    await _wait_until_sent(redis, old)
    lines = [
        _moved(fact, old, new).model_dump_json()
        async for fact in facts(redis, only=old)
        if not isinstance(fact, ChannelToken)  # a token has one channel: it is moved below
    ]
    await Restore(redis).write(lines)
    await Tokens(redis).move(old, new)
    for subscription in await subscriptions.of(old):
        await subscriptions.remove(old, subscription.number)
    await outbox.forget(old)


async def _wait_until_sent(redis: Redis, channel: ChannelRef) -> None:
    """Wait until no worker is posting in the channel, so that what it posts is on record before it is copied."""
    try:
        async with asyncio.timeout(SEND_WAIT):
            while await redis.hexists(keys.channel(channel), "busy"):  # noqa: ASYNC110  # another process sends
                await asyncio.sleep(SEND_CHECK)
    except TimeoutError:  # its worker died; the delivery is looked up under the new id
        _log.warning("channel_moved_while_sending", channel=str(channel))


def _moved(fact: Fact, old: ChannelRef, new: ChannelRef) -> Fact:
    if not isinstance(fact, OfChannel):
        return fact
    changes = {"channel": str(new)}
    if isinstance(fact, Sent):
        changes["url"] = fact.url.replace(old.channel, new.channel)
    return fact.model_copy(update=changes)
