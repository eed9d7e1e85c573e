"""The card of a delivery: one paper, or a digest of several, so that a busy poll doesn't flood a channel."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from math import inf

from bot.cards import Block, Button, Card, PaperBlock, Posting
from bot.cards.build import actions, count, dim, paragraph
from bot.cards.life import life_card
from bot.cards.paper import NOTICE, one_sentence, paper_block, paper_card, reason_text
from bot.domain.life import LIFE
from bot.domain.models import ChannelSettings, Paper, Reason
from bot.text import shorten

LINES = 10
"""Papers on a page of a digest. Ten entries stay below the smallest limit of the platforms, 4,000 characters."""

SENTENCE = 200
"""Characters of the sentence about each paper of a digest."""

Entry = tuple[Paper, tuple[Reason, ...]]


def digest_card(entries: Sequence[Entry], now: datetime, label: str = "", page: int = 1) -> Card:
    """One message for all `entries`, the best first.

    Those beyond LINES are on further pages, which are requested by the digest's `label`.
    """
    first = (page - 1) * LINES
    shown, rest = ranked(entries)[first : first + LINES], len(entries) - first - LINES
    shared = _shared_reasons(entries)
    lines = tuple(_line(paper, () if shared else reasons, now) for paper, reasons in shown)
    heading = count(len(entries), "new paper")
    notice = shorten(f"{heading}: {'; '.join(line.title for line in lines)}", NOTICE)
    why = (paragraph(dim(f"All {', '.join(map(reason_text, shared))}")),) if shared else ()
    more = _more(rest, f"more {label} page:{page + 1}" if label else "")
    return Card("digest", notice, heading, (*why, *lines, *more))


def _line(paper: Paper, reasons: Sequence[Reason], now: datetime) -> PaperBlock:
    """A digest's entry: title, byline, and one sentence."""
    return replace(paper_block(paper, reasons, now, "line"), summary=one_sentence(paper, SENTENCE))


def _shared_reasons(entries: Sequence[Entry]) -> tuple[Reason, ...]:
    """The reasons of all entries if they are the same for all, else none: said once, they are read."""
    reasons = {entry_reasons for _, entry_reasons in entries}
    return reasons.pop() if len(reasons) == 1 and len(entries) > 1 else ()


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
    """The card for `entries`; `label` names the digest in its channel, or the news of papers that are watched there."""
    if label.startswith(LIFE):
        return life_card(entries, now)
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
