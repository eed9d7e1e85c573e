"""`/paper settings`: what a channel's settings are, and what a change of them means."""

from collections.abc import Sequence

from bot.cards import Bullets, Button, Card, Form
from bot.cards.say import actions, bold, code, count, dim, paragraph, text
from bot.commands.knobs import KNOBS, Knob, difference, turned
from bot.commands.services import Services
from bot.commands.waiting import follow, next_words
from bot.domain.errors import UserError
from bot.domain.models import ChannelSettings, Command
from bot.ports import Reply

TITLE = "Paperboy here"


async def settings(command: Command, services: Services) -> Reply:
    """Show them, with a form to change them; or change those that are named."""
    old = await services.settings.of(command.channel)
    if not command.options:
        return Reply(await _shown(command, old, services), form=form(old))
    new = turned(old, command.options.items())
    changed = difference(old, new)
    if any(knob.name == "editors" for knob in changed) and not command.user.may_manage:
        raise UserError(
            "Only people who may manage this channel can say who may change what is posted.",
            hint="/paper settings",
        )
    if not changed:
        return Reply(await _shown(command, old, services))
    await services.settings.put(command.channel, new)
    _, comes = await follow(command.channel, services)
    return Reply(changed_card(old, new, changed, comes))


def form(now: ChannelSettings) -> Form:
    """Everything that can be set."""
    return Form(TITLE, "settings", tuple(knob.asked(now) for knob in KNOBS))


async def _shown(command: Command, now: ChannelSettings, services: Services) -> Card:
    owed = await services.outbox.open_deliveries(command.channel)
    subscriptions = await services.subscriptions.of(command.channel)
    return settings_card(now, next_words(owed, subscriptions, now, await services.outbox.now()))


def settings_card(now: ChannelSettings, comes: str) -> Card:
    """Each setting as it is typed, and what it means."""
    lines = tuple(text(code(f"{knob.name}:{knob.typed(now)}"), f" – {knob.said(now)}") for knob in KNOBS)
    others = {"now": "As they come", "daily": "Daily digest", "weekly": "Weekly digest"}
    return Card(
        "reply",
        f"Settings of this channel. {comes}",
        "Settings of this channel",
        (
            paragraph(bold(comes)),
            Bullets(lines),
            paragraph(dim("Change some with "), code("/paper settings every:daily hour:9 zone:Berlin")),
            *actions(*(Button(label, f"settings every:{every}") for every, label in others.items() if every != now.every)),
        ),
    )  # fmt: skip


def changed_card(old: ChannelSettings, new: ChannelSettings, changed: Sequence[Knob], comes: str) -> Card:
    """What has changed, what it means, and the way back."""
    back = " ".join(f"{knob.name}:{knob.typed(old)}" for knob in changed)
    said = [knob.said(new) for knob in changed]
    return Card(
        "reply",
        f"{count(len(changed), 'setting')} changed. {said[0]} {comes}",
        blocks=(
            Bullets(tuple(text(code(f"{k.name}:{k.typed(new)}"), f" – {k.said(new)}") for k in changed)),
            paragraph(bold(comes)),
            *actions(Button("Undo", f"settings {back}")),
        ),
    )
