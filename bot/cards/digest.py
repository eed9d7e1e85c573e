"""The card of a delivery: one paper, or a digest of several, so that a busy poll doesn't flood a channel."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from math import inf

from bot.cards import Block, Button, Card, Posting
from bot.cards.build import actions, count, dim, paragraph
from bot.cards.paper import NOTICE, paper_block, paper_card, reason_texts
from bot.domain.models import ChannelSettings, Paper, Reason
from bot.text import shorten

LINES = 10
"""Papers on a page of a digest. Ten entries stay below the smallest limit of the platforms, 4,000 characters."""

Entry = tuple[Paper, tuple[Reason, ...]]


def digest_card(entries: Sequence[Entry], now: datetime, label: str = "", page: int = 1) -> Card:
    """One message for all `entries`, the best first.

    Those beyond LINES are on further pages, which are requested by the digest's `label`.
    """
    first = (page - 1) * LINES
    shown, rest = ranked(entries)[first : first + LINES], len(entries) - first - LINES
    shared = _shared_reasons(entries)
    lines = tuple(
        paper_block(paper, [reason for reason in reasons if reason not in shared], now, "line")
        for paper, reasons in shown
    )
    heading = count(len(entries), "new paper")
    notice = shorten(f"{heading}: {'; '.join(line.title for line in lines)}", NOTICE)
    why = (paragraph(dim(f"All {', '.join(reason_texts(shared))}")),) if shared else ()
    more = _more(rest, f"more {label} page:{page + 1}" if label else "")
    return Card("digest", notice, heading, (*why, *lines, *more))


def _shared_reasons(entries: Sequence[Entry]) -> tuple[Reason, ...]:
    """The reasons that all entries share: said once, they are read."""
    if len(entries) < 2:
        return ()
    (_, first), *others = entries
    return tuple(reason for reason in first if all(reason in reasons for _, reasons in others))


def _more(rest: int, command: str) -> tuple[Block, ...]:
    if rest <= 0:
        return ()
    show = actions(Button(f"Show {min(rest, LINES)} more", command)) if command else ()
    return paragraph(dim(f"and {rest} more")), *show


def ranked(entries: Sequence[Entry]) -> list[Entry]:
    """The best first: by number of matching subscriptions, then upvotes, then trending rank."""
    return sorted(entries, key=lambda entry: _merit(*entry), reverse=True)


def _merit(paper: Paper, reasons: Sequence[Reason]) -> tuple[int, int, float]:
    return len(reasons), paper.upvotes or 0, -(inf if paper.rank is None else paper.rank)


def delivery_card(
    entries: Sequence[Entry], settings: ChannelSettings, now: datetime, label: str = ""
) -> Card:
    """The card for `entries`; `label` names the digest in its channel."""
    if len(entries) == 1:
        paper, reasons = entries[0]
        card = paper_card(paper, reasons, now, settings.detail)
    else:
        card = digest_card(entries, now, label)
    return replace(card, posting=posting(entries, settings))


def posting(entries: Sequence[Entry], settings: ChannelSettings) -> Posting:
    """What the channel's settings ask of the platform."""
    topics = Counter(category for paper, _ in entries for category in paper.categories)
    return Posting(
        ping=settings.ping,
        threads=settings.threads,
        embeds=settings.embeds,
        publish=settings.publish,
        topics=tuple(topic for topic, _ in topics.most_common()),
        papers=tuple(paper.id for paper, _ in entries),
    )
