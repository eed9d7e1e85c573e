"""A post as JSON for programs: papers as in the API, the reasons for them, and permanent ids. Pure."""

import json
from datetime import datetime
from typing import Any

from bot.cards import Card
from bot.domain.life import LIFE
from bot.domain.models import ChannelRef, Paper, Reason
from bot.web.api_documents import paper_values
from bot.web.feed_documents import moment, reason_values

MAX_PAPERS = 50
"""Maximum number of papers with all fields, as on a page of the API; further ones of a long digest have only an id."""


def render(card: Card, channel: ChannelRef, label: str, at: datetime) -> dict[str, Any]:
    """Return the post `label` of `channel`, sent at `at`."""
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
    """Return a paper with the subscriptions that it matched, or with its events."""
    if news:
        events = [{"kind": reason.query, "text": reason.note} for reason in reasons]
        return {"paper": paper_values(paper), "reasons": [], "events": events}
    return {
        "paper": paper_values(paper),
        "reasons": [reason_values(reason) for reason in reasons],
        "events": [],
    }


def dumped(values: dict[str, Any]) -> bytes:
    """Encode `values` as JSON in UTF-8."""
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode()
