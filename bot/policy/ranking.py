"""Orders papers by the channel's taste, then by upvotes, then by how closely they match. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from math import inf
from typing import TypeVar

from bot.domain.errors import UserError
from bot.domain.models import Paper, Reason, Rules
from bot.policy.channel_taste import ChannelTaste, load_taste
from bot.query import Query, parse

BANDS = 25
"""Number of steps of a taste's score from 0 to 1. Papers on the same step fit equally well, and upvotes decide."""
TITLE, SEVERAL, RARE = 1.0, 0.2, 0.1
"""Points of a match: in the title, for each further matching subscription, and as the only one in two weeks."""
MAX_SEVERAL = 4
"""Maximum number of further subscriptions that count."""
LOOK_BACK = timedelta(days=14)
"""Period whose scores decide what is good enough today."""
MIN_FITS = 10
"""Minimum number of scores for that decision."""

Entry = tuple[Paper, tuple[Reason, ...]]
_E = TypeVar("_E", bound=Entry)


def best_first(entries: Iterable[_E], taste: ChannelTaste) -> list[_E]:
    """Sort by taste, then upvotes and trending rank, then the strength of the match, then recency.

    Ties are sorted by id, so that the order is stable.
    """
    by_id = sorted(entries, key=lambda entry: entry[0].id)
    return sorted(by_id, key=lambda entry: _merit(entry, taste), reverse=True)


def fit(paper: Paper, reasons: Sequence[Reason], taste: ChannelTaste) -> float:
    """Return how well a paper fits, independent of time: the taste's score, else the strength of its match."""
    return taste.score(paper) if taste.learned else strength(paper, reasons, taste.matches)


def strength(paper: Paper, reasons: Sequence[Reason], matches: Mapping[int, int]) -> float:
    """Return how closely a paper matches. `matches` counts each subscription's matches in the last two weeks."""
    if not reasons:
        return 0.0
    in_title = any(_in_title(reason.query, paper.title) for reason in reasons)
    rarest = min(matches.get(reason.number, 100) for reason in reasons)
    return TITLE * in_title + SEVERAL * min(MAX_SEVERAL, len(reasons) - 1) + RARE / max(1, rarest)


def good_enough(rules: Rules, now: datetime) -> float:
    """Return the minimum fit that lets about as many papers a day pass as the budget allows, by the last two weeks."""
    since = (now - LOOK_BACK).timestamp() * 1000
    recent = [(at, value) for at, value in rules.fits if at > since]
    days = len({datetime.fromtimestamp(at / 1000, UTC).date() for at, _ in recent})
    passing = rules.settings.most * days
    if len(recent) < MIN_FITS or passing >= len(recent):
        return -inf
    return sorted((value for _, value in recent), reverse=True)[passing - 1]


def taste_of(rules: Rules) -> ChannelTaste:
    """Return the channel's taste; an empty one if it has none or if it is unreadable."""
    return load_taste(rules.taste)


@lru_cache(maxsize=1024)
def readable_query(text: str) -> Query | None:
    """Parse a query. Return None if it is in a newer version of the query language."""
    try:
        return parse(text)
    except UserError:
        return None


def _merit(entry: Entry, taste: ChannelTaste) -> tuple[float, ...]:
    paper, reasons = entry
    return (
        round(taste.score(paper) * BANDS),
        paper.upvotes or 0,
        -(inf if paper.rank is None else paper.rank),
        strength(paper, reasons, taste.matches),
        paper.published.timestamp(),
    )


@lru_cache(maxsize=4096)
def _in_title(query: str, title: str) -> bool:
    parsed = readable_query(query)
    return parsed is not None and parsed.matches(
        Paper(id="", title=title, abstract="", authors=(), url="", published=datetime.fromtimestamp(0, UTC))
    )
