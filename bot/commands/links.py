"""Cards for links to papers that people post: from stored papers, else from an upstream that answers in a second."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from bot.cards import Card
from bot.cards.paper import link_card
from bot.commands.places import place_here, with_place
from bot.commands.resolve import look_up
from bot.commands.services import Services
from bot.domain.models import ChannelRef, Paper
from bot.text.identity import paper_id

MAX_CARDS = 5
"""Maximum number of cards for one message: with more, its text would be lost."""
LOOKUP_WAIT = 1.0
"""Seconds for which the cards of a message wait for papers that aren't stored."""
LOOKUP_PAUSE = 3600
"""Seconds before an upstream is asked again for a linked paper."""
LOOKUP_LEASE = 30
"""Seconds until it can be asked again if the process that asked has died."""

Show = Callable[[Mapping[str, Card]], Awaitable[None]]


async def show_links(links: Sequence[str], channel: ChannelRef, services: Services, show: Show) -> None:
    """Show the cards of all papers that the links lead to, once. Papers found too late are stored for the next time."""
    named = _papers(links)
    if not named or not (await services.settings.of(channel)).links:
        await show({})
        return
    found = await services.papers.get(named.values())
    unknown = [paper for paper in named.values() if paper not in found]
    lookups = {paper: asyncio.create_task(_look_up_once(paper, services)) for paper in unknown}
    try:
        if lookups:
            await asyncio.wait(lookups.values(), timeout=LOOKUP_WAIT)
        for paper, lookup in lookups.items():
            if lookup.done() and (answer := lookup.result()):
                found[paper] = answer
        cards = {
            link: await _card(found[paper], channel, services)
            for link, paper in named.items()
            if paper in found
        }
        await show(cards)
        await asyncio.gather(*lookups.values())
    finally:
        for lookup in lookups.values():
            lookup.cancel()


async def _card(paper: Paper, channel: ChannelRef, services: Services) -> Card:
    """Return a card that names only earlier posts in this channel, because everyone there sees it."""
    card, now = link_card(paper, services.now()), services.now()
    place = await place_here(paper.id, channel, services)
    return card if place is None else with_place(card, place, now)


def _papers(links: Sequence[str]) -> Mapping[str, str]:
    """Return the first link to each paper, with the paper's id."""
    first: dict[str, str] = {}
    for link in links:
        if paper := paper_id(link):
            first.setdefault(paper, link)
    return {link: paper for paper, link in list(first.items())[:MAX_CARDS]}


async def _look_up_once(paper: str, services: Services) -> Paper | None:
    """Ask the upstreams, unless that was done recently: many people may post the same link."""
    request = f"looked up {paper}"
    if not await services.button_payloads.first(request, LOOKUP_LEASE):
        return None
    found = await look_up(paper, services)
    await services.button_payloads.remember(request, LOOKUP_PAUSE)
    return found
