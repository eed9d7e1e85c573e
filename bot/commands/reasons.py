"""Explains why a query brings no papers, or not at once, with figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import get_close_matches

from bot.cards.build import count
from bot.commands.lookback import Lookback
from bot.commands.people import namesake_note, namesakes
from bot.commands.services import Services
from bot.domain.models import ChannelRef, ChannelSettings, Paper, Rules, Subscription
from bot.domain.polls import PollResult
from bot.domain.source_titles import SOURCE_TITLES
from bot.policy.people import SamePerson
from bot.policy.planner import muting
from bot.policy.schedule import due, in_words, is_open, is_tonight
from bot.query import Category, Node, Organization, Person, Phrase, Query, Signal, SourceName, parse
from bot.query.nodes import And, Not, Or, Term, all_of, any_of, terms_of
from bot.sources.categories import CATEGORIES, FORMER
from bot.sources.on_demand import Standing
from bot.text.terms import STOP_WORDS

DAYS = 90
"""Number of days searched for a word, a name or a whole query that nothing matched lately."""
MAX_SENTENCES = 4
"""Maximum number of sentences in an answer."""
SOON = timedelta(hours=5)
"""Waits up to this long are given in hours."""


_CATEGORY_OF: Mapping[str, str] = {
    typed: category
    for category, name in CATEGORIES.items()
    for typed in (category.casefold(), name.casefold().replace(" ", "-"))
}
"""Category by what people type for it: its id, or its name with hyphens."""


@dataclass(frozen=True, slots=True)
class Reasons:
    """Sentences that explain to a person what a query matches."""

    sentences: tuple[str, ...]
    just_followed: bool = False
    """Whether a category has only just been followed, so that the look-back says nothing yet."""
    people: tuple[SamePerson, ...] = ()
    """People who have the name of the query's only author."""

    def text(self, found: str) -> str:
        """Join `found`, the look-back's sentence, and the reasons. Leave out `found` if it says nothing yet."""
        return " ".join(self.sentences if self.just_followed else (found, *self.sentences))


async def reasons(
    query: Query, past: Lookback, channel: ChannelRef, services: Services, *, follow: bool = False
) -> Reasons:
    """Explain why `query` brings nothing, or less than it seems. With `follow`, follow its categories from now on."""
    rules = await services.rules.of(channel)
    terms = list(dict.fromkeys(term for term, is_wanted in terms_of(query.root) if is_wanted))
    polls = await services.polls()
    sentences: list[str] = []
    just_followed = False
    for term in terms:
        match term:
            case Category(name):
                standing = await _standing(name, services, follow=follow)
                just_followed = just_followed or (follow and standing.state == "free")
                sentences += _about_category(name, standing, services, rules.settings.zone, follow=follow)
            case SourceName(name):
                sentences += _about_source(name, polls)
            case _:
                continue
    authors = [term for term in terms if isinstance(term, Person)]
    people = await namesakes(authors[0], services) if len(authors) == 1 == len(terms) else []
    sentences += namesake_note(people)
    sentences += _failing(terms, polls, rules.settings.zone)
    if not (past.matching or sentences or past.unread or past.sample or not past.seen):
        sentences += await _about_words(query, terms, services, rules.settings.zone)
    sentences += _held_back(past.matching, rules, services.now())
    return Reasons(
        tuple(sentences[:MAX_SENTENCES]),
        just_followed=just_followed and not past.matching,
        people=tuple(people),
    )


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
            sentences += _about_category(name, standing, services, "UTC", follow=False)
    return sentences


async def unread_categories(paper: Paper, services: Services) -> list[str]:
    """Return the categories of a paper that no source reads, though one could."""
    found = [(name, await services.catalog.standing(name)) for name in paper.categories]
    return [name for name, standing in found if standing.state in ("free", "full", "off")]


def quiet_now(settings: ChannelSettings, now: datetime) -> list[str]:
    """Return a sentence if quiet hours or a weekend hold posts back now."""
    if is_open(settings, now):
        return []
    until = in_words(due("now", settings, now), settings.zone)
    return [f"Quiet hours: nothing is posted before {until}."]


async def _standing(name: str, services: Services, *, follow: bool) -> Standing:
    if follow:
        return await services.catalog.follow(name, services.now())
    return await services.catalog.standing(name)


def _about_category(
    name: str, standing: Standing, services: Services, zone: str, *, follow: bool
) -> list[str]:
    upstream = standing.upstream
    match standing.state:
        case "free" if follow and upstream:
            first = _soon(upstream.next_papers(services.now()), services.now(), zone)
            return [
                f"Following {name} from now; the first papers come {first}.",
                "Its last 14 days are being read, so a preview works in a few minutes.",
            ]
        case "free":
            return [f"{name} isn't read yet; once someone subscribes to it, it is."]
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


def _soon(first: datetime, now: datetime, zone: str) -> str:
    if first - now <= SOON:
        return f"in about {max(1, round((first - now) / timedelta(hours=1)))} h"
    return "tonight" if is_tonight(first, zone, now) else f"on {in_words(first, zone)}"


