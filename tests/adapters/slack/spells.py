"""Spells (temporary outages) in which a proxy or login page answers instead of Slack, while posts are due."""

import asyncio
from contextlib import suppress
from time import monotonic

from redis.asyncio import Redis

from adapters.slack.manifest import manifest
from adapters.slack.platform import SlackPlatform
from bot.domain.deliveries import PlannedDelivery
from bot.domain.models import ChannelRef, Reason
from bot.pipeline.delivery import DeliveryWorker
from bot.pipeline.delivery_card import compose
from bot.ports import Batch
from bot.store.limits import RateLimiter
from bot.store.notifications import Notifications
from bot.store.outbox.outbox import Outbox
from bot.store.papers import Papers
from tests.adapters.slack.double import Slack
from tests.adapters.slack.running import Running
from tests.papers import SPRING, a_paper
from tests.waiting import until

CHANNELS = 50
MEETING, RECOVERY = 300.0, 120.0
"""Maximum seconds to wait for enough failed calls, with the platform's real waits, and then for all posts."""
SPELLS = {
    "a proxy's 403 pages": "html 403",
    "a proxy's 407 text": "plain 407",
    "a proxy's 429 pages": "html 429",
    "503 pages": "html 503",
    "logins": "html 200",
}
METHODS = ("chat.postMessage", "conversations.history", "conversations.join")


async def recover(redis: Redis, spell: str, *, answers: int = 30) -> tuple[float, Slack]:
    """Post to 50 channels during a spell. Return the seconds from its end to the last post, and the double."""
    paper = a_paper()
    await Papers(redis).ingest("test", Batch((paper,), "cursor"), 0)
    outbox = Outbox(redis, durable=False)
    async with Slack(manifest("socket")).serve() as slack:
        lab = slack.workspace("lab")
        ada = slack.person(lab)
        token = slack.world.install(lab, ada.user)
        rooms = [slack.channel(lab, f"room{number}", ada) for number in range(CHANNELS)]
        for room in rooms:
            room.members.add(lab.bot_user)
        planned = [
            PlannedDelivery(
                channel=ChannelRef("slack", lab.id, room.id),
                papers=((paper.id, (Reason(1, "paper"),)),),
                due=0,
                label=paper.id,
            )
            for room in rooms
        ]
        await outbox.enqueue(planned)
        platform = SlackPlatform(Running(slack, redis).socket(token.value), redis)
        worker = DeliveryWorker(
            platform,
            outbox,
            Papers(redis),
            RateLimiter(redis),
            lambda delivery, entries, rules: compose(entries, rules, SPRING, delivery.label),
        )
        slack.faults.always = dict.fromkeys(METHODS, spell)
        working = asyncio.create_task(worker.run(Notifications(redis)))
        try:
            await until(
                lambda: sum(call.answer == spell for call in slack.world.calls) >= answers,
                "enough calls to fail",
                within=MEETING,
            )
            slack.faults.always, ended = {}, monotonic()
            await until(
                lambda: all(room.messages for room in rooms),
                "all channels to get their card",
                within=RECOVERY,
            )
            seconds = monotonic() - ended
            await worker.drain()
        finally:
            working.cancel()
            with suppress(asyncio.CancelledError):
                await working
            await platform.close()
    return seconds, slack
