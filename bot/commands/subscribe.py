"""`/paper subscribe`: add a subscription, and show at once what it would have posted."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import cast

from bot.cards import Button, Card
from bot.cards.build import actions, bold, code, paragraph
from bot.cards.paper import NOTICE, QUERY
from bot.commands.implausible_queries import refuse_vague
from bot.commands.lookback import Lookback, look_back
from bot.commands.parser import number_in
from bot.commands.people import follow_card, narrowings
from bot.commands.presets import expand
from bot.commands.reasons import reasons
from bot.commands.replan import replan_waiting
from bot.commands.resolve import resolve_paper
from bot.commands.services import Services
from bot.commands.synonyms import accepting, best_offer
from bot.domain.errors import UserError
from bot.domain.models import ChannelRef, ChannelSettings, Command, Every, Frequency, Subscription
from bot.policy.schedule import due, frequency_of, in_words
from bot.ports import Reply
from bot.query import Query, capitalized, parse, respell, spelled
from bot.text import shorten
from bot.text.identity import paper_id

_WHEN: dict[Frequency, str] = {
    "now": "New papers are posted here as they come.",
    "daily": "New papers arrive in a daily digest, next on {}.",
    "weekly": "New papers arrive in a weekly digest, next on {}.",
}

_WHEN_ALONE: dict[Frequency, str] = {
    "now": "New papers come to you as direct messages.",
    "daily": "New papers come to you in a daily digest by direct message, next on {}.",
    "weekly": "New papers come to you in a weekly digest by direct message, next on {}.",
}
"""Sentences for a person's own channel."""


async def subscribe(command: Command, services: Services) -> Reply:
    """Add the subscription, unless it is so broad that the channel should be asked first."""
    typed = expand(command.options["query"])
    if " " not in typed and (its_id := paper_id(typed)) is not None:
        return Reply(follow_card(await resolve_paper(its_id, services)))
    _refuse_number(typed)
    query = parse(typed)
    refuse_vague(query, typed)
    every = cast("Every", command.options.get("every", "channel"))
    past = await look_back(query, services)
    if command.options.get("sure") != "yes" and (other := capitalized(typed)):
        operators = parse(other)
        return Reply(operators_card(query, operators, every, past, await look_back(operators, services)))
    if past.broad and command.options.get("sure") != "yes":
        return Reply(broad_card(query, every, past))
    subscription, new = await services.subscriptions.add(
        command.channel, spelled(query), every, command.user.signature
    )
    settings, exception = await _with_exception(command, subscription, services)
    if new:
        found = await reasons(query, past, command.channel, services, follow=True)
        summary = respell(found.text(past.sentence()), typed)
        when = f"{when_posted(every, settings, services.now(), command.channel)} {exception}".rstrip()
        card = subscribed_card(subscription, past, summary, when, narrowings(found.people))
        if offer := await best_offer(query, past, services):
            *blocks, buttons = card.blocks
            card = replace(
                card, blocks=(*blocks, *offer.blocks(accepting(subscription, offer.synonym)), buttons)
            )
        warning = await services.join(command.channel)
        return Reply(card if warning is None else with_warning(card, warning))
    if command.options.get("every", subscription.every) == subscription.every:
        return Reply(already_card(subscription, exception))
    changed = await services.subscriptions.change(command.channel, subscription.number, every=every)
    await replan_waiting(command.channel, services)
    return Reply(
        changed_card(
            changed or subscription,
            subscription.every,
            f"{when_posted(every, settings, services.now(), command.channel)} {exception}".rstrip(),
        )
    )


async def _with_exception(
    command: Command, subscription: Subscription, services: Services
) -> tuple[ChannelSettings, str]:
    """Apply `always:`, which exempts the subscription from the daily limit or ends that.

    Returns the channel's settings and a sentence about the change; "" if nothing has changed.
    """
    settings = await services.settings.of(command.channel)
    number, wanted = subscription.number, command.options.get("always") == "yes"
    if "always" not in command.options or wanted == (number in settings.always):
        return settings, ""
    others = {*settings.always} - {number}
    always = others | {number} if wanted else others
    changed = replace(settings, always=tuple(sorted(always)))
    await services.settings.put(command.channel, changed)
    return changed, (
        f"Papers of #{number} are always posted, even above the daily limit."
        if wanted
        else f"Papers of #{number} count toward the daily limit again."
    )


def _refuse_number(text: str) -> None:
    """Raises UserError for a subscription's number, which isn't a word to search for."""
    if number_in(text) is not None:
        raise UserError(
            f"{text} is the number of a subscription, not a query. Subscribe to words instead."
            if text.startswith("#")
            else f"{text} is a number, not a subject. To look for it all the same, put it in quotes.",
            hint="/paper list" if text.startswith("#") else f'/paper subscribe "{text}"',
        )


