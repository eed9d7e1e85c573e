"""`/paper search`: the papers that answer a question, five at a time, for whoever asks."""

from dataclasses import replace
from functools import partial

from bot.cards.say import MAX_BUTTON
from bot.commands.results import Wish, results_card
from bot.commands.services import Services
from bot.commands.upstream_results import further
from bot.domain.errors import UserError
from bot.domain.models import Command
from bot.ports import Reply
from bot.search import PAGE
from bot.store.button_payloads import LENGTH as KEPT


async def search(command: Command, services: Services) -> Reply:
    """One page of results; where they are few, with what is found elsewhere to follow."""
    wish = await _wish(command, services)
    page = int(command.options.get("page", 1))
    days = int(wish.days) if wish.days else None
    found = await services.search.find(wish.query, days=days, sort=wish.sort, page=page)
    little = found.total < PAGE and wish.sort == "best"
    later = partial(further, wish, found, services) if little else None
    return Reply(results_card(wish, found, page, services.now()), later=later)


async def _wish(command: Command, services: Services) -> Wish:
    options = command.options
    query = options["query"]
    if query.startswith("~") and len(query) == KEPT:
        kept = await services.kept.get(query)
        if kept is None:
            raise UserError("That search is too old to go on with. Type it again.", hint="/paper help search")
        return Wish.of(kept, options, query)
    wish = Wish.of(query, options)
    if len(f"{wish} page:10") > MAX_BUTTON:
        return replace(wish, kept=await services.kept.put(query))
    return wish
