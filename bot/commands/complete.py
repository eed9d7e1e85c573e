"""Suggestions for an option while it is typed, on platforms that show them."""

import re
from collections.abc import Sequence

from bot.cards import Choice
from bot.cards.paper import QUERY
from bot.cards.sanitize import plain
from bot.commands.presets import PRESETS
from bot.commands.services import Services
from bot.commands.table import find
from bot.domain.models import ChannelRef
from bot.query import Organization
from bot.sources.categories import CATEGORIES
from bot.text import shorten
from bot.text.organizations import known_as, organization

MAX_CHOICES = 25
"""Maximum number of suggestions: the smallest limit of a platform."""
MAX_TITLES = 10
MAX_LABEL = 100
"""Maximum number of characters in a suggestion: the smallest limit of a platform."""
_ORGANIZATION = re.compile(r'\borg:"?(?P<name>[^":]{0,60})$', re.IGNORECASE)
_WORD = re.compile(r"[^\W_]{3,}")


async def complete(
    command: str, option: str, typed: str, channel: ChannelRef, services: Services
) -> Sequence[Choice]:
    """Return suggestions, the likeliest first; none for an unknown command or option."""
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
    ][:MAX_CHOICES]


async def _queries(typed: str, channel: ChannelRef, services: Services) -> Sequence[Choice]:
    """Complete the last word of the text to a category, a preset, an organization, or a word of a subscription here."""
    before, space, last = typed.rpartition(" ")
    if categories := _categories(
        last.casefold().removeprefix("cat:"), wanted=last.casefold().startswith("cat:")
    ):
        return [
            Choice(f"{before}{space}cat:{one}", f"{before}{space}cat:{one} – {CATEGORIES[one]}")
            for one in categories
        ]
    if last.casefold().startswith("preset:"):
        names = [name for name in PRESETS if name.startswith(last.casefold().removeprefix("preset:"))]
        return [
            Choice(f"{before}{space}preset:{name}", f"{before}{space}preset:{name} – {PRESETS[name].title}")
            for name in names[:MAX_CHOICES]
        ]
    if (unfinished := _ORGANIZATION.search(typed)) is not None:
        return [
            Choice(text, text)
            for name in _organizations(unfinished["name"], services.recent.organizations)
            for text in [f"{typed[: unfinished.start()]}{Organization(name)}"]
        ]
    queries = [s.query for s in await services.subscriptions.of(channel)]
    whole = [query for query in queries if typed.casefold().strip() in query.casefold()]
    known_words = dict.fromkeys(word for query in queries for word in _WORD.findall(query.casefold()))
    words = [
        f"{before}{space}{word}" for word in known_words if len(last) > 1 and word.startswith(last.casefold())
    ]
    return [Choice(text, text) for text in dict.fromkeys((*words, *whole))][:MAX_CHOICES]


def _categories(prefix: str, *, wanted: bool) -> list[str]:
    """Return the categories with this prefix; without `cat:` only if it can't be anything else, as in `cs.c`."""
    if not wanted and "." not in prefix:
        return []
    return [category for category in CATEGORIES if category.casefold().startswith(prefix)][:MAX_CHOICES]


def _organizations(prefix: str, seen: Sequence[str]) -> list[str]:
    """Return organizations whose name begins with the prefix, then those with such a word; the most frequent first."""
    wanted, others = organization(prefix), known_as(prefix)
    first = [name for name in seen if name.startswith(wanted) or name in others]
    return [*first, *(name for name in seen if f" {wanted}" in name and name not in first)][:MAX_CHOICES]


async def _titles(typed: str, services: Services) -> Sequence[Choice]:
    papers = await services.search.titled(typed, MAX_TITLES)
    return [Choice(paper.id, shorten(plain(paper.title), MAX_LABEL)) for paper in papers]
