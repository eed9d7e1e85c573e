"""Spells in which something else answers in the platform's place, with the platforms' real waits."""

from pathlib import Path
from time import monotonic

import discord
from discord.gateway import DiscordWebSocket

from bot.store.connect import client
from tests.adapters.discord.spells import CHANNELS, SPELLS, recover
from tests.adapters.slack import spells as slack
from tests.faults.scene import Outcome, Size, alone

WITHIN = 60.0
"""Seconds after the end of a spell within which all channels must have their posts."""


async def of_foreign_answers(folder: Path, size: Size) -> Outcome:
    """Proxy pages, 40333, 503 and login pages in Discord's place, one spell of each, over 50 channels."""
    began, waits, lost, doubled = monotonic(), [], 0, 0
    base, gateway = discord.http.Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    async with alone(folder, size) as here:
        redis = client(here.plan.redis_url)
        for spell in SPELLS.values():
            await redis.flushall()
            seconds, double = await recover(redis, spell, rounds=7)
            posted = [message.channel for message in double.messages]
            waits.append(seconds)
            lost += CHANNELS - len(set(posted))
            doubled += len(posted) - len(set(posted))
        await redis.aclose()
    discord.http.Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = base, gateway
    return Outcome(
        test="spells of foreign answers",
        deliveries=CHANNELS * len(SPELLS),
        kills=0,
        lost=lost,
        doubled=doubled,
        seconds=round(monotonic() - began, 1),
        note=f"all channels back {max(waits):.1f} s after a spell",
        fine=max(waits) <= WITHIN,
    )


async def of_slacks_proxies(folder: Path, size: Size) -> Outcome:
    """Proxy and login pages in Slack's place, one spell of each, over 50 channels."""
    began, waits, lost, doubled = monotonic(), [], 0, 0
    async with alone(folder, size) as here:
        redis = client(here.plan.redis_url)
        for spell in slack.SPELLS.values():
            await redis.flushall()
            seconds, double = await slack.recover(redis, spell)
            (lab,) = double.world.workspaces.values()
            posted = [len(channel.messages) for channel in lab.channels.values() if not channel.direct]
            waits.append(seconds)
            lost += posted.count(0)
            doubled += sum(max(0, posts - 1) for posts in posted)
        await redis.aclose()
    return Outcome(
        test="spells of Slack's proxies",
        deliveries=slack.CHANNELS * len(slack.SPELLS),
        kills=0,
        lost=lost,
        doubled=doubled,
        seconds=round(monotonic() - began, 1),
        note=f"all channels back {max(waits):.1f} s after a spell",
        fine=max(waits) <= WITHIN,
    )
