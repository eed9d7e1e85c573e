"""Plans deliveries: which papers of a poll a channel gets, when, and in how many messages. Pure.

Flood control begins here: a delivery carries the threshold above which its papers stay in one message.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol

from bot.domain.deliveries import OpenDelivery, PaperWithReasons, PlannedDelivery
from bot.domain.errors import UserError
from bot.domain.life import LIFE
from bot.domain.models import ChannelRef, ChannelSettings, Every, Mute, Paper, Reason, Rules, Subscription
from bot.domain.polls import Poll
from bot.policy.schedule import due, frequency_of
from bot.policy.signals import note
from bot.query import Query, parse


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
class MatchedPaper:
    """A paper and the subscriptions of one channel that it matches."""

    paper: Paper
    matches: Collection[Match]
    before: Paper | None = None
    """The paper before it changed; None if it is new."""
    first_seen: int | None = None
    """Milliseconds since 1970, if it was announced before and may have been posted."""


def plan_deliveries(
    channel: ChannelRef, matched: Iterable[MatchedPaper], rules: Rules, poll: Poll, now: datetime
) -> list[PlannedDelivery]:
    """Plan the messages to `channel` for the papers of one poll.

    Papers that are due now become one message each, or one message if they are more than the channel's digest size.
    Papers that are due later are added to the message of that time. A paper that may have been posted before keeps the
    name of its message, so that the platform can be asked about it.
    """
    by_due: dict[datetime, list[PaperWithReasons]] = {}
    planned: list[PlannedDelivery] = []
    for one in matched:
        matches = unmuted(one.paper, one.matches, rules.mutes, now)
        if not matches:
            continue
        at = due(frequency_of((match.every for match in matches), rules.settings), rules.settings, now)
        wanted = (
            one.paper.id,
            tuple(Reason(m.number, m.query, note(m.query, one.before, one.paper)) for m in matches),
        )
        if one.first_seen is None:
            by_due.setdefault(at, []).append(wanted)
        else:
            label = one.paper.id if at <= now else digest_label(at)
            planned.append(
                PlannedDelivery(
                    channel=channel,
                    papers=(wanted,),
                    due=_ms(at),
                    label=label,
                    maybe_sent_since=one.first_seen,
                )
            )
    for at, papers in by_due.items():
        message = _one_message(channel, tuple(papers), at, now, rules.settings)
        planned.append(
            replace(message, label=f"poll@{poll.entry}", detected=poll.at) if at <= now else message
        )
    return planned


def replan(
    waiting: Iterable[OpenDelivery],
    papers: Mapping[str, Paper],
    subscriptions: Iterable[Subscription],
    rules: Rules,
    now: datetime,
) -> tuple[dict[str, list[str]], list[PlannedDelivery]]:
    """Plan a channel's waiting papers again, after its rules or subscriptions have changed.

    Returns the papers to take out of their deliveries (by key), and the deliveries to enqueue instead. A paper that is
    due already stays where it is, unless no subscription wants it any more.
    """
    every = {s.number: s for s in subscriptions}
    taken: dict[str, list[str]] = {}
    by_due: dict[datetime, tuple[ChannelRef, list[PaperWithReasons]]] = {}
    for one in waiting:
        if one.state != "pending" or one.maybe_sent or one.label.startswith(LIFE):
            continue
        for paper_id, reasons in one.papers:
            left = _still_wanted(papers.get(paper_id), reasons, every, rules, now)
            frequency = frequency_of((every[r.number].every for r in left), rules.settings) if left else "now"
            at = due(frequency, rules.settings, now)
            stays = left == reasons and (at <= now >= one.due or one.label == digest_label(at))
            if not stays:
                taken.setdefault(one.key, []).append(paper_id)
            if left and not stays:
                by_due.setdefault(at, (one.channel, []))[1].append((paper_id, left))
    planned = [
        _one_message(channel, tuple(wanted), at, now, rules.settings)
        for at, (channel, wanted) in by_due.items()
    ]
    return taken, planned


def unmuted(paper: Paper, matches: Iterable[Match], mutes: Iterable[Mute], now: datetime) -> list[Match]:
    """The matches that are not muted, by number."""
    active = [mute for mute in mutes if mute.is_active(now)]
    numbers = {mute.number for mute in active}
    left = sorted((m for m in matches if m.number not in numbers), key=lambda match: match.number)
    return [] if left and muting(paper, active) else left


def muting(paper: Paper, mutes: Iterable[Mute]) -> Mute | None:
    """The first of the mutes whose query matches the paper."""
    return next((mute for mute in mutes if mute.number is None and _matches(mute.text, paper)), None)


def digest_label(at: datetime) -> str:
    """The label of the digest for a time."""
    return f"digest@{at.astimezone(UTC):%Y-%m-%dT%H:%MZ}"


def _one_message(
    channel: ChannelRef,
    papers: tuple[PaperWithReasons, ...],
    at: datetime,
    now: datetime,
    settings: ChannelSettings,
) -> PlannedDelivery:
    """A message of all papers; if they are due now, only if they are more than the digest size."""
    threshold = settings.digest_size if at <= now else 0
    return PlannedDelivery(
        channel=channel, papers=papers, due=_ms(at), label=digest_label(at), digest_threshold=threshold
    )


def _still_wanted(
    paper: Paper | None,
    reasons: tuple[Reason, ...],
    subscriptions: Mapping[int, Subscription],
    rules: Rules,
    now: datetime,
) -> tuple[Reason, ...]:
    active = [mute for mute in rules.mutes if mute.is_active(now)]
    numbers = {mute.number for mute in active}
    left = tuple(r for r in reasons if r.number in subscriptions and r.number not in numbers)
    return () if paper and muting(paper, active) else left


@lru_cache(maxsize=1024)
def _query(text: str) -> Query | None:
    try:
        return parse(text)
    except UserError:  # a newer version of the language
        return None


def _matches(text: str, paper: Paper) -> bool:
    query = _query(text)
    return query is not None and query.matches(paper)


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
