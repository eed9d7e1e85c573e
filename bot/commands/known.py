"""Which paper is meant by an id."""

from bot.commands.services import Services
from bot.errors import UserError
from bot.models import Paper


async def known(paper_id: str, services: Services) -> Paper:
    """The paper of that id. Raises UserError where none such was seen."""
    found = await services.papers.get([paper_id.strip()])
    if not found:
        raise UserError(f"No paper with the id {paper_id} is known here.", hint="/paper trending")
    return found[paper_id.strip()]
