"""`/paper list`: show the channel's subscriptions."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType

from bot.cards import Block, Bullets, Button, Card, Text
from bot.cards.build import actions, bold, code, count, dim, paragraph, text
from bot.cards.paper import AUTHOR, QUERY, short_date
from bot.commands.feedback import DOWN, UP, counted, offer_blocks, proposal
from bot.commands.presets import offers
from bot.commands.services import Services
from bot.domain.models import ChannelSettings, Command, Subscription
from bot.policy.schedule import frequency_of
from bot.ports import Reply
from bot.store.reactions import Vote
from bot.text import shorten

PAGE_SIZE = 15
"""Number of subscriptions per page: with the longest queries a page has fewer than 4,000 characters, the smallest limit
of a platform."""

MAX_OFFER_BLOCKS = 4
"""Maximum number of blocks with narrower queries on a card; each query takes two."""
NO_VOTES: Mapping[int, tuple[int, int]] = MappingProxyType({})


async def list_(command: Command, services: Services) -> Reply:
    """Reply with one page of the channel's subscriptions, by number."""
    subscriptions = await services.subscriptions.of(command.channel)
    page = int(command.options.get("page", 1))
    settings = await services.settings.of(command.channel)
    votes = await services.votes.of(command.channel)
    if not subscriptions:
        return Reply(_empty_card(*await offers(command.channel, services)))
    card = list_card(subscriptions, settings, services.now(), page, counted(votes))
    return Reply(replace(card, blocks=(*card.blocks, *await _offers(subscriptions, votes, services))))


def list_card(
    subscriptions: Sequence[Subscription],
    settings: ChannelSettings,
    now: datetime,
    page: int = 1,
    votes: Mapping[int, tuple[int, int]] = NO_VOTES,
) -> Card:
    """Return a card with a line for each subscription: number, query, schedule, by whom and since when, its 👍 and 👎."""
    pages = -(-len(subscriptions) // PAGE_SIZE)
    page = min(max(page, 1), pages)
    shown = subscriptions[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    heading = f"{count(len(subscriptions), 'subscription')} in this channel"
    neighbors = ((page > 1, "Previous", page - 1), (page < pages, "Next", page + 1))
    return Card(
        "list",
        heading,
        f"{heading} (page {page} of {pages})" if pages > 1 else heading,
        (
            Bullets(tuple(_line(s, settings, now, votes.get(s.number, (0, 0))) for s in shown)),
            paragraph(dim("Remove one with "), code(f"/paper unsubscribe #{shown[0].number}")),
            *actions(*(Button(label, f"list page:{to}") for exists, label, to in neighbors if exists)),
        ),
    )


def _empty_card(or_presets: Text, buttons: Sequence[Button]) -> Card:
    message = "This channel has no subscriptions yet."
    example = 'subscribe "language model" -survey'
    return Card(
        "list",
        message,
        blocks=(
            paragraph(message, " Try ", code(f"/paper {example}")),
            paragraph(*or_presets),
            *actions(*buttons),
        ),
    )


async def _offers(
    subscriptions: Sequence[Subscription], votes: Sequence[Vote], services: Services
) -> Sequence[Block]:
    """Return narrower queries for subscriptions that bring many papers people don't like."""
    blocks: list[Block] = []
    for subscription in subscriptions:
        offer = await proposal(subscription, votes, services)
        if offer and len(blocks) < MAX_OFFER_BLOCKS:
            blocks += offer_blocks(subscription, offer)
    return blocks


def _line(
    subscription: Subscription, settings: ChannelSettings, now: datetime, votes: tuple[int, int]
) -> Text:
    by = f"by {shorten(subscription.creator, AUTHOR)}" if subscription.creator else ""
    votes_given = " ".join(f"{sign} {n}" for sign, n in zip((UP, DOWN), votes, strict=True) if n)
    facts = (
        frequency_of((subscription.every,), settings),
        "always" if subscription.number in settings.always else "",
        by,
        short_date(subscription.created_at, now),
        votes_given,
    )
    return text(
        bold(f"#{subscription.number}"),
        " ",
        code(shorten(subscription.query, QUERY)),
        dim(" · " + " · ".join(fact for fact in facts if fact)),
    )