def when_posted(every: Every, settings: ChannelSettings, now: datetime, channel: ChannelRef) -> str:
    """Say when matching papers are posted."""
    frequency = frequency_of((every,), settings)
    words = _WHEN_ALONE if channel.person else _WHEN
    return words[frequency].format(in_words(due(frequency, settings, now), settings.zone))


def subscribed_card(
    subscription: Subscription,
    past: Lookback,
    summary: str,
    when: str,
    narrower: Sequence[tuple[str, str]] = (),
) -> Card:
    """Return a card with the query as understood, its number, and what it would have posted.

    `narrower` are labels and terms that narrow the query.
    """
    number, query = f"#{subscription.number}", subscription.query
    see = (Button("Preview", f"preview {number}"),) if past.matching else ()
    return Card(
        "reply",
        shorten(f"Subscribed as {number}: {shorten(query, QUERY)}. {summary}", NOTICE),
        blocks=(
            paragraph("Subscribed as ", bold(number), ": ", code(query)),
            paragraph(f"{summary} {when}"),
            *actions(*(Button(label, f"narrow {number} {term}") for label, term in narrower)),
            *actions(*see, Button("Undo", f"unsubscribe {number}")),
        ),
    )


def with_warning(card: Card, warning: str) -> Card:
    """Return the card with a last line about what may go wrong."""
    *blocks, buttons = card.blocks
    return replace(card, blocks=(*blocks, paragraph(warning), buttons))


def already_card(subscription: Subscription, change: str = "") -> Card:
    """Say that the channel already has this subscription. `change` says what has changed about it."""
    number, query, message = f"#{subscription.number}", subscription.query, change or "Nothing has changed."
    return Card(
        "reply",
        f"Already subscribed, as {number}. {message}",
        blocks=(
            paragraph("Already subscribed, as ", bold(number), ": ", code(query)),
            paragraph(message),
            *actions(Button("Preview", f"preview {number}"), Button("Unsubscribe", f"unsubscribe {number}")),
        ),
    )


def changed_card(subscription: Subscription, was: Every, when: str) -> Card:
    """Say that the subscription has another schedule now."""
    number, query = f"#{subscription.number}", subscription.query
    return Card(
        "reply",
        f"{number} is now every:{subscription.every}. {when}",
        blocks=(
            paragraph(bold(number), " is now ", code(f"every:{subscription.every}"), ": ", code(query)),
            paragraph(when),
            *actions(Button("Undo", f"subscribe {query} every:{was} sure:yes")),
        ),
    )


def operators_card(
    words: Query, operators: Query, every: Every, past_words: Lookback, past_operators: Lookback
) -> Card:
    """Ask whether a lower-case "or", "and" or "not" is an operator. Nothing has changed yet."""
    return Card(
        "reply",
        f"Did you mean {shorten(spelled(operators), QUERY)}? Operators are written in capitals.",
        blocks=(
            paragraph("Operators are written in capitals: OR, AND, NOT. Which did you mean?"),
            paragraph("Operators: ", code(spelled(operators)), f" – {past_operators.sentence()}"),
            paragraph("Words that must all appear: ", code(spelled(words)), f" – {past_words.sentence()}"),
            *actions(
                Button("Use operators", _line(operators, every)),
                Button("Use words", f"{_line(words, every)} sure:yes"),
            ),
        ),
    )


def broad_card(query: Query, every: Every, past: Lookback) -> Card:
    """Ask before a flood of papers. Nothing has changed yet."""
    line = _line(query, every)
    popular = _line(parse(f"({spelled(query)}) min:20"), every)
    return Card(
        "reply",
        f"That would post about {past.per_day:,} papers a day here. Subscribe anyway?",
        blocks=(
            paragraph("That would post about ", bold(f"{past.per_day:,} papers a day"), " here: ", code(spelled(query))),
            paragraph("Add a word, leave something out with ", code("-word"), ", or wait for upvotes with ", code("min:20"),
                      ". To subscribe anyway, add ", code("sure:yes"), "."),
            *actions(
                Button("Only with 20 upvotes", popular),
                Button("Subscribe anyway", f"{line} sure:yes"),
                Button("Preview", f"preview {spelled(query)}"),
            ),
        ),
    )  # fmt: skip


def _line(query: Query, every: Every) -> str:
    return f"subscribe {spelled(query)}" + ("" if every == "channel" else f" every:{every}")
