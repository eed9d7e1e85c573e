"""`/paper status`: what Paperboy has read, and what is waiting or has failed in this channel."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from bot.cards import Bullets, Button, Card, Text
from bot.cards.build import actions, bold, count, paragraph, text
from bot.commands.reasons import quiet_now
from bot.commands.replan import next_words
from bot.commands.services import Services
from bot.commands.source_reasons import unread_subscriptions
from bot.commands.webhooks import problems
from bot.domain.deliveries import OpenDelivery, Pause
from bot.domain.models import Command, Mute
from bot.domain.polls import PollResult
from bot.policy.schedule import in_words
from bot.ports import Reply

FAILED = frozenset({"dead", "held"})
SHOWN = 5
"""Maximum number of failed posts listed, and of categories that aren't read."""
MAX_SOURCES = 16
"""Maximum number of sources with a line each: subscriptions can make Paperboy follow hundreds."""


async def status(command: Command, services: Services) -> Reply:
    """Reply with each source's last poll, the next digest, and what is waiting, failed or paused, and why."""
    channel, now = command.channel, await services.outbox.now()
    deliveries = await services.outbox.open_deliveries(channel)
    settings = await services.settings.of(channel)
    subscriptions = await services.subscriptions.of(channel)
    next_post = next_words(deliveries, subscriptions, settings, now)
    pause = (await services.outbox.status(channel)).pause
    polls = await services.polls()
    notes = [
        *quiet_now(settings, now),
        *_mutes((await services.rules.of(channel)).mutes, now),
        *(await unread_subscriptions(subscriptions, services))[:SHOWN],
        *await problems(channel, services),
    ]
    return Reply(status_card(pause, next_post, deliveries, polls, zone=settings.zone, now=now, notes=notes))


def status_card(
    pause: Pause | None,
    next_post: str,
    deliveries: Sequence[OpenDelivery],
    polls: Mapping[str, PollResult],
    *,
    zone: str,
    now: datetime,
    notes: Sequence[str] = (),
) -> Card:
    """Return a card with a headline, then a line for each source and each post that is waiting or has failed.

    `notes` say what holds papers back.
    """
    headline = f"Posts here are paused: {pause.why}." if pause else next_post
    failed = [one for one in deliveries if one.state in FAILED]
    lines = (
        *((_pause(pause, zone, now),) if pause else ()),
        *map(text, notes),
        *_polls(polls, zone, now),
        *(_waiting(deliveries, now) if deliveries else (text("No posts are waiting."),)),
        *(_retried(one, zone) for one in deliveries if one.state == "pending" and one.why),
        *(text(f"Failed: {count(len(o.papers), 'paper')}, {o.why or 'the reason is unknown'}.") for o in failed[:SHOWN]),
    )  # fmt: skip
    if not polls:
        lines = (text("No source has been read yet."), *lines)
    links = (Button("Subscriptions", "list"), Button("Settings", "settings"))
    return Card("reply", headline, "Status", (paragraph(bold(headline)), Bullets(lines), *actions(*links)))


def _pause(pause: Pause, zone: str, now: datetime) -> Text:
    since = f"Paused since {in_words(pause.since, zone)}. " if pause.since else ""
    if pause.next_probe is None or pause.next_probe <= now:
        return text(f"{since}The next post is tried as soon as there is one.")
    return text(f"{since}A post is tried again on {in_words(pause.next_probe, zone)}, or at any /paper here.")


def _polls(polls: Mapping[str, PollResult], zone: str, now: datetime) -> Iterator[Text]:
    """Yield a line for each source, those that fail first; if there are very many, only for the first."""
    listed = sorted(polls.values(), key=lambda poll: (poll.error is None, poll.source))
    yield from (_poll(poll, zone, now) for poll in listed[:MAX_SOURCES])
    rest = listed[MAX_SOURCES:]
    if rest:
        failing = sum(poll.error is not None for poll in rest)
        state = f"{failing} of them failing" if failing else f"all read since {in_words(_oldest(rest), zone)}"
        yield text(f"{len(rest)} more sources, {state}.")


def _oldest(polls: Sequence[PollResult]) -> datetime:
    return min(poll.at for poll in polls)


def _mutes(mutes: Sequence[Mute], now: datetime) -> list[str]:
    active = sum(mute.is_active(now) for mute in mutes)
    return (
        [f"{count(active, 'mute')} in this channel; /paper unmute shows what is held back."] if active else []
    )


def _poll(poll: PollResult, zone: str, now: datetime) -> Text:
    next_check = f"; next check in {_ago(poll.next_at - now)}" if poll.next_at > now else ""
    if poll.error is None:
        found = f", {count(poll.new, 'new paper')}" if poll.new else ", nothing new"
        alarm = f" {poll.alarm}." if poll.alarm else ""
        return text(bold(poll.source), f" read {_ago(now - poll.at)} ago{found}{next_check}.{alarm}")
    last = f", last read on {in_words(poll.succeeded_at, zone)}" if poll.succeeded_at else ", never read yet"
    return text(bold(poll.source), f" failed {_ago(now - poll.at)} ago{last}: {poll.error}{next_check}.")


def _waiting(deliveries: Sequence[OpenDelivery], now: datetime) -> tuple[Text, ...]:
    active = [one for one in deliveries if one.state not in FAILED]
    later = sum(len(one.papers) for one in active if one.due > now)
    soon = sum(len(one.papers) for one in active) - later
    parts = [f"{count(soon, 'paper')} on the way"] if soon else []
    parts += [f"{count(later, 'paper')} waiting for later"] if later else []
    return (text(f"{'; '.join(parts)}."),) if parts else ()


def _retried(delivery: OpenDelivery, zone: str) -> Text:
    papers = count(len(delivery.papers), "paper")
    return text(
        f"Retrying on {in_words(delivery.due, zone)}: {papers}. The last attempt failed: {delivery.why}."
    )


def _ago(span: timedelta) -> str:
    """Return a time span in words: `3 min`, `5 h`, `2 days`."""
    minutes = max(0, round(span.total_seconds() / 60))
    if minutes < 100:
        return f"{minutes} min"
    return f"{round(minutes / 60)} h" if minutes < 48 * 60 else f"{round(minutes / 1440)} days"
