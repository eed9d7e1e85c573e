"""The card about papers' events."""

from collections.abc import Sequence
from datetime import datetime

from bot.cards import Block, Bullets, Button, Card, Span, Text
from bot.cards.build import actions, count, text
from bot.cards.paper import NOTICE, paper_block
from bot.cards.sanitize import link, plain
from bot.domain.models import Paper, Reason
from bot.text import shorten

SHOWN = 8
"""Maximum number of papers whose events one message shows; the others are counted."""

Entry = tuple[Paper, tuple[Reason, ...]]
"""A paper and one of its events: the reason's query is its kind, the note its text."""


def life_card(entries: Sequence[Entry], now: datetime) -> Card:
    """Build a card that lists the events, grouped by paper."""
    papers = {paper.id: paper for paper, _ in entries}
    blocks: list[Block] = []
    for paper_id, paper in list(papers.items())[:SHOWN]:
        reasons = [reason for other, reasons in entries if other.id == paper_id for reason in reasons]
        watched = any(reason.number for reason in reasons)
        blocks.append(paper_block(paper, (), now, "line"))
        blocks.append(Bullets(tuple(_line(paper, reason) for reason in reasons)))
        stop = (Button("Stop watching", f"unwatch {paper_id}"),) if watched else ()
        blocks += actions(Button("Its life so far", f"life {paper_id}"), *stop)
    more = len(papers) - SHOWN
    if more > 0:
        blocks.append(Bullets((text(f"and news of {count(more, 'more paper')}: /paper watch lists them"),)))
    news = "; ".join(plain(reason.note) for _, reasons in entries[:3] for reason in reasons)
    first = plain(next(iter(papers.values())).title) if papers else ""
    notice = (
        f"{shorten(first, NOTICE // 2)}: {news}"
        if len(papers) == 1
        else f"News of {count(len(papers), 'paper')}: {news}"
    )
    return Card(
        "paper",
        shorten(notice, NOTICE),
        "" if len(papers) == 1 else f"News of {count(len(papers), 'paper')}",
        tuple(blocks),
        entries=tuple(entries),
    )


def _line(paper: Paper, event: Reason) -> Text:
    code_url = link(paper.code_url) if event.query == "code" else None
    return (Span("Code is available", url=code_url),) if code_url else text(plain(event.note))
