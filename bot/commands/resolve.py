"""Resolves an id, a link, a title, a number or a query to the paper or subscription that a person means."""

import asyncio
import re
from collections.abc import Sequence
from difflib import get_close_matches

from bot.commands.clarification import without_lead
from bot.commands.parser import number_in
from bot.commands.services import Services
from bot.commands.table import find
from bot.domain.errors import UserError
from bot.domain.models import ChannelRef, Paper, Subscription
from bot.query import parse
from bot.text.identity import paper_id
from bot.text.words import tokens

MAX_CANDIDATES = 10
"""Maximum number of papers with similar titles that are compared."""
MIN_TITLE_WORDS = 3
"""Minimum number of words that identify a paper if it is the only one with them in its title."""
MAX_LOOKUPS = 5
"""Maximum number of papers per message that the upstreams are asked for."""
NUMBERS = re.compile(r"#?[0-9]{1,9}(?:(?:\s*(?:,|-|–|and)\s*|\s+)#?[0-9]{1,9})+")
"""Several numbers of subscriptions, in any of the ways that people list them."""


async def resolve_paper(typed: str, services: Services) -> Paper:
    """Return the paper that `typed` names by its id, a link or its title. Asks the upstreams for an unknown id.

    Raises UserError if there is none.
    """
    wanted = typed.strip()
    if paper_id(bare := wanted.rstrip("!?.,;:")) and not paper_id(wanted):
        wanted = bare
    ids = [wanted, paper_id(wanted) or wanted]
    found = await services.papers.get(ids)
    if found:
        return next(found[i] for i in ids if i in found)
    paper = await look_up(ids[1], services) if paper_id(wanted) else await titled(wanted, services)
    if paper is None:
        raise _no_paper(wanted)
    return paper


async def titled(typed: str, services: Services) -> Paper | None:
    """Return the paper with this title, or the only one with these words in its title, if there are enough of them."""
    words = _words_of(typed)
    if not words:
        return None
    papers = await services.search.titled(typed, MAX_CANDIDATES)
    exact = [paper for paper in papers if _words_of(paper.title) == words]
    if exact:
        return exact[0]
    return papers[0] if len(papers) == 1 and len(words) >= MIN_TITLE_WORDS else None


async def resolve_papers(ids: Sequence[str], services: Services) -> tuple[list[Paper], list[str]]:
    """Return the papers of these canonical ids in their order, and the ids that aren't found.

    The upstreams are asked for the first few unknown ones.
    """
    found = await services.papers.get(ids)
    unknown = [paper for paper in ids if paper not in found][:MAX_LOOKUPS]
    for paper, answer in zip(
        unknown, await asyncio.gather(*(look_up(one, services) for one in unknown)), strict=True
    ):
        if answer is not None:
            found[paper] = answer
    papers = {found[one].id: found[one] for one in ids if one in found}
    return list(papers.values()), [one for one in ids if one not in found]


async def look_up(paper: str, services: Services) -> Paper | None:
    """Ask the upstreams for a paper by its canonical id, and store it."""
    answer = await services.upstream_search.paper(paper)
    if answer is None:
        return None
    await services.papers.remember([answer[1]])
    return answer[1]


async def resolve_subscription(
    text: str, channel: ChannelRef, services: Services, *, then: str = ""
) -> Subscription:
    """Return the channel's subscription that `text` names.

    Raises UserError that names the nearest one; its hint is the command `then` for that one.
    """
    if NUMBERS.fullmatch(text.strip()):
        raise UserError("Name one subscription at a time, or “all”.", hint="/paper list")
    if not any(map(str.isalnum, text)):
        raise UserError("Name a subscription by its number, like #1, or by its words.", hint="/paper list")
    existing = await services.subscriptions.of(channel)
    number = number_in(text)
    if number is None:
        query = parse(text)
        found = next((s for s in existing if parse(s.query) == query), None)
    else:
        found = next((s for s in existing if s.number == number), None)
    if found is None:
        raise _missing(f"#{number}" if number is not None else text, existing, then)
    return found


def _words_of(title: str) -> list[str]:
    return [token.word for token in tokens(title)]


def _no_paper(typed: str) -> UserError:
    """Return the error for an unknown paper. Its hint names an id in the text, or the command at its end."""
    ids = [word for word in typed.split() if paper_id(word)]
    if len(ids) > 1:
        return UserError("Name one paper at a time.", hint=ids[0])
    if ids and ids[0] != typed:
        return UserError("Type only the paper's id or link.", hint=ids[0])
    if (spec := find(typed.rsplit(maxsplit=1)[-1])) is not None and not spec.hidden:
        return UserError(
            f"“{typed}” isn't a paper. Did you mean the command “{spec.name}”?", hint=f"/paper {spec.name}"
        )
    shown = typed if paper_id(typed) else f"“{typed}”"
    return UserError(
        f"I don't have the paper {shown}. Try its title, or an id like 2405.01234.",
        hint=f"/paper search {typed}",
    )


def _missing(text: str, existing: Sequence[Subscription], then: str) -> UserError:
    if not existing:
        return UserError(
            "This channel has no subscriptions yet.", hint='/paper subscribe "language model" -survey'
        )
    subject = re.sub(r"\A(?:from|to|me from) ", "", without_lead(text))
    near = get_close_matches(subject, [s.query for s in existing], n=1)
    numbers = re.findall(r"[0-9]{1,9}", text) if number_in(text) is None else []
    subscription = next((s for s in existing if s.query in near or [str(s.number)] == numbers), None)
    shown = text if number_in(text) is not None else f"“{text}”"
    closest = f" The closest is #{subscription.number}: {subscription.query}" if subscription else ""
    hint = f"/paper {then} #{subscription.number}" if subscription and then else "/paper list"
    return UserError(f"This channel has no subscription {shown}.{closest}", hint=hint)
