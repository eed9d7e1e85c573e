"""A query's number of papers per week as a figure on a card: a picture if chats can load it, else characters."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from bot.cards import Block, Figure
from bot.cards.build import dim, paragraph
from bot.commands.services import Services
from bot.query import Query
from bot.search.query_parser import ParsedSearch
from bot.text.bars import lettered, sparkline

FEWEST_WEEKS, FEWEST_PAPERS = 8, 5
"""Minimum of weeks and papers for a figure: with less, it says less than the papers themselves."""
PATIENCE = 1.0
"""Seconds to wait for the counts: an answer doesn't wait for an index that is being built."""
PICTURES = "/plots"
"""Path under which the role `web` draws the figures."""


async def weeks_figure(query: Query, services: Services) -> tuple[Block, ...]:
    """Return the figure; nothing if there are too few papers, or the counts take too long."""
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            counts = await services.search.per_week(ParsedSearch("", must=query.root))
            return figure(counts, services.public_url)
    return ()


def figure(counts: Sequence[int], public_url: str) -> tuple[Block, ...]:
    """Return the figure of the counts of some weeks, the last of which ends today."""
    if len(counts) < FEWEST_WEEKS or sum(counts) < FEWEST_PAPERS:
        return ()
    caption = f"Published per week: {sum(counts):,} in {len(counts)} weeks, at most {max(counts):,} in one"
    if not public_url.startswith("https://"):  # chats load no other pictures
        return (paragraph(dim(f"{caption}  {sparkline(counts)}")),)
    return (Figure((dim(caption),), f"{public_url}{PICTURES}/{lettered(counts)}.png", caption),)