def _about_source(name: str, polls: Mapping[str, PollResult]) -> list[str]:
    read = sorted({source.partition(":")[0] for source in polls} - {"enrichment"})
    if not read or name in read:
        return []
    return [f"The source {name} isn't read here; these are: {', '.join(read)}."]


def _failing(terms: Sequence[Term], polls: Mapping[str, PollResult], zone: str) -> list[str]:
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


async def _about_words(query: Query, terms: Sequence[Term], services: Services, zone: str) -> list[str]:
    """Say which part of a query no paper of the last 90 days has, or how many papers have all of it."""
    if waiting := await _waiting(query, services) or await _excluded(query, services):
        return waiting
    named = [term for term in terms if isinstance(term, Phrase | Person | Organization | Category)]
    for term in named:
        if not await services.search.count(Query(term), DAYS):
            return [await _missing(term, services, zone)]
    found = await services.search.count(query, DAYS)
    if found:
        return [f"It is rare: {count(found, 'match', 'matches')} in the last {DAYS} days."]
    return [f"No paper of the last {DAYS} days has all of it."] if len(terms) > 1 else []


async def _missing(term: Phrase | Person | Organization | Category, services: Services, zone: str) -> str:
    """Say that no paper of the last 90 days has the term, and name the nearest one."""
    none = f"No paper of the last {DAYS} days"
    match term:
        case Phrase():
            return f"{none} has {await _missing_words(term, services)}"
        case Person(words):
            near = await services.search.nearest_word(words[-1])
            hint = f" The nearest name is {near}." if near else ""
            return f"{none} has the author {' '.join(words)}.{hint}"
        case Organization(name):
            nearest = get_close_matches(name, services.recent.organizations, n=1, cutoff=0.5)
            hint = f" The nearest is {Organization(nearest[0])}." if nearest else ""
            return f"{none} names the organization {name}.{hint}"
        case Category(name):
            standing, now = await services.catalog.standing(name), services.now()
            if standing.state == "followed" and standing.upstream:
                first = _soon(standing.upstream.next_papers(now), now, zone)
                return f"{name} is followed, but no paper of it has come in yet; the next ones come {first}."
            return f"{none} is in {name}."


async def _missing_words(term: Phrase, services: Services) -> str:
    where = {"title": " in its title", "abs": " in its abstract"}.get(term.field, "")
    significant_words = [word for word in term.words if word not in STOP_WORDS or len(term.words) == 1]
    for word in significant_words if not term.prefix else ():
        if await services.search.count(Query(Phrase((word,), term.field, term.exact)), DAYS):
            continue
        near = await services.search.nearest_word(word)
        hint = f" The nearest word that papers have is “{near}”." if near else ""
        return f"the word “{word}”{where}.{hint}"
    return f"{term}."


async def _waiting(query: Query, services: Services) -> list[str]:
    """Say how many papers match except for a signal, which they may still reach."""
    if not query.has_signals:
        return []
    words = without_signals(query.root)
    if words is None:
        return []
    found = len(await services.recent.matching(Query(words)))
    return [f"{count(found, 'paper')} match but for upvotes, rank or code."] if found > 1 else []


async def _excluded(query: Query, services: Services) -> list[str]:
    """Say how many papers would match without the exclusions."""
    wanted = without_exclusions(query.root)
    if wanted is None or wanted == query.root:
        return []
    found = len(await services.recent.matching(Query(wanted)))
    return [f"{count(found, 'paper')} would match without the exclusions."] if found else []


def without_exclusions(node: Node) -> Node | None:
    """Return the query without its `-word` parts; None if nothing is left."""
    match node:
        case Not():
            return None
        case And(nodes) | Or(nodes):
            left = [part for part in map(without_exclusions, nodes) if part is not None]
            if not left:
                return None
            return all_of(left) if isinstance(node, And) else any_of(left)
        case _:
            return node


def without_signals(node: Node) -> Node | None:
    """Return the query without upvotes, rank and code; None if nothing is left."""
    match node:
        case Signal() | Not(Signal()):
            return None
        case And(nodes) | Or(nodes):
            left = [part for part in map(without_signals, nodes) if part is not None]
            if not left:
                return None
            return all_of(left) if isinstance(node, And) else any_of(left)
        case _:
            return node


def _held_back(matching: Sequence[Paper], rules: Rules, now: datetime) -> list[str]:
    mutes = [mute for mute in rules.mutes if mute.is_active(now)]
    muted = [mute for paper in matching if (mute := muting(paper, mutes))]
    sentences = []
    if muted:
        which = muted[0].text if len({mute.text for mute in muted}) == 1 else "mutes of this channel"
        all_of_them = "All" if len(muted) == len(matching) else f"{len(muted)}"
        sentences.append(f"{all_of_them} of them would be muted here: {which}.")
    return [*sentences, *quiet_now(rules.settings, now)]
