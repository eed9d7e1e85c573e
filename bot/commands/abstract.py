"""The button that shows a paper's whole abstract, below its card."""

from bot.cards.paper import paper_card
from bot.commands.known import known
from bot.commands.services import Services
from bot.domain.models import Command
from bot.ports import Reply


async def abstract(command: Command, services: Services) -> Reply:
    """The paper in full, for everyone who follows the thread."""
    paper = await known(command.options["paper"], services)
    return Reply(paper_card(paper, (), services.now(), "full"), private=False, thread=True)
