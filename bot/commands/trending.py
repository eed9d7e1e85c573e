"""`/paper trending`: what the reading public looks at."""

from collections.abc import Sequence
from datetime import datetime

from bot.cards import Button, Card
from bot.cards.paper import NOTICE, paper_block
from bot.cards.say import actions, paragraph
from bot.commands.services import Services
from bot.models import Command, Paper
from bot.ports import Reply
from bot.text import shorten

SHOWN = 10


async def trending(_command: Command, services: Services) -> Reply:
    """The first SHOWN of the trending papers."""
    return Reply(trending_card(await services.papers.trending(), services.now()))


def trending_card(papers: Sequence[Paper], now: datetime) -> Card:
    """A line for each, the first one first."""
    if not papers:
        message = "No list of trending papers has been read yet. It comes with the next poll."
        return Card("reply", message, blocks=(paragraph(message),))
    lines = tuple(paper_block(paper, (), now, "line") for paper in papers[:SHOWN])
    notice = shorten(f"Trending now: {'; '.join(line.title for line in lines)}", NOTICE)
    follow = actions(Button("Post new ones here", "subscribe trending"))
    return Card("reply", notice, "Trending now", (*lines, *follow))
