"""`/paper mute` and `/paper unmute`: keep something out of a channel, for a while or for good."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.cards import Bullets, Button, Card, Text
from bot.cards.build import actions, bold, code, count, dim, paragraph, text
from bot.cards.paper import AUTHOR, QUERY
from bot.cards.sanitize import plain
from bot.commands.clarification import without_lead
from bot.commands.implausible_queries import refuse_vague
from bot.commands.parser import number_in
from bot.commands.replan import replan_waiting
from bot.commands.resolve import NUMBERS, resolve_paper, resolve_subscription
from bot.commands.services import Services
from bot.domain.errors import UserError
from bot.domain.models import Command, Mute, Paper, Subscription
from bot.policy.schedule import in_words
from bot.ports import Reply
from bot.query import Query, parse, spelled
from bot.text import shorten
from bot.text.identity import paper_id

MAX_DURATION = timedelta(days=366)
MAX_MUTES = 50
"""Maximum number of mutes per channel."""
SUBSCRIPTION_FOR = "7d"
"""Time for which the card's button mutes a subscription. To stop it for good, people unsubscribe."""

EVERYTHING = frozenset({"all", "everything", "*"})
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_FOR = re.compile(r"(\d{1,4})\s*([hdw])[a-z]*", re.IGNORECASE)


_UNIT = re.compile(r"(?<!\S)(hour|day|week|month)s?\Z", re.IGNORECASE)


async def mute(command: Command, services: Services) -> Reply:
    """Mute a query or a subscription; `mute list` shows the mutes."""
    if command.options["query"].casefold() in {"list", "show"}:
        return Reply(await _list_of_mutes(command, services))
    if command.options["query"].casefold() in EVERYTHING:
        raise UserError(
            "A mute needs words. To stop all posts here, unsubscribe from everything.",
            hint="/paper unsubscribe all",
        )
    muted = await _text_to_mute(command.options["query"], command, services)
    if len(await _active(command, services)) >= MAX_MUTES:
        raise UserError(
            f"This channel has {MAX_MUTES} mutes, the most there can be. Remove one first.",
            hint="/paper unmute",
        )
    until = _until(command.options.get("for", ""), command.options["query"], await services.outbox.now())
    await services.rules.mute(
        command.channel, Mute(text=muted, created_by=command.user.signature, until=until)
    )
    dropped, next_post = await replan_waiting(command.channel, services)
    zone = (await services.settings.of(command.channel)).zone
    return Reply(muted_card(muted, in_words(until, zone) if until else "", dropped, next_post))


async def mutewhat(command: Command, services: Services) -> Reply:
    """Ask what to mute: the subscription that brought the paper, or its author."""
    paper = await resolve_paper(command.options["paper"], services)
    subscriptions = await services.subscriptions.of(command.channel)
    reason = next((s for s in subscriptions if parse(s.query).matches(paper)), None)
    return Reply(choice_card(paper, reason))


async def unmute(command: Command, services: Services) -> Reply:
    """End a mute; without a query, list the mutes."""
    typed = command.options.get("query", "")
    if typed.casefold() in {"", "list", "show", *EVERYTHING}:
        return Reply(await _list_of_mutes(command, services))
    if not any(map(str.isalnum, typed)):
        raise UserError("Which mute? Give its query or its number.", hint="/paper unmute")
    number = number_in(typed)
    wanted = f"#{number}" if number is not None else await _text(parse(typed), command, services)
    if not await services.rules.unmute(command.channel, wanted):
        bare = without_lead(typed)
        hint = "/paper unmute" if bare == typed else f"/paper unmute {bare}"
        raise UserError(f"{wanted} isn't muted here.", hint=hint)
    message = f"No longer muted: {shorten(wanted, QUERY)}"
    return Reply(
        Card(
            "reply",
            message,
            blocks=(
                paragraph("No longer muted: ", code(wanted)),
                paragraph("Applies to new papers only."),
                *actions(Button("Undo", f"mute {wanted}")),
            ),
        )
    )


def muted_card(muted: str, until: str, dropped: int, next_post: str) -> Card:
    """Return a card with what is muted, until when, and what happens to waiting papers."""
    when = f"until {until}" if until else "until someone unmutes it"
    effect = f"{count(dropped, 'waiting paper')} won't be posted. {next_post}" if dropped else next_post
    return Card(
        "reply",
        f"Muted here, {when}: {shorten(muted, QUERY)}",
        blocks=(
            paragraph("Muted here, ", bold(when), ": ", code(muted)),
            paragraph(effect),
            *actions(Button("Undo", f"unmute {muted}")),
        ),
    )


