"""`/paper unsubscribe`: stop a subscription, by its number or its query."""

from bot.cards import Button, Card
from bot.cards.paper import QUERY
from bot.cards.say import actions, bold, code, paragraph
from bot.commands.replan import follow
from bot.commands.resolve import resolve_subscription
from bot.commands.services import Services
from bot.domain.models import Command, Subscription
from bot.ports import Reply
from bot.text import shorten


async def unsubscribe(command: Command, services: Services) -> Reply:
    """End it; the answer can bring it back."""
    wanted = await resolve_subscription(command.options["subscription"], command.channel, services)
    ended = await services.subscriptions.remove(command.channel, wanted.number)
    await follow(command.channel, services)
    return Reply(ended_card(ended or wanted))


def ended_card(ended: Subscription) -> Card:
    """What was stopped, and the way back."""
    number = f"#{ended.number}"
    every = "" if ended.every == "channel" else f" every:{ended.every}"
    return Card(
        "reply",
        f"Stopped {number}: {shorten(ended.query, QUERY)}",
        blocks=(
            paragraph("Stopped ", bold(number), ": ", code(ended.query)),
            *actions(Button("Undo", f"subscribe {ended.query}{every} sure:yes")),
        ),
    )
