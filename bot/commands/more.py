"""The button of a digest that shows its other papers."""

from bot.cards.digest import digest_card
from bot.commands.services import Services
from bot.domain.errors import UserError
from bot.domain.models import Command
from bot.ports import Reply


async def more(command: Command, services: Services) -> Reply:
    """The next page of a digest that was posted here, shown only to the person who asks."""
    label = command.options["digest"]
    ids = await services.outbox.digest(command.channel, label)
    papers = await services.papers.get(ids)
    if not papers:
        raise UserError("That digest is too old to show more of it.", hint="/paper list")
    page = int(command.options.get("page", 1))
    return Reply(digest_card([(paper, ()) for paper in papers.values()], services.now(), label, page))
