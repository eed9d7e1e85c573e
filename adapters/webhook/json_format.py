"""A post as JSON for programs: papers as the API has them, why they are there, and lasting ids. Pure."""

import json
from datetime import datetime
from typing import Any

from bot.cards import Card
from bot.domain.life import LIFE
from bot.domain.models import ChannelRef, Paper, Reason
from bot.web.api_documents import paper_values
from bot.web.feed_documents import moment, reason_values

MAX_PAPERS = 50
"""Papers that are described, as on a page of the API; all others of a long digest are named by their ids."""


def render(card: Card, channel: ChannelRef, label: str, at: datetime) -> dict[str, Any]:
    """The post `label` of `channel`, as it is sent at `at`."""
    news = label.startswith(LIFE)
    data = {
        "channel": str(channel),
        "post": label,
        "summary": card.notice,
        "papers": [_entry(paper, reasons, news=news) for paper, reasons in card.entries[:MAX_PAPERS]],
        "more": [paper.id for paper, _ in card.entries[MAX_PAPERS:]],
    }
    return {"type": "post.news" if news else "post.papers", "timestamp": moment(at), "data": data}


def _entry(paper: Paper, reasons: tuple[Reason, ...], *, news: bool) -> dict[str, Any]:
    """A paper with the subscriptions that it matched, or with what happened to it."""
    if news:
        events = [{"kind": reason.query, "text": reason.note} for reason in reasons]
        return {"paper": paper_values(paper), "reasons": [], "events": events}
    return {
        "paper": paper_values(paper),
        "reasons": [reason_values(reason) for reason in reasons],
        "events": [],
    }


def dumped(values: dict[str, Any]) -> bytes:
    """As JSON, in UTF-8."""
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode()
