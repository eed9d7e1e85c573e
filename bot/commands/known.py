"""Which paper is meant by an id or a link."""

from bot.commands.services import Services
from bot.errors import UserError
from bot.models import Paper
from bot.search.identifiers import paper_id


async def known(typed: str, services: Services) -> Paper:
    """The paper that `typed` names. Raises UserError where none such was seen."""
    wanted = typed.strip()
    ids = [wanted, paper_id(wanted) or wanted]
    found = await services.papers.get(ids)
    if not found:
        raise UserError(
            f"No paper with the id {wanted} is known here. An id looks like 2405.01234; a title can be searched for.",
            hint=f"/paper search {wanted}",
        )
    return next(found[one] for one in ids if one in found)
