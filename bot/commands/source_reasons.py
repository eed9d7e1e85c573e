"""Reasons that lie in sources: what a query asks for isn't read, or can't be read now."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from difflib import get_close_matches

from bot.commands.services import Services
from bot.domain.models import Paper, Subscription
from bot.domain.polls import PollResult
from bot.domain.source_titles import SOURCE_TITLES
from bot.policy.schedule import in_words, is_tonight
from bot.query import Category, SourceName, parse
from bot.query.nodes import Term, terms_of
from bot.sources.categories import CATEGORIES, FORMER
from bot.sources.on_demand import Standing

SOON = timedelta(hours=5)
"""Waits up to this long are given in hours."""


_CATEGORY_OF: Mapping[str, str] = {
    typed: category
    for category, name in CATEGORIES.items()
    for typed in (category.casefold(), name.casefold().replace(" ", "-"))
}
"""Category by what people type for it: its id, or its name with hyphens."""


async def unread_subscriptions(subscriptions: Sequence[Subscription], services: Services) -> list[str]:
    """Return a sentence for each category that a subscription asks for and that isn't read."""
    terms = {
        term
        for subscription in subscriptions
        for term, is_wanted in terms_of(parse(subscription.query).root)
        if is_wanted
    }
    sentences: list[str] = []
    for name in sorted(term.name for term in terms if isinstance(term, Category)):
        standing = await services.catalog.standing(name)
        if standing.state != "free":  # a free one is read from the next minute on
            sentences += about_category(name, standing, services, "UTC", follow=False)
    return sentences


async def unread_categories(paper: Paper, services: Services) -> list[str]:
    """Return the categories of a paper that no source reads, though one could."""
    found = [(name, await services.catalog.standing(name)) for name in paper.categories]
    return [name for name, standing in found if standing.state in ("free", "full", "off")]


async def find_standing(name: str, services: Services, *, follow: bool) -> Standing:
    """Return whether a category is read. With `follow`, read it from now on."""
    if follow:
        return await services.catalog.follow(name, services.now())
    return await services.catalog.standing(name)


def about_category(
    name: str, standing: Standing, services: Services, zone: str, *, follow: bool
) -> list[str]:
    """Return sentences about a category that isn't read yet, or can't be."""
    upstream = standing.upstream
    match standing.state:
        case "free" if follow and upstream:
            first = soon(upstream.next_papers(services.now()), services.now(), zone)
            return [
                f"Following {name} from now; the first papers come {first}.",
                "Its last 14 days are being read, so a preview works in a few minutes.",
            ]
        case "free":
            return [f"{name} isn't read yet. Paperboy starts to read it when someone subscribes to it."]
        case "full" if upstream:
            most = f"{upstream.limit} further categories of {upstream.title} are followed"
            return [f"{name} isn't read: {most}, the most that are allowed here."]
        case "off" if upstream:
            return [f"{name} isn't among the categories of {upstream.title} that are read here."]
        case "unknown" if not services.recent.has_category(name):
            return [_unknown_category(name)]
        case _:
            return []


def _unknown_category(name: str) -> str:
    """Say that the category doesn't exist, and which one was probably meant."""
    typed = name.casefold()
    source = typed.removesuffix(".*")
    if title := SOURCE_TITLES.get(source):
        return f"{title} is a source, not a category: its papers are source:{source}."
    near = get_close_matches(typed, _CATEGORY_OF, n=1, cutoff=0.75)
    suggestion = FORMER.get(typed) or (_CATEGORY_OF[near[0]] if near else "")
    hint = (
        f" Did you mean cat:{suggestion} ({CATEGORIES[suggestion]})?" if suggestion not in ("", name) else ""
    )
    return f"No source has a category {name}.{hint}"


def soon(first: datetime, now: datetime, zone: str) -> str:
    """Say when the first papers come: `in about 3 h`, `tonight`, `on Mon 24 Nov 20:00 Berlin`."""
    if first - now <= SOON:
        return f"in about {max(1, round((first - now) / timedelta(hours=1)))} h"
    return "tonight" if is_tonight(first, zone, now) else f"on {in_words(first, zone)}"


def about_source(name: str, polls: Mapping[str, PollResult]) -> list[str]:
    """Return a sentence if no source of that name is read."""
    read = sorted({source.partition(":")[0] for source in polls} - {"enrichment"})
    if not read or name in read:
        return []
    return [f"The source {name} isn't read here; these are: {', '.join(read)}."]


def failing(terms: Sequence[Term], polls: Mapping[str, PollResult], zone: str) -> list[str]:
    """Return a sentence if none of the sources of a query answers."""
    named = [term for term in terms if isinstance(term, Category | SourceName)]
    relevant = {
        name: poll
        for name, poll in polls.items()
        if not name.startswith("enrichment") and (not named or any(_reads(name, term) for term in named))
    }
    if not relevant or any(poll.error is None for poll in relevant.values()):
        return []
    last = max(
        relevant.values(), key=lambda poll: (poll.succeeded_at is not None, poll.succeeded_at or poll.at)
    )
    since = f"since {in_words(last.succeeded_at, zone)}" if last.succeeded_at else "yet"
    return [f"{last.source} hasn't been readable {since}: {last.error}."]


def _reads(source: str, term: Category | SourceName) -> bool:
    upstream, _, rest = source.partition(":")
    if isinstance(term, SourceName):
        return upstream == term.name
    return rest.partition(":")[0] == term.name.removesuffix(".*")
