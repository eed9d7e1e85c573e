"""`/paper search`: find papers, five at a time, shown only to the person who asks."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

import structlog
from redis.exceptions import RedisError

from bot.cards import Card
from bot.cards.build import MAX_BUTTON
from bot.commands.export import exported, found_papers
from bot.commands.places import Place, place_of_each
from bot.commands.results import NO_PLACES, SearchRequest, results_card
from bot.commands.services import Services
from bot.domain.errors import UserError
from bot.domain.models import Command, Paper
from bot.ports import Reply
from bot.query import Query
from bot.search.results import SearchResults
from bot.search.search import PAGE
from bot.store.button_payloads import LENGTH as NAME_LENGTH

RANK_CONSTANT = 60
"""Constant k of reciprocal rank fusion: the higher it is, the less the first ranks of a list differ from its others.
The value is that of the method's authors (Cormack and others, "Reciprocal rank fusion outperforms Condorcet and
individual rank learning methods", SIGIR 2009)."""

log = structlog.get_logger(__name__)


async def search(command: Command, services: Services) -> Reply:
    """Reply with one page of results; if they are few, the upstreams' results follow."""
    request = await _request(command, services)
    if "export" in command.options:
        return await exported(await found_papers(request, services), "search", command)
    page = int(command.options.get("page", 1))
    found = await request.results(services.search, page)
    few = found.total < PAGE and request.sort == "best"
    places = await _places(command, found, services)
    later = partial(with_upstream_results, request, found, services, places) if few else None
    return Reply(results_card(request, found, page, services.now(), places=places), later=later)


async def _places(command: Command, found: SearchResults, services: Services) -> Mapping[str, Place]:
    """Return where the papers of a page were posted before."""
    return await place_of_each(command, [paper.id for paper in found.papers], services)


async def _request(command: Command, services: Services) -> SearchRequest:
    options = command.options
    query = options["query"]
    if query.startswith("~") and len(query) == NAME_LENGTH:
        stored_query = await services.button_payloads.get(query)
        if stored_query is None:
            raise UserError("That search is too old to go on with. Type it again.", hint="/paper help search")
        return SearchRequest.of(stored_query, options, query)
    request = SearchRequest.of(query, options)
    if len(f"{request} page:10") > MAX_BUTTON:
        return replace(request, stored_as=await services.button_payloads.put(query))
    return request


def fused(lists: Sequence[Sequence[Paper]]) -> list[Paper]:
    """Merge lists by reciprocal rank: papers high in many lists first, each once and as the first list describes it."""
    papers: dict[str, Paper] = {}
    scores: dict[str, float] = {}
    for found in lists:
        for rank, paper in enumerate({paper.id: paper for paper in found}.values(), 1):
            papers.setdefault(paper.id, paper)
            scores[paper.id] = scores.get(paper.id, 0.0) + 1 / (RANK_CONSTANT + rank)
    return sorted(papers.values(), key=lambda paper: -scores[paper.id])


async def with_upstream_results(
    request: SearchRequest, found: SearchResults, services: Services, places: Mapping[str, Place] = NO_PLACES
) -> Card | None:
    """Return a card with the upstreams' results among ours; None if there are none, or no upstream answered in time.

    The papers are stored, so that their buttons work, but don't count as seen.
    """
    try:
        lists = await _upstream_results(request, found, services)
        local = found.papers if found.parts is None else ()
        here = {paper.id for paper in local}
        origins = {p.id: name for name, papers in reversed(lists) for p in papers if p.id not in here}
        if not origins:
            return None
        merged = fused([local, *(papers for _, papers in lists)])[:PAGE]
        await services.papers.remember([paper for paper in merged if paper.id in origins])
    except (RedisError, OSError) as error:
        log.warning("further_results_failed", reason=str(error))
        return None
    return results_card(
        request, replace(found, papers=tuple(merged)), 1, services.now(), origins, places=places
    )


async def _upstream_results(
    request: SearchRequest, found: SearchResults, services: Services
) -> list[tuple[str, list[Paper]]]:
    parsed = found.parsed
    if parsed.paper_id is not None:
        answer = await services.upstream_search.paper(parsed.paper_id)
        return [(answer[0], [answer[1]])] if answer else []
    words = " ".join(word.typed for word in parsed.words) or parsed.text
    lists = await services.upstream_search.search(words, parsed.query)
    since = None if request.max_days is None else services.now() - timedelta(days=request.max_days)
    matches = Query(parsed.must).matches if parsed.must is not None else lambda _: True
    return [
        (name, [paper for paper in papers if matches(paper) and (since is None or paper.published >= since)])
        for name, papers in lists
    ]
