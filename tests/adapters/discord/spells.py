"""Spells (temporary outages) in which a proxy, Cloudflare or a login page answers instead of Discord."""

import asyncio
import json
from contextlib import suppress
from time import monotonic

import discord
from redis.asyncio import Redis

from adapters.discord.platform import DiscordPlatform
from bot.domain.deliveries import PlannedDelivery
from bot.domain.models import ChannelRef, Reason
from bot.pipeline.delivery import DeliveryWorker
from bot.pipeline.delivery_card import compose
from bot.ports import Batch
from bot.store.limits import RateLimiter
from bot.store.notifications import Notifications
from bot.store.outbox.outbox import Outbox
from bot.store.papers import Papers
from tests.adapters.discord.double.faults import RawAnswer
from tests.adapters.discord.double.payloads import GUILD
from tests.adapters.discord.double.service import DiscordDouble
from tests.papers import SPRING, a_paper
from tests.waiting import until

CHANNELS = 50
MEETING, RECOVERY = 300.0, 120.0
"""Maximum seconds to wait for enough failed requests, with the platform's real waits, and then for all posts."""
PAGE = b"<html><head><title>Access denied</title></head></html>"
SPELLS = {
    "a proxy's 403 pages": RawAnswer(status=403, body=PAGE),
    "a proxy's 404 pages": RawAnswer(status=404, body=PAGE),
    "40333": RawAnswer(
        status=403,
        body=json.dumps({"code": 40333, "message": "internal network error"}).encode(),
        content_type="application/json",
    ),
    "503 pages": RawAnswer(status=503, body=PAGE),
    "logins": RawAnswer(status=302, headers={"Location": "https://login.example.org/"}),
}


async def recover(redis: Redis, spell: RawAnswer, *, rounds: int = 3) -> tuple[float, DiscordDouble]:
    """Post to 50 channels during a spell. Return the seconds from its end to the last post, and the double."""
    paper = a_paper()
    await Papers(redis).ingest("test", Batch((paper,), "cursor"), 0)
    outbox = Outbox(redis, durable=False)
    await outbox.enqueue(
        [
            PlannedDelivery(
                channel=ChannelRef("discord", f"{GUILD + n % 7}", str(5000 + n)),
                papers=((paper.id, (Reason(1, "paper"),)),),
                due=0,
                label=paper.id,
            )
            for n in range(CHANNELS)
        ]
    )
    async with DiscordDouble(buckets=False).serve() as double:
        discord.http.Route.BASE = double.url
        platform = DiscordPlatform(double.token, redis)
        await platform.find(ChannelRef("discord", str(GUILD), "5000"), "key", SPRING)  # logs in
        double.weather.spell = spell
        worker = DeliveryWorker(
            platform,
            outbox,
            Papers(redis),
            RateLimiter(redis),
            lambda delivery, entries, rules: compose(entries, rules, SPRING, delivery.label),
        )
        began = len(double.requests)
        working = asyncio.create_task(worker.run(Notifications(redis)))
        try:
            await until(
                lambda: len(double.requests) - began >= rounds * 10, "enough requests to fail", within=MEETING
            )
            double.weather.spell, ended = None, monotonic()
            await until(
                lambda: len(double.messages) >= CHANNELS, "all channels to get their card", within=RECOVERY
            )
            seconds = monotonic() - ended
            await worker.drain()
        finally:
            working.cancel()
            with suppress(asyncio.CancelledError):
                await working
            await platform.close()
    return seconds, double
