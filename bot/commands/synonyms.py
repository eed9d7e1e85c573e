"""Offers synonyms for a part of a query, with the number of papers they would add; `/paper also` accepts one."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.cards import Block, Button
from bot.cards.build import MAX_BUTTON, actions, code, count, paragraph
from bot.commands.feedback import query_changed_card
from bot.commands.lookback import DAYS, Lookback, is_broad
from bot.commands.replan import replan_waiting
from bot.commands.resolve import resolve_subscription
from bot.commands.services import Services
from bot.domain.errors import UserError
from bot.domain.models import Command, Subscription
from bot.policy.synonyms import WORTH, Synonym, widened
from bot.ports import Reply
from bot.query import Query, parse, spelled


@dataclass(frozen=True, slots=True)
class Offer:
    """A synonym for a part of a query, the query with it, and how many more papers it would have brought."""

    synonym: Synonym
    query: Query
    more: int

    def blocks(self, command: str) -> tuple[Block, ...]:
        """Return the line, and the button that sends `command`."""
        if len(command) > MAX_BUTTON:
            return ()
        figure = f"? +{count(self.more, 'paper')} in {DAYS} days."
        return (
            paragraph("Also match ", code(str(self.synonym.other)), figure),
            *actions(Button(f"Also match {self.synonym.other}", command)),
        )


async def best_offer(query: Query, past: Lookback, services: Services) -> Offer | None:
    """Return the synonym that adds most papers, if one is worth it and doesn't flood the channel."""
    if past.sample or past.unread or not past.seen:
        return None
    now = len(past.matching)
    offers = []
    for synonym, wider in await wider_queries(query, services):
        more = len(await services.recent.matching(wider)) - now
        if more >= max(1, WORTH * now) and (past.broad or not is_broad(now + more, past.days)):
            offers.append(Offer(synonym, wider, more))
    return max(offers, key=lambda offer: offer.more, default=None)


async def wider_queries(query: Query, services: Services) -> Sequence[tuple[Synonym, Query]]:
    """Return every synonym that can be offered for a part of `query`, with the query that has it."""
    found = []
    for synonym in await services.search.synonyms(query):
        try:
            found.append((synonym, widened(query, synonym)))
        except UserError:  # it has the other word already, or would get too long
            continue
    return found


def accepting(subscription: Subscription, synonym: Synonym) -> str:
    """Return the command that adds the synonym to the subscription."""
    return f"also #{subscription.number} {synonym}"


async def also(command: Command, services: Services) -> Reply:
    """Add an alternative to a part of a subscription: `#3 rl OR "reinforcement learning"`."""
    number, _, typed = command.options["change"].strip().partition(" ")
    subscription = await resolve_subscription(number, command.channel, services)
    query = widened(parse(subscription.query), Synonym.parse(typed))
    changed = await services.subscriptions.change(command.channel, subscription.number, query=spelled(query))
    await replan_waiting(command.channel, services)
    return Reply(query_changed_card("Widened", changed or subscription))
