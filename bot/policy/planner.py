"""Plans deliveries: which papers of a poll a channel gets, when, and in how many messages. Pure.

Budgets and flood control begin here: a delivery says how many of its papers can be posted at once, and above which
number they become one message. The store decides, since it knows what else was posted.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

from bot.domain.deliveries import Budget, OpenDelivery, Outcome, PaperWithReasons, PlannedDelivery
from bot.domain.life import LIFE
from bot.domain.models import ChannelRef, ChannelSettings, Every, Mute, Paper, Reason, Rules, Subscription
from bot.domain.polls import Poll
from bot.policy.ranking import Entry, best_first, fit, good_enough, readable_query, taste_of
from bot.policy.schedule import due, frequency_of
from bot.policy.signals import note

FLOOD_WINDOW = timedelta(hours=6)
"""Period in which flood control counts messages. If it were shorter, a list that trickles in all day could
flood a channel; if it were longer, papers would wait for most of a day."""
DIGEST, REST, LATER = "digest@", "rest@", "later@"
"""Prefixes of labels: digests, papers folded by the budget, and papers held by flood control."""


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
    """The paper before the change; None if it is new."""
    first_seen: int | None = None
    """Milliseconds since 1970; only if it was announced before and may have been posted."""


def plan_deliveries(
    channel: ChannelRef, matched: Iterable[MatchedPaper], rules: Rules, poll: Poll, now: datetime
) -> list[PlannedDelivery]:
    """Plan the messages to `channel` for the papers of one poll.

    Papers that are due now are posted as far as the channel's budget and flood control allow. Papers that are due later
    are added to the message of that time. A paper that may have been posted before keeps its message's name, so that we
    can look it up on the platform.
    """
    by_due: dict[datetime, list[PaperWithReasons]] = {}
    planned: list[PlannedDelivery] = []
    papers: dict[str, Paper] = {}
    for match in matched:
        papers[match.paper.id] = match.paper
        matches = unmuted(match.paper, match.matches, rules.mutes, now)
        if not matches:
            continue
        at = due(frequency_of((m.every for m in matches), rules.settings), rules.settings, now)
        wanted = (
            match.paper.id,
            tuple(Reason(m.number, m.query, note(m.query, match.before, match.paper)) for m in matches),
        )
        if match.first_seen is None:
            by_due.setdefault(at, []).append(wanted)
        else:
            label = match.paper.id if at <= now else digest_label(at)
            planned.append(
                PlannedDelivery(
                    channel=channel,
                    papers=(wanted,),
                    due=_ms(at),
                    label=label,
                    maybe_sent_since=match.first_seen,
                )
            )
    for at, wanted_then in by_due.items():
        message = _message(channel, wanted_then, papers, rules, at=at, now=now)
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

    Returns the papers to remove from their deliveries (by key), and the deliveries to enqueue instead. A paper that is
    already due stays where it is, unless no subscription matches it any more. Held papers stay held as long as the
    budget that held them exists.
    """
    every = {s.number: s for s in subscriptions}
    removed: dict[str, list[str]] = {}
    by_due: dict[datetime, tuple[ChannelRef, list[PaperWithReasons]]] = {}
    again: list[PlannedDelivery] = []
    for delivery in waiting:
        if delivery.state != "pending" or delivery.maybe_sent or delivery.label.startswith(LIFE):
            continue
        for paper_id, reasons in delivery.papers:
            left = _still_wanted(papers.get(paper_id), reasons, every, rules, now)
            frequency = frequency_of((every[r.number].every for r in left), rules.settings) if left else "now"
            at = due(frequency, rules.settings, now)
            held = frequency == "now" and _is_held(delivery, rules.settings)
            stays = left == reasons and (
                held or at <= now >= delivery.due or delivery.label == digest_label(at)
            )
            if not stays:
                removed.setdefault(delivery.key, []).append(paper_id)
            if left and not stays and held:
                again.append(
                    PlannedDelivery(
                        channel=delivery.channel,
                        papers=((paper_id, left),),
                        due=_ms(delivery.due),
                        label=delivery.label,
                    )
                )
            elif left and not stays:
                by_due.setdefault(at, (delivery.channel, []))[1].append((paper_id, left))
    planned = [
        _message(channel, wanted, papers, rules, at=at, now=now) for at, (channel, wanted) in by_due.items()
    ]
    return removed, [*planned, *again]


