"""`/paper forget`: delete what is stored about a channel, or about a person."""

from bot.cards import Button, Card
from bot.cards.build import actions, bold, paragraph
from bot.commands.services import Services
from bot.domain.errors import UserError
from bot.domain.models import Command
from bot.ports import Reply

CHANNEL = (
    "its subscriptions, settings, mutes and votes, its reading list, feeds and webhooks, posts that wait, and which papers were posted. Papers that match "
    "a later subscription may be posted again"
)
PERSON = (
    "the papers that you saved and watch, your own subscriptions in direct messages, your votes, your Zotero key, and your name on what you subscribed to or muted, in every "
    "channel. What you set up in a channel stays there, without your name"
)


async def forget(command: Command, services: Services) -> Reply:
    """Ask what to forget, then whether the person is sure, then delete."""
    what, sure = command.options.get("what"), command.options.get("sure") == "yes"
    if what is None:
        return Reply(_choice())
    if what == "me":
        if not sure:
            return Reply(_confirmation("you", PERSON, Button("Forget me", "forget me sure:yes")))
        await services.forgetting.person(command.channel.platform, command.user.id)
        return Reply(_done("Everything about you is deleted."))
    if not command.user.may_manage:
        raise UserError("Only people who manage this channel can have it forgotten.", hint="/paper forget me")
    if not sure:
        return Reply(
            _confirmation("this channel", CHANNEL, Button("Forget this channel", "forget channel sure:yes"))
        )
    await services.forgetting.channel(command.channel)
    return Reply(_done("Everything about this channel is deleted, and nothing more is posted here."))


def _choice() -> Card:
    message = "What should I forget?"
    return Card(
        "reply",
        message,
        blocks=(
            paragraph(bold("This channel"), f": {CHANNEL}."),
            paragraph(bold("You"), f": {PERSON}."),
            *actions(Button("This channel …", "forget channel"), Button("Me …", "forget me")),
        ),
    )


def _confirmation(whom: str, what: str, button: Button) -> Card:
    message = f"Delete everything about {whom}? This can't be undone."
    return Card(
        "reply", message, blocks=(paragraph(bold(message)), paragraph(f"That is {what}."), *actions(button))
    )


def _done(message: str) -> Card:
    return Card("reply", message, blocks=(paragraph(message),))
