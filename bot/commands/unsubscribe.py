"""`/paper unsubscribe`: stop a subscription, by its number or its query."""

from bot.cards import Bullets, Button, Card
from bot.cards.build import actions, bold, code, count, paragraph, text
from bot.cards.paper import QUERY
from bot.commands.replan import replan_waiting
from bot.commands.resolve import resolve_subscription
from bot.commands.services import Services
from bot.domain.models import Command, Subscription
from bot.ports import Reply
from bot.text import shorten

ALL = frozenset({"all", "everything", "*"})


async def unsubscribe(command: Command, services: Services) -> Reply:
    """End the subscription; a button in the answer restores it."""
    if command.options["subscription"].casefold() in ALL:
        return Reply(await _end_all(command, services))
    wanted = await resolve_subscription(
        command.options["subscription"], command.channel, services, then="unsubscribe"
    )
    ended = await services.subscriptions.remove(command.channel, wanted.number)
    await replan_waiting(command.channel, services)
    return Reply(ended_card(ended or wanted))


async def _end_all(command: Command, services: Services) -> Card:
    """End every subscription of the channel, after asking."""
    existing = await services.subscriptions.of(command.channel)
    if not existing:
        message = "This channel has no subscriptions."
        return Card("reply", message, blocks=(paragraph(message),))
    what = count(len(existing), "subscription")
    if command.options.get("sure") != "yes":
        message = f"Unsubscribe from everything? This channel has {what}."
        button = Button(f"Unsubscribe from all {len(existing)}", "unsubscribe all sure:yes")
        return Card(
            "reply", message, blocks=(paragraph(message), *actions(button, Button("Show them", "list")))
        )
    for subscription in existing:
        await services.subscriptions.remove(command.channel, subscription.number)
    await replan_waiting(command.channel, services)
    message = f"Unsubscribed from {what}. Nothing more is posted here."
    return Card(
        "reply", message, blocks=(paragraph(message), Bullets(tuple(text(code(s.query)) for s in existing)))
    )


def ended_card(ended: Subscription) -> Card:
    """Return a card with the subscription that ended, and how to restore it."""
    number = f"#{ended.number}"
    every = "" if ended.every == "channel" else f" every:{ended.every}"
    return Card(
        "reply",
        f"Unsubscribed from {number}: {shorten(ended.query, QUERY)}",
        blocks=(
            paragraph("Unsubscribed from ", bold(number), ": ", code(ended.query)),
            *actions(Button("Undo", f"subscribe {ended.query}{every} sure:yes")),
        ),
    )
