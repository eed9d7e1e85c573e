"""`/paper settings`: show a channel's settings, or change them and say what the change means."""

from collections.abc import Sequence
from itertools import groupby

from bot.cards import Block, Bullets, Button, Card, Form, Text
from bot.cards.build import actions, bold, code, count, dim, paragraph, text
from bot.commands.replan import next_words, replan_waiting
from bot.commands.services import Services
from bot.commands.setting_specs import SettingSpec, changed_settings, difference, specs_for
from bot.commands.taste_learning import relearn
from bot.domain.errors import UserError
from bot.domain.models import ChannelSettings, Command
from bot.ports import Reply

TITLE = "Paperboy here"
FREQUENCY_LABELS = {"now": "As they come", "daily": "Daily digest", "weekly": "Weekly digest"}


async def settings(command: Command, services: Services) -> Reply:
    """Show the settings, with a form to change them; or change those that are named."""
    platform = services.platform(command.channel)
    specs = specs_for(platform.channel_settings, command.channel)
    old = await services.settings.of(command.channel)
    if not command.options:
        return Reply(await _shown(command, old, specs, services), form=form(old, specs))
    new = changed_settings(old, command.options.items(), specs)
    changed = difference(old, new)
    await _refuse_unknown(set(new.always) - set(old.always), command, services)
    if any(spec.name == "editors" for spec in changed) and not command.user.may_manage:
        raise UserError(
            "Only people who manage this channel can decide who can edit.", hint="/paper settings"
        )
    if not changed:
        named = [spec for spec in specs if spec.name in command.options]
        return Reply(unchanged_card(old, named, platform.title))
    await services.settings.put(command.channel, new)
    if new.most and new.most != old.most:
        await relearn(command.channel, services)
    _, next_post = await replan_waiting(command.channel, services)
    return Reply(changed_card(old, new, changed, next_post, platform.title))


def refuse_foreign(command: Command, services: Services) -> None:
    """Raises UserError for the first setting that makes no sense in this channel, with a hint to set the others."""
    platform = services.platform(command.channel)
    here = {spec.name for spec in specs_for(platform.channel_settings, command.channel)}
    foreign = next((name for name in command.options if name not in here), None)
    if foreign is None:
        return
    rest = " ".join(f"{name}:{value}" for name, value in command.options.items() if name in here)
    titles = sorted(one.title for one in services.platforms.values() if foreign in one.channel_settings)
    of_rooms = foreign in platform.channel_settings
    where = (
        "is for channels, not for direct messages" if of_rooms else f"works only on {' and '.join(titles)}"
    )
    raise UserError(f"“{foreign}:” {where}.", hint=f"/paper settings {rest}".rstrip())


async def _refuse_unknown(numbers: set[int], command: Command, services: Services) -> None:
    """Raises UserError for a number that no subscription has."""
    missing = sorted(numbers - {one.number for one in await services.subscriptions.of(command.channel)})
    if missing:
        raise UserError(f"There is no subscription #{missing[0]} here.", hint="/paper list")


def form(now: ChannelSettings, specs: Sequence[SettingSpec]) -> Form:
    """Return a form with everything that can be set on this platform."""
    return Form(TITLE, "settings", tuple(spec.form_field(now) for spec in specs))


async def _shown(
    command: Command, now: ChannelSettings, specs: Sequence[SettingSpec], services: Services
) -> Card:
    waiting = await services.outbox.open_deliveries(command.channel)
    subscriptions = await services.subscriptions.of(command.channel)
    next_post = next_words(waiting, subscriptions, now, await services.outbox.now())
    return settings_card(now, next_post, specs, services.platform(command.channel).title)


def settings_card(now: ChannelSettings, next_post: str, specs: Sequence[SettingSpec], platform: str) -> Card:
    """Return a card with each setting as it is typed, and what it means, by group."""
    groups: list[Block] = []
    for group, members in groupby(specs, key=lambda spec: spec.group):
        lines = tuple(
            text(
                code(f"{spec.name}:{spec.typed(now)}"),
                f" – {_meaning(spec, now, platform)}",
                *_example(spec, now),
            )
            for spec in members
        )
        groups += [paragraph(bold(group)), Bullets(lines)]
    return Card(
        "reply",
        f"Settings of this channel. {next_post}",
        "Settings of this channel",
        (
            paragraph(next_post),
            *groups,
            paragraph(
                dim("Change several at once: "), code("/paper settings every:daily hour:18 zone:Berlin")
            ),
            *actions(
                *(
                    Button(label, f"settings every:{every}")
                    for every, label in FREQUENCY_LABELS.items()
                    if every != now.every
                )
            ),
        ),
    )


def changed_card(
    old: ChannelSettings, new: ChannelSettings, changed: Sequence[SettingSpec], next_post: str, platform: str
) -> Card:
    """Return a card with what has changed, what it means, and an Undo button."""
    undo = " ".join(f"{spec.name}:{spec.typed(old)}" for spec in changed)
    meanings = [_meaning(spec, new, platform) for spec in changed]
    lines = (
        text(code(f"{spec.name}:{spec.typed(new)}"), f" – {meaning}")
        for spec, meaning in zip(changed, meanings, strict=True)
    )
    return Card(
        "reply",
        f"{count(len(changed), 'setting')} changed. {meanings[0]} {next_post}",
        blocks=(
            Bullets(tuple(lines)),
            paragraph(bold(next_post)),
            *actions(Button("Undo", f"settings {undo}")),
        ),
    )


def unchanged_card(now: ChannelSettings, named: Sequence[SettingSpec], platform: str) -> Card:
    """Return a card for a change to the values that are already set."""
    lines = (
        text(code(f"{spec.name}:{spec.typed(now)}"), f" – {_meaning(spec, now, platform)}") for spec in named
    )
    message = "Nothing changed: that is already set."
    return Card("reply", message, blocks=(Bullets(tuple(lines)), paragraph(message)))


def _example(spec: SettingSpec, now: ChannelSettings) -> Text:
    """Return another value, as it would be typed; the line already shows the present one."""
    is_present = spec.typed(now).casefold() == spec.example.casefold()
    return text(
        dim(" Change it: "),
        code(f"{spec.name}:{spec.typed(ChannelSettings()) if is_present else spec.example}"),
    )


def _meaning(spec: SettingSpec, settings: ChannelSettings, platform: str) -> str:
    return spec.meaning(settings).replace("{platform}", platform)
