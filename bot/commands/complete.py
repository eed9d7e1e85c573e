"""What could be meant by what was typed so far: for platforms that complete options."""

from collections.abc import Sequence

from bot.cards import Choice
from bot.cards.paper import QUERY
from bot.cards.plain import plain
from bot.commands.services import Services
from bot.commands.table import find
from bot.models import ChannelRef
from bot.text import shorten

MOST = 25
"""Discord shows no more."""
TITLES = 10
LABEL = 100
"""Characters; Discord's limit."""


async def complete(
    command: str, option: str, typed: str, channel: ChannelRef, services: Services
) -> Sequence[Choice]:
    """The likeliest first. Nothing for what is not known."""
    spec = find(command)
    kind = next((o.kind for o in spec.options if o.name == option), None) if spec else None
    if kind == "subscription":
        return await _subscriptions(typed, channel, services)
    return await _titles(typed, services) if kind == "title" else ()


async def _subscriptions(typed: str, channel: ChannelRef, services: Services) -> Sequence[Choice]:
    wanted = typed.casefold().removeprefix("#").strip()
    return [
        Choice(f"#{s.number}", f"#{s.number} {shorten(s.query, QUERY)}")
        for s in await services.subscriptions.of(channel)
        if wanted in s.query.casefold() or str(s.number).startswith(wanted)
    ][:MOST]


async def _titles(typed: str, services: Services) -> Sequence[Choice]:
    papers = await services.search.titled(typed, TITLES)
    return [Choice(paper.id, shorten(plain(paper.title), LABEL)) for paper in papers]
