"""`/paper subscribe`: follow a query, and learn at once what that means."""

from dataclasses import replace
from datetime import datetime
from typing import cast

from bot.cards import Button, Card
from bot.cards.paper import QUERY
from bot.cards.say import actions, bold, code, paragraph
from bot.commands.lookback import Lookback, look_back
from bot.commands.replan import follow
from bot.commands.services import Services
from bot.domain.models import ChannelSettings, Command, Every, Frequency, Subscription
from bot.policy.schedule import due, frequency_of, in_words
from bot.ports import Reply
from bot.query import Query, parse
from bot.text import shorten

_WHEN: dict[Frequency, str] = {
    "now": "New ones are posted here as they come.",
    "daily": "New ones are gathered and posted here once a day, next on {}.",
    "weekly": "New ones are gathered and posted here once a week, next on {}.",
}


async def subscribe(command: Command, services: Services) -> Reply:
    """Add the subscription, unless it is so broad that the channel should be asked first."""
    query = parse(command.options["query"])
    every = cast("Every", command.options.get("every", "channel"))
    past = await look_back(query, services)
    if past.broad and command.options.get("sure") != "yes":
        return Reply(broad_card(query, every, past))
    subscription, new = await services.subscriptions.add(
        command.channel, str(query), every, command.user.signature
    )
    settings = await services.settings.of(command.channel)
    if new:
        card = subscribed_card(subscription, past, when_posted(every, settings, services.now()))
        warning = await services.join(command.channel)
        return Reply(card if warning is None else with_warning(card, warning))
    if command.options.get("every", subscription.every) == subscription.every:
        return Reply(already_card(subscription))
    changed = await services.subscriptions.change(command.channel, subscription.number, every=every)
    await follow(command.channel, services)
    return Reply(
        changed_card(
            changed or subscription, subscription.every, when_posted(every, settings, services.now())
        )
    )


def when_posted(every: Every, settings: ChannelSettings, now: datetime) -> str:
    """When what matches is posted, in words."""
    rhythm = frequency_of((every,), settings)
    return _WHEN[rhythm].format(in_words(due(rhythm, settings, now), settings.zone))


def subscribed_card(subscription: Subscription, past: Lookback, when: str) -> Card:
    """The query as understood, its number, and what it would have posted."""
    number, query = f"#{subscription.number}", subscription.query
    see = (Button("See them", f"preview {number}"),) if past.matching else ()
    return Card(
        "reply",
        f"Subscribed as {number}: {shorten(query, QUERY)}. {past.sentence()}",
        blocks=(
            paragraph("Subscribed as ", bold(number), ": ", code(query)),
            paragraph(f"{past.sentence()} {when}"),
            *actions(*see, Button("Undo", f"unsubscribe {number}")),
        ),
    )


def with_warning(card: Card, warning: str) -> Card:
    """The card with a last line about what may go wrong."""
    *blocks, buttons = card.blocks
    return replace(card, blocks=(*blocks, paragraph(warning), buttons))


def already_card(subscription: Subscription) -> Card:
    """The channel has this subscription."""
    number, query = f"#{subscription.number}", subscription.query
    return Card(
        "reply",
        f"Already subscribed, as {number}. Nothing was changed.",
        blocks=(
            paragraph("Already subscribed, as ", bold(number), ": ", code(query)),
            paragraph("Nothing was changed."),
            *actions(Button("Preview", f"preview {number}"), Button("Unsubscribe", f"unsubscribe {number}")),
        ),
    )


def changed_card(subscription: Subscription, was: Every, when: str) -> Card:
    """The same subscription in another rhythm."""
    number, query = f"#{subscription.number}", subscription.query
    return Card(
        "reply",
        f"{number} now comes every:{subscription.every}. {when}",
        blocks=(
            paragraph(bold(number), " now comes ", code(f"every:{subscription.every}"), ": ", code(query)),
            paragraph(when),
            *actions(Button("Undo", f"subscribe {query} every:{was} sure:yes")),
        ),
    )


def broad_card(query: Query, every: Every, past: Lookback) -> Card:
    """The question before a flood. Nothing has been changed yet."""
    line = _line(query, every)
    popular = _line(parse(f"({query}) min:20"), every)
    return Card(
        "reply",
        f"That would post about {past.per_day:,} papers a day here. Subscribe anyway?",
        blocks=(
            paragraph("That would post about ", bold(f"{past.per_day:,} papers a day"), " here: ", code(str(query))),
            paragraph("Narrow it with another word or ", code("-word"), ", wait for upvotes with ", code("min:20"),
                      ", or put ", code("sure:yes"), " behind it."),
            *actions(
                Button("Only with 20 upvotes", popular),
                Button("Subscribe anyway", f"{line} sure:yes"),
                Button("See them", f"preview {query}"),
            ),
        ),
    )  # fmt: skip


def _line(query: Query, every: Every) -> str:
    return f"subscribe {query}" + ("" if every == "channel" else f" every:{every}")