def unmuted(paper: Paper, matches: Iterable[Match], mutes: Iterable[Mute], now: datetime) -> list[Match]:
    """Return the matches that aren't muted, sorted by number."""
    active = [mute for mute in mutes if mute.is_active(now)]
    numbers = {mute.number for mute in active}
    left = sorted((m for m in matches if m.number not in numbers), key=lambda match: match.number)
    return [] if left and muting(paper, active) else left


def muting(paper: Paper, mutes: Iterable[Mute]) -> Mute | None:
    """Return the first mute whose query matches the paper."""
    return next((mute for mute in mutes if mute.number is None and _matches(mute.text, paper)), None)


def digest_label(at: datetime) -> str:
    """Return the label of the digest at a time."""
    return f"{DIGEST}{at.astimezone(UTC):%Y-%m-%dT%H:%MZ}"


def rest_label(at: datetime) -> str:
    """Return the label of the message with the papers that the budget folded until a time."""
    return f"{REST}{at.astimezone(UTC):%Y-%m-%dT%H:%MZ}"


def folded(entries: Iterable[Entry], rules: Rules, label: str) -> list[Entry]:
    """Return the papers that a message only counts: all if they were folded before, else those beyond the budget.

    `entries` are sorted, the best first.
    """
    if label.startswith(REST):
        return list(entries)
    if not rules.settings.most or (rules.left is None and not label.startswith(DIGEST)):
        return []
    left = rules.settings.most if rules.left is None else rules.left
    counted = [entry for entry in entries if not _is_exception(entry[1], rules.settings)]
    return counted[left:]


def fold(rules: Rules, now: datetime) -> Outcome:
    """Return the outcome of a delivery with no paper in the budget: its papers wait for the end of the day."""
    end = due("daily", rules.settings, now)
    return Outcome(state="folded", why="", rest=rest_label(end), due=_ms(end))


def _is_exception(reasons: Iterable[Reason], settings: ChannelSettings) -> bool:
    """Whether a paper is posted regardless of the budget."""
    return any(reason.number in settings.always for reason in reasons)


def _is_held(delivery: OpenDelivery, settings: ChannelSettings) -> bool:
    """Whether a delivery waits because of flood control, or because of a budget that still exists."""
    return delivery.label.startswith(LATER) or (settings.most > 0 and delivery.label.startswith(REST))


def _message(
    channel: ChannelRef,
    wanted: list[PaperWithReasons],
    papers: Mapping[str, Paper],
    rules: Rules,
    *,
    at: datetime,
    now: datetime,
) -> PlannedDelivery:
    """Plan one message with all papers. If they are due now, it has the limits of budget and flood control."""
    message = PlannedDelivery(channel=channel, papers=tuple(wanted), due=_ms(at), label=digest_label(at))
    if at > now:
        return message
    message = replace(
        message,
        digest_threshold=rules.settings.digest_size,
        flood_window=round(FLOOD_WINDOW.total_seconds() * 1000),
    )
    return _budgeted(message, papers, now, rules) if rules.settings.most else message


def _budgeted(
    message: PlannedDelivery, papers: Mapping[str, Paper], now: datetime, rules: Rules
) -> PlannedDelivery:
    """Return the message with the best papers first, and with the budget's limits."""
    settings, taste = rules.settings, taste_of(rules)
    stored = [(papers[paper_id], reasons) for paper_id, reasons in message.papers if paper_id in papers]
    ordered = tuple((paper.id, reasons) for paper, reasons in best_first(stored, taste))
    fits = {paper.id: round(fit(paper, reasons, taste), 4) for paper, reasons in stored}
    enough, end = good_enough(rules, now), due("daily", settings, now)
    budget = Budget(
        most=settings.most,
        fits=fits,
        always=frozenset(
            paper_id for paper_id, reasons in message.papers if _is_exception(reasons, settings)
        ),
        below=frozenset(paper_id for paper_id, value in fits.items() if value < enough),
        label=rest_label(end),
        due=_ms(end),
    )
    missing = tuple(one for one in message.papers if one[0] not in papers)
    return replace(message, papers=(*ordered, *missing), budget=budget)


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


def _matches(text: str, paper: Paper) -> bool:
    query = readable_query(text)
    return query is not None and query.matches(paper)


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
