"""The button that shows a paper's whole abstract, below its card."""

from bot.cards.paper import paper_card
from bot.commands.resolve import resolve_paper
from bot.commands.services import Services
from bot.domain.models import Command
from bot.ports import Reply


async def abstract(command: Command, services: Services) -> Reply:
    """The paper in full, in the card's thread."""
    paper = await resolve_paper(command.options["paper"], services)
    return Reply(paper_card(paper, (), services.now(), "full"), private=False, thread=True)
