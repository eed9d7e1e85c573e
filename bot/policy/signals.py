"""Changes of a paper that a query's signals or a posted card depend on. Pure."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from bot.domain.models import Paper
from bot.policy.life import new_events
from bot.query import Signal, parse
from bot.query.nodes import terms_of

WITHDRAWN = "withdrawn"
"""Reason of an update that posted cards get even in channels that don't want their cards updated."""
NEWS = "news-"
"""Prefix of an update's reason if it shows an event: it also updates cards where the event is posted."""
STEPS = (25, 100, 250, 500, 1000, 2500)
"""Numbers of upvotes at which a posted card is updated."""
UPVOTE_MARKS = (timedelta(0), timedelta(hours=6), timedelta(days=1), timedelta(days=7))
"""Times after a paper's first listing at which its upvotes are recorded."""


def note(query: str, before: Paper | None, after: Paper) -> str:
    """Describe the query's signals that have become true: `reached ▲ 50`. Empty for a new paper."""
    if before is None:
        return ""
    became_true = (s for s in _signals(query) if _holds(s, after) and not _holds(s, before))
    return ", ".join(dict.fromkeys(map(_in_words, became_true)))


def growth(before: Paper | None, after: Paper) -> str:
    """Return the change that a posted card should show: `withdrawn`, `news-v2`, `▲50` or `code`; "" if there is none."""
    if before is None:
        return ""
    if after.withdrawn and not before.withdrawn:
        return WITHDRAWN
    if news := [event.key for event in new_events(before, after) if event.kind not in {"milestone", "cited"}]:
        return f"{NEWS}{news[-1]}"
    if after.code_url and not before.code_url:
        return "code"
    reached = [step for step in STEPS if (before.upvotes or 0) < step <= (after.upvotes or 0)]
    return f"▲{reached[-1]}" if reached else ""


def is_news(why: str) -> bool:
    """Whether a change updates cards in channels that don't want updates, if the channel is notified of it."""
    return why == WITHDRAWN or why.startswith(NEWS)


@lru_cache(maxsize=4096)
def _signals(query: str) -> tuple[Signal, ...]:
    terms = terms_of(parse(query).root)
    return tuple(term for term, wanted in terms if wanted and isinstance(term, Signal))


def _holds(signal: Signal, paper: Paper) -> bool:
    match signal.name:
        case "min":
            return paper.upvotes is not None and paper.upvotes >= signal.value
        case "top":
            return paper.rank is not None and paper.rank <= signal.value
        case "code":
            return bool(paper.code_url) == bool(signal.value)


def _in_words(signal: Signal) -> str:
    match signal.name:
        case "min":
            return f"reached ▲ {signal.value}"
        case "top":
            return f"now in the top {signal.value}"
        case "code":
            return "code released" if signal.value else "code removed"


def with_upvotes(paper: Paper, now: datetime, *, is_new: bool) -> Paper:
    """Return the paper with its current upvotes recorded, if it is new or old enough for the next of UPVOTE_MARKS."""
    marks = paper.upvotes_over_time
    if paper.upvotes is None or len(marks) >= len(UPVOTE_MARKS) or not (is_new or marks):
        return paper
    if marks and now < _moment(marks[0]) + UPVOTE_MARKS[len(marks)]:
        return paper
    mark = f"{now.astimezone(UTC):%Y-%m-%dT%H:%MZ} {paper.upvotes}"
    return replace(paper, upvotes_over_time=(*marks, mark))


def _moment(mark: str) -> datetime:
    """Return the time of a mark; if it is unreadable, a time so late that no further mark is made."""
    try:
        return datetime.strptime(mark.partition(" ")[0], "%Y-%m-%dT%H:%MZ").replace(tzinfo=UTC)
    except ValueError:
        return datetime.max.replace(tzinfo=UTC) - UPVOTE_MARKS[-1]
