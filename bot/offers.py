"""Which of a poll's papers a channel gets, when, and in how many messages. Pure."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol

from bot.errors import UserError
from bot.models import ChannelRef, Every, Mute, Paper, Reason, Rules
from bot.momentum import note
from bot.query import Query, parse
from bot.schedule import due, rhythm_of
from bot.store.news import Poll
from bot.store.outbox import Offer, Wanted


class Match(Protocol):
    """A subscription that a paper matches."""

    @property
    def channel(self) -> ChannelRef: ...
    @property
    def number(self) -> int: ...
    @property
    def query(self) -> str: ...
    @property
    def every(self) -> Every: ...


@dataclass(frozen=True, slots=True)
class Found:
    """A paper, and what in one channel it matches."""

    paper: Paper
    matches: Collection[Match]
    before: Paper | None = None
    """What it was, where it is not new."""
    first_seen: int | None = None
    """In ms, where it was announced before and may have been posted."""


def offers_for(
    channel: ChannelRef, found: Iterable[Found], rules: Rules, poll: Poll, now: datetime
) -> list[Offer]:
    """The messages that are owed to `channel` for what one poll brought.

    What is due at once goes out as a message each, and as one where it is more than the channel's digest size; what
    is due later gathers in the message of that time. What may have been posted before keeps the name that it had.
    """
    by_due: dict[datetime, list[Wanted]] = {}
    offers: list[Offer] = []
    for one in found:
        matches = unmuted(one.paper, one.matches, rules.mutes, now)
        if not matches:
            continue
        at = due(rhythm_of((match.every for match in matches), rules.settings), rules.settings, now)
        wanted = (
            one.paper.id,
            tuple(Reason(m.number, m.query, note(m.query, one.before, one.paper)) for m in matches),
        )
        if one.first_seen is None:
            by_due.setdefault(at, []).append(wanted)
        else:
            label = one.paper.id if at <= now else digest_label(at)
            offers.append(
                Offer(
                    channel=channel, papers=(wanted,), due=_ms(at), label=label, perhaps_since=one.first_seen
                )
            )
    for at, papers in by_due.items():
        if at <= now:
            label, apart, detected = f"poll@{poll.entry}", rules.settings.digest_size, poll.at
        else:
            label, apart, detected = digest_label(at), 0, None
        offers.append(
            Offer(
                channel=channel,
                papers=tuple(papers),
                due=_ms(at),
                label=label,
                apart=apart,
                detected=detected,
            )
        )
    return offers


def unmuted(paper: Paper, matches: Iterable[Match], mutes: Iterable[Mute], now: datetime) -> list[Match]:
    """What of the matches is left, by number."""
    active = [mute for mute in mutes if mute.is_active(now)]
    numbers = {mute.number for mute in active}
    left = sorted((m for m in matches if m.number not in numbers), key=lambda match: match.number)
    return [] if left and muting(paper, active) else left


def muting(paper: Paper, mutes: Iterable[Mute]) -> Mute | None:
    """The first of the mutes whose query matches the paper."""
    return next((mute for mute in mutes if mute.number is None and _matches(mute.text, paper)), None)


def digest_label(at: datetime) -> str:
    """What the message that gathers for a time is called in its channel."""
    return f"digest@{at.astimezone(UTC):%Y-%m-%dT%H:%MZ}"


@lru_cache(maxsize=1024)
def _query(text: str) -> Query | None:
    try:
        return parse(text)
    except UserError:  # of a newer version of the language
        return None


def _matches(text: str, paper: Paper) -> bool:
    query = _query(text)
    return query is not None and query.matches(paper)


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
