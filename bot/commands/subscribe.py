"""`/paper subscribe`: follow a query, and learn at once what that means."""

from typing import Literal, cast

from bot.cards import Button, Card
from bot.cards.paper import QUERY
from bot.cards.say import actions, bold, code, paragraph
from bot.commands.lookback import Lookback, look_back
from bot.commands.services import Services
from bot.models import Command, Every, Subscription
from bot.ports import Reply
from bot.query import Query, parse
from bot.text import shorten

_WHEN: dict[Every, str] = {
    "now": "New ones are posted here as they come.",
    "daily": "New ones are gathered and posted here once a day.",
    "weekly": "New ones are gathered and posted here once a week.",
}


async def subscribe(command: Command, services: Services) -> Reply:
    """Add the subscription, unless it is so broad that the channel should be asked first."""
    query = parse(command.options["query"])
    every = cast("Every", command.options.get("every", "now"))
    past = await look_back(query, services)
    if past.broad and command.options.get("sure") != "yes":
        return Reply(broad_card(query, every, past))
    subscription, new = await services.subscriptions.add(
        command.channel, str(query), every, command.user.signature
    )
    return Reply(subscribed_card(subscription, past) if new else already_card(subscription, every))


def subscribed_card(subscription: Subscription, past: Lookback) -> Card:
    """The query as understood, its number, and what it would have posted."""
    number, query = f"#{subscription.number}", subscription.query
    see = (Button("See them", f"preview {number}"),) if past.matching else ()
    return Card(
        "reply",
        f"Subscribed as {number}: {shorten(query, QUERY)}. {past.sentence()}",
        blocks=(
            paragraph("Subscribed as ", bold(number), ": ", code(query)),
            paragraph(f"{past.sentence()} {_WHEN[subscription.every]}"),
            *actions(*see, Button("Undo", f"unsubscribe {number}")),
        ),
    )


def already_card(subscription: Subscription, every: Every) -> Card:
    """The channel has this subscription."""
    number, query = f"#{subscription.number}", subscription.query
    change = ""
    if every != subscription.every:
        change = f" It is posted every:{subscription.every}; to change that, unsubscribe {number} first."
    return Card(
        "reply",
        f"Already subscribed, as {number}. Nothing was changed.",
        blocks=(
            paragraph("Already subscribed, as ", bold(number), ": ", code(query)),
            paragraph(f"Nothing was changed.{change}"),
            *actions(Button("Preview", f"preview {number}"), Button("Unsubscribe", f"unsubscribe {number}")),
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


def _line(query: Query, every: Literal["now", "daily", "weekly"]) -> str:
    return f"subscribe {query}" + ("" if every == "now" else f" every:{every}")
