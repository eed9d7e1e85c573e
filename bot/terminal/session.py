"""What a terminal gets of its own, being a channel with a person in front of it who may be new here."""

import asyncio

from bot.cards.paper import paper_card
from bot.cards.welcome import starter_card, unreachable_card, welcome_card
from bot.ports import Interactive
from bot.store.subscriptions import Subscriptions
from bot.terminal.sample import PapersOrSample, today

STARTER = "trending"
"""What a new terminal is subscribed to, so that its first cards come by themselves."""
PATIENCE = 6.0
"""Seconds in which some source should have answered."""
SHOWN = 3
"""Papers of the sample that are shown unasked."""


async def welcome(terminal: Interactive, subscriptions: Subscriptions) -> None:
    """Say how to begin; give a terminal that never had a subscription its first one."""
    terminal.screen.note(welcome_card())
    if not await subscriptions.ever(terminal.channel):
        await subscriptions.add(terminal.channel, STARTER, "now", terminal.user.signature)
        terminal.screen.note(starter_card())


async def stand_in(terminal: Interactive, papers: PapersOrSample, reached: asyncio.Event) -> None:
    """Where no source answers for a while, say so, and show some of the sample if there is nothing else."""
    try:
        async with asyncio.timeout(PATIENCE):
            await reached.wait()
            return
    except TimeoutError:
        sample = await papers.stand_ins()
    terminal.screen.note(unreachable_card(sample=bool(sample)))
    for paper in sample[-SHOWN:]:
        terminal.screen.post(paper_card(paper, (), today()))
