"""How many papers a query had per week, as a figure on a card: a picture where the platform loads pictures, else characters."""

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
"""With less, a figure says less than the papers themselves."""
PATIENCE = 1.0
"""Seconds for the counts: an answer doesn't wait for an index that is being built."""
PICTURES = "/plots"
"""Where the role `web` draws them."""


async def weeks_figure(query: Query, services: Services) -> tuple[Block, ...]:
    """The figure; none if it would say nothing."""
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            counts = await services.search.per_week(ParsedSearch("", must=query.root))
            return figure(counts, services.public_url)
    return ()


def figure(counts: Sequence[int], public_url: str) -> tuple[Block, ...]:
    """The counts of some weeks, the last of which ends today."""
    if len(counts) < FEWEST_WEEKS or sum(counts) < FEWEST_PAPERS:
        return ()
    said = f"Published per week: {sum(counts):,} in {len(counts)} weeks, at most {max(counts):,} in one"
    if not public_url.startswith("https://"):  # chats load no other pictures
        return (paragraph(dim(f"{said}  {sparkline(counts)}")),)
    return (Figure((dim(said),), f"{public_url}{PICTURES}/{lettered(counts)}.png", said),)
