"""What could be meant by what was typed so far: for platforms that complete options."""

import re
from collections.abc import Sequence

from bot.cards import Choice
from bot.cards.paper import QUERY
from bot.cards.plain import plain
from bot.commands.categories import CATEGORIES
from bot.commands.services import Services
from bot.commands.table import find
from bot.domain.models import ChannelRef
from bot.text import shorten

MOST = 25
"""Discord shows no more."""
TITLES = 10
LABEL = 100
"""Characters; Discord's limit."""
_WORD = re.compile(r"[^\W_]{3,}")


async def complete(
    command: str, option: str, typed: str, channel: ChannelRef, services: Services
) -> Sequence[Choice]:
    """The likeliest first. Nothing for what is not known."""
    spec = find(command)
    kind = next((o.kind for o in spec.options if o.name == option), None) if spec else None
    match kind:
        case "subscription":
            return await _subscriptions(typed, channel, services)
        case "title":
            return await _titles(typed, services)
        case "query":
            return await _queries(typed, channel, services)
        case _:
            return ()


async def _subscriptions(typed: str, channel: ChannelRef, services: Services) -> Sequence[Choice]:
    wanted = typed.casefold().removeprefix("#").strip()
    return [
        Choice(f"#{s.number}", f"#{s.number} {shorten(s.query, QUERY)}")
        for s in await services.subscriptions.of(channel)
        if wanted in s.query.casefold() or str(s.number).startswith(wanted)
    ][:MOST]


async def _queries(typed: str, channel: ChannelRef, services: Services) -> Sequence[Choice]:
    """What was typed so far with its last word as a category, or as a word that is subscribed to here."""
    before, space, last = typed.rpartition(" ")
    if categories := _categories(
        last.casefold().removeprefix("cat:"), wanted=last.casefold().startswith("cat:")
    ):
        return [
            Choice(f"{before}{space}cat:{one}", f"{before}{space}cat:{one} – {CATEGORIES[one]}")
            for one in categories
        ]
    queries = [s.query for s in await services.subscriptions.of(channel)]
    whole = [query for query in queries if typed.casefold().strip() in query.casefold()]
    said = dict.fromkeys(word for query in queries for word in _WORD.findall(query.casefold()))
    words = [f"{before}{space}{word}" for word in said if len(last) > 1 and word.startswith(last.casefold())]
    return [Choice(text, text) for text in dict.fromkeys((*words, *whole))][:MOST]


def _categories(begun: str, *, wanted: bool) -> list[str]:
    """Those that begin so; without `cat:` only where it can be nothing else, as in `cs.c`."""
    if not wanted and "." not in begun:
        return []
    return [category for category in CATEGORIES if category.casefold().startswith(begun)][:MOST]


async def _titles(typed: str, services: Services) -> Sequence[Choice]:
    papers = await services.search.titled(typed, TITLES)
    return [Choice(paper.id, shorten(plain(paper.title), LABEL)) for paper in papers]
