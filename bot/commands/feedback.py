"""👍 and 👎: counted for the subscriptions that match a paper; many 👎 lead to a narrower query."""

from collections import Counter
from collections.abc import Iterable, Mapping

from bot.cards import Block, Button, Card
from bot.cards.build import actions, bold, code, paragraph
from bot.cards.paper import QUERY
from bot.commands.replan import replan_waiting
from bot.commands.resolve import resolve_paper, resolve_subscription
from bot.commands.services import Services
from bot.commands.taste import taste_blocks
from bot.commands.taste_learning import relearn
from bot.domain.errors import UserError
from bot.domain.models import Command, Paper, Subscription
from bot.policy.query_narrowing import DISLIKES, Narrower, holds_up, narrowed, narrower
from bot.ports import Reply
from bot.query import parse, spelled
from bot.store.reactions import Vote
from bot.text import shorten

UP, DOWN = "👍", "👎"
TRIED_PAPERS = 60
"""Maximum number of recent papers that a narrower query is tried on."""


async def up(command: Command, services: Services) -> Reply:
    """Count a 👍."""
    return await _voted(command, services, liked=True)


async def down(command: Command, services: Services) -> Reply:
    """Count a 👎."""
    return await _voted(command, services, liked=False)


async def _count(command: Command, paper: Paper, services: Services, *, liked: bool) -> list[Subscription]:
    """Count a vote. Returns the subscriptions that it counts for."""
    channel = command.channel
    matching = [s for s in await services.subscriptions.of(channel) if parse(s.query).matches(paper)]
    numbers = tuple(s.number for s in matching)
    await services.votes.put(channel, command.user, paper.id, liked=liked, numbers=numbers)
    await relearn(channel, services, lambda taste: taste.remember(paper.id))
    return matching


async def narrow(command: Command, services: Services) -> Reply:
    """Add an exclusion to a subscription: `#3 -survey`."""
    number, _, exclusions = command.options["change"].strip().partition(" ")
    subscription = await resolve_subscription(number, command.channel, services)
    query = narrowed(subscription.query, exclusions)
    changed = await services.subscriptions.change(command.channel, subscription.number, query=spelled(query))
    await replan_waiting(command.channel, services)
    return Reply(query_changed_card("Narrowed", changed or subscription))


async def widen(command: Command, services: Services) -> Reply:
    """Restore the query that a subscription had before."""
    subscription = await resolve_subscription(command.options["subscription"], command.channel, services)
    if not subscription.was:
        raise UserError(
            f"#{subscription.number} hasn't been changed, so there is nothing to restore.", hint="/paper list"
        )
    changed = await services.subscriptions.change(
        command.channel, subscription.number, query=subscription.was
    )
    await replan_waiting(command.channel, services)
    return Reply(query_changed_card("Restored", changed or subscription))


async def proposal(subscription: Subscription, votes: Iterable[Vote], services: Services) -> Narrower | None:
    """Return a narrower query for a subscription whose papers got many 👎; None if there is none."""
    verdicts = _verdicts(vote for vote in votes if subscription.number in vote.numbers)
    if sum(score < 0 for score in verdicts.values()) < DISLIKES:
        return None
    papers = await services.papers.get(verdicts)
    liked = [paper for paper_id, paper in papers.items() if verdicts[paper_id] > 0]
    disliked = [paper for paper_id, paper in papers.items() if verdicts[paper_id] < 0]
    query = parse(subscription.query)
    others = set(await services.recent.matching(query)) - verdicts.keys()
    tried = list((await services.papers.get(sorted(others)[:TRIED_PAPERS])).values())
    offer = narrower(query, liked, disliked, tried)
    return offer if offer and holds_up(offer, query, liked, disliked, tried) else None


def counted(votes: Iterable[Vote]) -> Mapping[int, tuple[int, int]]:
    """Count 👍 and 👎 by subscription number."""
    ups: Counter[int] = Counter()
    downs: Counter[int] = Counter()
    for vote in votes:
        (ups if vote.liked else downs).update(vote.numbers)
    return {number: (ups[number], downs[number]) for number in ups | downs}


def offer_blocks(subscription: Subscription, offer: Narrower) -> tuple[Block, ...]:
    """Return the narrower query, its back-test, and a button that applies it."""
    number = f"#{subscription.number}"
    kept = f" and kept all {offer.kept} with a 👍" if offer.kept else ""
    return (
        paragraph(
            f"{number} brings many papers with a 👎. ", code(offer.exclusions), " would have left out "
            f"{offer.left_out} of {offer.disliked} of them{kept}.",
        ),
        *actions(Button(f"Narrow {number}", f"narrow {number} {offer.exclusions}")),
    )  # fmt: skip


async def _voted(command: Command, services: Services, *, liked: bool) -> Reply:
    paper = await resolve_paper(command.options["paper"], services)
    matching = await _count(command, paper, services, liked=liked)
    votes = await services.votes.of(command.channel)
    sign = UP if liked else DOWN
    to = ", ".join(f"#{s.number}" for s in matching)
    message = f"{sign} counted{f' for {to}' if to else ''}."
    offers: list[Block] = []
    for subscription in matching if not liked else ():
        offer = await proposal(subscription, votes, services)
        offers += offer_blocks(subscription, offer) if offer else ()
    if not liked and not offers and sum(not vote.liked for vote in votes) >= DISLIKES:
        offers += await taste_blocks(command.channel, services)
    return Reply(Card("reply", message, blocks=(paragraph(message), *offers)))


def query_changed_card(how: str, subscription: Subscription) -> Card:
    """Return a card with the query that a subscription has now, and an Undo button."""
    number = f"#{subscription.number}"
    return Card(
        "reply",
        f"{how}: {number}, {shorten(subscription.query, QUERY)}",
        blocks=(
            paragraph(f"{how}: ", bold(number), " ", code(subscription.query)),
            *actions(Button("Undo", f"widen {number}")),
        ),
    )


def _verdicts(votes: Iterable[Vote]) -> Counter[str]:
    """Return 👍 minus 👎 by paper."""
    found: Counter[str] = Counter()
    for vote in votes:
        found[vote.paper] += 1 if vote.liked else -1
    return found