def choice_card(paper: Paper, subscription: Subscription | None) -> Card:
    """Return the question, with a button for each answer."""
    question = f"Mute what about “{shorten(plain(paper.title), QUERY)}”?"
    choices: list[Button] = []
    if subscription:
        line = f"mute #{subscription.number} for:{SUBSCRIPTION_FOR}"
        choices.append(Button(f"Its reason, #{subscription.number}, for a week", line))
    if paper.authors:
        author = plain(paper.authors[0])
        choices.append(Button(f"Its author, {shorten(author, AUTHOR)}", f'mute author:"{author}"'))
    choices.append(Button("Nothing, it's just not for us", f"down {paper.id}"))
    return Card("reply", question, blocks=(paragraph(question), *actions(*choices)))


async def _active(command: Command, services: Services) -> list[Mute]:
    now = await services.outbox.now()
    return [mute for mute in (await services.rules.of(command.channel)).mutes if mute.is_active(now)]


async def _list_of_mutes(command: Command, services: Services) -> Card:
    zone = (await services.settings.of(command.channel)).zone
    return list_card(await _active(command, services), zone)


def list_card(mutes: Sequence[Mute], zone: str) -> Card:
    """Return a card with a line for each mute."""
    if not mutes:
        message = "Nothing is muted here."
        return Card("list", message, blocks=(paragraph(message, " Try ", code("/paper mute survey for:7d")),))
    buttons = (Button(f"Unmute {shorten(mute.text, 30)}", f"unmute {mute.text}") for mute in mutes[:5])
    heading = f"{count(len(mutes), 'mute')} in this channel"
    return Card(
        "list", heading, heading, (Bullets(tuple(_line(mute, zone) for mute in mutes)), *actions(*buttons))
    )


def _line(mute: Mute, zone: str) -> Text:
    name = mute.created_by.partition(" ")[2] or mute.created_by
    facts = (f"until {in_words(mute.until, zone)}" if mute.until else "", f"by {name}" if name else "")
    return text(code(shorten(mute.text, QUERY)), dim("".join(f" · {fact}" for fact in facts if fact)))


async def _text(query: Query, command: Command, services: Services) -> str:
    """Return the query as it is stored among the mutes, which can be in another spelling."""
    mutes = (await services.rules.of(command.channel)).mutes
    stored = (mute.text for mute in mutes if mute.number is None and parse(mute.text) == query)
    return next(stored, spelled(query))


async def _text_to_mute(typed: str, command: Command, services: Services) -> str:
    if number_in(typed) is not None:
        return f"#{(await resolve_subscription(typed, command.channel, services)).number}"
    if NUMBERS.fullmatch(typed.strip()):
        raise UserError("Mute one subscription at a time.", hint="/paper list")
    if (paper := paper_id(typed)) is not None:
        raise UserError("That is a paper's id, not a word.", hint=f"/paper mute id:{paper}")
    query = parse(typed)
    refuse_vague(query, typed)
    if query.has_signals:
        raise UserError(
            "Only words, authors, categories and sources can be muted, not upvotes, rank or code.",
            hint="/paper mute survey",
        )
    return await _text(query, command, services)


def _until(typed: str, query: str, now: datetime) -> datetime | None:
    if typed in {"", "ever", "good"}:
        return None
    match = _FOR.fullmatch(typed)
    length = int(match[1]) * _UNITS[match[2].lower()] if match else timedelta(0)
    if typed.isdecimal() and (unit := _UNIT.search(query)):
        rest, days = query[: unit.start()].strip(), int(typed) * (30 if unit[1].lower() == "month" else 1)
        option = f"{days}{'d' if unit[1].lower() == 'month' else unit[1][0].lower()}"
        raise UserError(f"Write that as for:{option}.", hint=f"/paper mute {rest} for:{option}")
    if not timedelta(0) < length <= MAX_DURATION:
        raise UserError(
            f"“for:” is a time like 12h, 7d or 2w, not “{typed}”.", hint=f"/paper mute {query} for:7d"
        )
    return now + length
