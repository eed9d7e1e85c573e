"""The Share button: shows a paper to everyone in the channel."""

from bot.cards import Card
from bot.cards.build import dim, paragraph
from bot.cards.paper import AUTHOR, NOTICE, paper_block
from bot.commands.resolve import resolve_paper
from bot.commands.services import Services
from bot.domain.models import Command
from bot.ports import Reply
from bot.text import shorten

REPEAT_WINDOW = 60
"""Seconds in which a second press counts as the same one."""


async def share(command: Command, services: Services) -> Reply:
    """The paper's card with the name of the person who shared it; once, however often the button is pressed."""
    paper = await resolve_paper(command.options["paper"], services)
    if not await services.kept.first(f"shared {command.channel} {paper.id}", REPEAT_WINDOW):
        message = "This paper was shared here a moment ago."
        return Reply(Card("reply", message, blocks=(paragraph(message),)))
    who = shorten(command.user.name or "Someone", AUTHOR)
    block = paper_block(paper, (), services.now())
    card = Card(
        "paper",
        shorten(f"{who} shared: {block.title}", NOTICE),
        blocks=(paragraph(dim(f"Shared by {who}")), block),
    )
    return Reply(card, private=False)
