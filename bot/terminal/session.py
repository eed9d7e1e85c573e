"""The first minutes at a terminal, perhaps with a new user."""

import asyncio
from contextlib import suppress

from redis.exceptions import RedisError

from bot.cards.paper import paper_card
from bot.cards.terminal import Connect, starter_card, unreachable_card, welcome_card
from bot.commands.presets import buttons, for_channel
from bot.ports import Interactive
from bot.search.search import Search
from bot.store.subscriptions import Subscriptions
from bot.terminal.sample import PapersOrSample, today

STARTER_QUERY = "trending"
"""The first subscription of a new terminal, so that its first cards arrive automatically."""
SOURCE_TIMEOUT = 6.0
"""Seconds within which a source should have answered."""
INDEXING_SHOWN_EVERY = 1.0
"""Seconds between two checks of the search index."""
SAMPLE_SHOWN = 3
"""Number of sample papers that are shown if no source answers."""


async def welcome(terminal: Interactive, subscriptions: Subscriptions, platforms: Connect) -> None:
    """Explain how to begin, and subscribe a terminal that has never had a subscription to STARTER_QUERY."""
    is_new = not await subscriptions.ever(terminal.channel)
    offers = buttons(for_channel(terminal.channel.channel)) if is_new else ()
    terminal.screen.note(welcome_card(platforms, offers))
    if is_new:
        await subscriptions.add(terminal.channel, STARTER_QUERY, "now", terminal.user.signature)
        terminal.screen.note(starter_card())


async def show_indexing(terminal: Interactive, search: Search) -> None:
    """Show the progress of the search index while it is being built, for example after an import."""
    with suppress(RedisError):  # other roles report that Redis is down
        while (progress := await search.progress()) is not None:
            terminal.working(f"Building the search index: {progress.done:,} of {progress.total:,} papers")
            await asyncio.sleep(INDEXING_SHOWN_EVERY)
    terminal.working("")


async def stand_in(terminal: Interactive, papers: PapersOrSample, reached: asyncio.Event) -> None:
    """If no source answers for a while, say so, and show some sample papers if there are no real ones."""
    try:
        async with asyncio.timeout(SOURCE_TIMEOUT):
            await reached.wait()
            return
    except TimeoutError:
        sample = await papers.stand_ins()
    terminal.screen.note(unreachable_card(sample=bool(sample)))
    for paper in sample[-SAMPLE_SHOWN:]:
        terminal.screen.post(paper_card(paper, (), today()))
