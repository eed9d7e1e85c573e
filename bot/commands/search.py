"""`/paper search`: the papers that answer a question, five at a time, shown only to the person who asks."""

from dataclasses import replace
from functools import partial

from bot.cards.build import MAX_BUTTON
from bot.commands.results import SearchRequest, results_card
from bot.commands.services import Services
from bot.commands.upstream_results import further
from bot.domain.errors import UserError
from bot.domain.models import Command
from bot.ports import Reply
from bot.search.search import PAGE
from bot.store.button_payloads import LENGTH as KEPT


async def search(command: Command, services: Services) -> Reply:
    """One page of results; where they are few, with what is found elsewhere to follow."""
    request = await _request(command, services)
    page = int(command.options.get("page", 1))
    days = int(request.days) if request.days else None
    found = await services.search.find(request.query, days=days, sort=request.sort, page=page)
    little = found.total < PAGE and request.sort == "best"
    later = partial(further, request, found, services) if little else None
    return Reply(results_card(request, found, page, services.now()), later=later)


async def _request(command: Command, services: Services) -> SearchRequest:
    options = command.options
    query = options["query"]
    if query.startswith("~") and len(query) == KEPT:
        kept = await services.kept.get(query)
        if kept is None:
            raise UserError("That search is too old to go on with. Type it again.", hint="/paper help search")
        return SearchRequest.of(kept, options, query)
    request = SearchRequest.of(query, options)
    if len(f"{request} page:10") > MAX_BUTTON:
        return replace(request, kept=await services.kept.put(query))
    return request
