"""Which paper is meant by an id or a link."""

from bot.commands.services import Services
from bot.domain.errors import UserError
from bot.domain.models import Paper
from bot.search.identifiers import paper_id


async def known(typed: str, services: Services) -> Paper:
    """The paper that `typed` names; the upstreams are asked for one that was never seen.

    Raises UserError where there is none.
    """
    wanted = typed.strip()
    ids = [wanted, paper_id(wanted) or wanted]
    found = await services.papers.get(ids)
    if not found and paper_id(wanted) and (one := await services.elsewhere.paper(ids[1])):
        await services.papers.remember([one[1]])
        return one[1]
    if not found:
        raise UserError(
            f"No paper with the id {wanted} is known here. An id looks like 2405.01234; a title can be searched for.",
            hint=f"/paper search {wanted}",
        )
    return next(found[i] for i in ids if i in found)
