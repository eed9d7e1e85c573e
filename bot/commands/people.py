"""`/paper author`, `/paper org`: the latest papers, and a button to follow them. Also the Follow button of a card."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from bot.cards import Block, Button, Card
from bot.cards.build import actions, count, dim, paragraph
from bot.cards.paper import AUTHOR, NOTICE, paper_block
from bot.cards.sanitize import plain
from bot.commands.resolve import resolve_paper
from bot.commands.services import Services
from bot.domain.errors import UserError
from bot.domain.models import Command, Paper
from bot.policy.people import SamePerson, people_among
from bot.ports import Reply
from bot.query import Organization, Person, Query, parse, spelled
from bot.text import shorten
from bot.text.organizations import organization

SHOWN = 8
"""Maximum number of papers listed for an author or an organization."""
DAYS = 90
"""Number of days whose papers are counted."""
AUTHORS = 8
"""Number of authors in the menu of a card, from the first on; the last author is added to them."""


async def author(command: Command, services: Services) -> Reply:
    """Reply with the latest papers of an author."""
    person = _require_person(command.options["name"])
    named = spelled(Query(person, command.options["name"]))
    papers, recent = await _latest(Query(person), services)
    people = await namesakes(person, services)
    who = named.removeprefix("author:").strip('"')
    sentences = [f"{count(recent, 'paper')} in the last {DAYS} days.", *namesake_note(people)]
    if not papers:
        sentences = [f"No paper here has the author {who}."]
    follow = Button("Follow", f"subscribe {named}")
    narrower = [Button(label, f"subscribe {named} {more}") for label, more in narrowings(people)]
    return Reply(_card(f"Papers by {who}", sentences, papers, services.now(), (follow, *narrower)))


async def org(command: Command, services: Services) -> Reply:
    """Reply with the latest papers of an organization."""
    name = organization(command.options["name"])
    if not name:
        raise UserError("Type the name of an organization.", hint="/paper org deepmind")
    lab, typed = Organization(name), plain(command.options["name"]).strip()
    shown = shorten(typed if name in typed.casefold() or typed.isupper() else name, AUTHOR)
    papers, recent = await _latest(Query(lab), services)
    sentences = [f"{count(recent, 'paper')} in the last {DAYS} days."]
    if not papers:
        sentences = [
            f"No paper here names the organization {shown}. Hugging Face names one for about 6 of 10 papers."
        ]
    return Reply(
        _card(
            f"Papers by {shown}",
            sentences,
            papers,
            services.now(),
            (Button("Follow", f"subscribe {_as_named(lab, shown)}"),),
        )
    )


async def followwhat(command: Command, services: Services) -> Reply:
    """Ask which author of a paper, or its organization, to follow."""
    return Reply(follow_card(await resolve_paper(command.options["paper"], services)))


def follow_card(paper: Paper) -> Card:
    """Return the question, with a button for each answer."""
    question = f"Who of “{shorten(plain(paper.title), AUTHOR)}” should this channel follow?"
    names = dict.fromkeys((*paper.authors[:AUTHORS], *paper.authors[-1:]))
    buttons = [
        Button(shorten(plain(name), AUTHOR), f"subscribe {spelled(Query(person, name))}")
        for name in names
        if (person := _parse_person(name))
    ]
    if name := organization(paper.organization or ""):
        label = shorten(plain(paper.organization or ""), AUTHOR)
        buttons.append(Button(label, f"subscribe {_as_named(Organization(name), label)}"))
    rows = [buttons[at : at + 5] for at in range(0, len(buttons), 5)]
    similar = actions(Button("Similar papers", f"similar {paper.id}"))
    return Card(
        "reply",
        question,
        blocks=(paragraph(question), *(one for row in rows for one in actions(*row)), *similar),
    )


async def namesakes(person: Person, services: Services) -> list[SamePerson]:
    """Return the people who wrote the papers of the last 90 days that have an author of this full name."""
    if not person.is_whole:
        return []
    papers, _ = await services.search.newest(Query(person), DAYS)
    return people_among(papers, person)


def namesake_note(people: Sequence[SamePerson]) -> list[str]:
    """Return a sentence if several people have the name."""
    if len(people) < 2:
        return []
    papers = sum(len(one.papers) for one in people)
    where = ", ".join(dict.fromkeys(one.category for one in people[:3] if one.category))
    most = f", mostly in {where}" if where else ""
    wrote = f"wrote {count(papers, 'paper')} in the last {DAYS} days{most}"
    return [f"About {len(people)} people of that name {wrote}; narrow it by a category or a co-author."]


def narrowings(people: Sequence[SamePerson]) -> list[tuple[str, str]]:
    """Return labels and terms that narrow a name to one of several people: by category, and by co-author."""
    if len(people) < 2:
        return []
    found: list[tuple[str, str]] = []
    for one in people[:2]:
        if one.category:
            found.append((f"Only {one.category}", f"cat:{one.category}"))
        if one.coauthor and (person := _parse_person(one.coauthor)):
            found.append((f"Only with {shorten(plain(one.coauthor), AUTHOR)}", str(person)))
    return list(dict.fromkeys(found))


def _as_named(lab: Organization, typed: str) -> str:
    return spelled(Query(lab, f'org:"{typed}"'))


async def _latest(query: Query, services: Services) -> tuple[list[Paper], int]:
    papers, _ = await services.search.newest(query, most=SHOWN)
    return papers, await services.search.count(query, DAYS) if papers else 0


def _require_person(name: str) -> Person:
    found = _parse_person(name)
    if found is None:
        raise UserError("Type the name of an author.", hint="/paper author Yoshua Bengio")
    return found


def _parse_person(name: str) -> Person | None:
    try:
        term = parse(f'author:"{name.replace(chr(34), " ")}"').root
    except UserError:
        return None
    return term if isinstance(term, Person) else None


def _card(
    heading: str, sentences: Iterable[str], papers: Sequence[Paper], now: datetime, buttons: Iterable[Button]
) -> Card:
    lines: tuple[Block, ...] = tuple(paper_block(paper, (), now, "line") for paper in papers)
    sentence = " ".join(sentences)
    return Card(
        "reply",
        shorten(f"{heading}: {sentence}", NOTICE),
        heading,
        (paragraph(dim(sentence)), *lines, *actions(*buttons)),
    )
