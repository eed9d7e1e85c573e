"""Explains why a query brings no papers, or not at once, with figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches

from bot.cards.build import count
from bot.commands.lookback import Lookback
from bot.commands.people import namesake_note, namesakes
from bot.commands.services import Services
from bot.commands.source_reasons import about_category, about_source, failing, find_standing, soon
from bot.domain.models import ChannelRef, ChannelSettings, Paper, Rules
from bot.policy.people import SamePerson
from bot.policy.planner import muting
from bot.policy.schedule import due, in_words, is_open
from bot.query import Category, Organization, Person, Phrase, Query, Signal, SourceName
from bot.query.nodes import Not, Term, terms_of, without
from bot.text.terms import STOP_WORDS

DAYS = 90
"""Number of days searched for a word, a name or a whole query that nothing matched lately."""
MAX_SENTENCES = 4
"""Maximum number of sentences in an answer."""


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
                standing = await find_standing(name, services, follow=follow)
                just_followed = just_followed or (follow and standing.state == "free")
                sentences += about_category(name, standing, services, rules.settings.zone, follow=follow)
            case SourceName(name):
                sentences += about_source(name, polls)
            case _:
                continue
    authors = [term for term in terms if isinstance(term, Person)]
    people = await namesakes(authors[0], services) if len(authors) == 1 == len(terms) else []
    sentences += namesake_note(people)
    sentences += failing(terms, polls, rules.settings.zone)
    if not (past.matching or sentences or past.unread or past.sample or not past.seen):
        sentences += await _about_words(query, terms, services, rules.settings.zone)
    sentences += _held_back(past.matching, rules, services.now())
    return Reasons(
        tuple(sentences[:MAX_SENTENCES]),
        just_followed=just_followed and not past.matching,
        people=tuple(people),
    )


def quiet_now(settings: ChannelSettings, now: datetime) -> list[str]:
    """Return a sentence if quiet hours or a weekend hold posts back now."""
    if is_open(settings, now):
        return []
    until = in_words(due("now", settings, now), settings.zone)
    return [f"Quiet hours: nothing is posted before {until}."]


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
                first = soon(standing.upstream.next_papers(now), now, zone)
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
    words = without(query.root, Signal)
    if words is None:
        return []
    found = len(await services.recent.matching(Query(words)))
    return [f"{count(found, 'paper')} match but for upvotes, rank or code."] if found > 1 else []


async def _excluded(query: Query, services: Services) -> list[str]:
    """Say how many papers would match without the exclusions."""
    wanted = without(query.root, Not)
    if wanted is None or wanted == query.root:
        return []
    found = len(await services.recent.matching(Query(wanted)))
    return [f"{count(found, 'paper')} would match without the exclusions."] if found else []


def _held_back(matching: Sequence[Paper], rules: Rules, now: datetime) -> list[str]:
    mutes = [mute for mute in rules.mutes if mute.is_active(now)]
    muted = [mute for paper in matching if (mute := muting(paper, mutes))]
    sentences = []
    if muted:
        which = muted[0].text if len({mute.text for mute in muted}) == 1 else "mutes of this channel"
        all_of_them = "All" if len(muted) == len(matching) else f"{len(muted)}"
        sentences.append(f"{all_of_them} of them would be muted here: {which}.")
    return [*sentences, *quiet_now(rules.settings, now)]
