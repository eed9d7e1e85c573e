"""What the upstreams' own search adds to a search that found little here."""

from dataclasses import replace
from datetime import timedelta

import structlog
from redis.exceptions import RedisError

from bot.cards import Card
from bot.commands.results import SearchRequest, results_card
from bot.commands.services import Services
from bot.domain.models import Paper
from bot.query import Query
from bot.search.fusion import fused
from bot.search.search import PAGE, SearchResults

log = structlog.get_logger(__name__)


async def further(request: SearchRequest, found: SearchResults, services: Services) -> Card | None:
    """A card with the upstreams' results among ours; None if there are none, or no upstream answered in time.

    What is found is remembered, so that its buttons work; it does not count as seen.
    """
    try:
        lists = await _elsewhere(request, found, services)
        local = found.papers if found.parts is None else ()
        here = {paper.id for paper in local}
        whence = {p.id: name for name, papers in reversed(lists) for p in papers if p.id not in here}
        if not whence:
            return None
        merged = fused([local, *(papers for _, papers in lists)])[:PAGE]
        await services.papers.remember([paper for paper in merged if paper.id in whence])
    except (RedisError, OSError) as error:
        log.warning("nothing further was found", error=str(error))
        return None
    return results_card(request, replace(found, papers=tuple(merged)), 1, services.now(), whence)


async def _elsewhere(
    request: SearchRequest, found: SearchResults, services: Services
) -> list[tuple[str, list[Paper]]]:
    asked = found.parsed
    if asked.paper_id is not None:
        one = await services.upstream_search.paper(asked.paper_id)
        return [(one[0], [one[1]])] if one else []
    words = " ".join(word.typed for word in asked.words) or asked.text
    lists = await services.upstream_search.search(words, asked.query)
    since = services.now() - timedelta(days=int(request.days)) if request.days else None
    holds = Query(asked.must).matches if asked.must is not None else lambda _: True
    return [
        (name, [paper for paper in papers if holds(paper) and (since is None or paper.published >= since)])
        for name, papers in lists
    ]
