"""Papers, batches and channels for tests."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from bot.cards import Card, PaperBlock
from bot.cards.digest import Entry
from bot.domain.deliveries import Delivery
from bot.domain.models import ChannelRef, Paper, Rules

SPRING = datetime(2026, 3, 2, tzinfo=UTC)


def a_paper(paper_id: str = "2603.00001", **facts: Any) -> Paper:
    """Return a paper with the fields that a test cares about, and defaults."""
    usual: dict[str, Any] = {
        "title": f"On paper {paper_id}",
        "abstract": "We look at it closely.",
        "authors": ("Ada Lovelace",),
        "url": f"https://arxiv.org/abs/{paper_id}",
        "published": SPRING,
        "sources": ("huggingface",),
    }
    return Paper(id=paper_id, **(usual | facts))


def a_card(_delivery: Delivery, entries: Sequence[Entry], _rules: Rules) -> Card:
    """Return a plain card of these papers."""
    blocks = tuple(PaperBlock(paper_id=p.id, title=p.title, url=p.url, byline=()) for p, _ in entries)
    return Card(kind="paper", notice=entries[0][0].title, blocks=blocks)


def a_channel(name: str = "C1", workspace: str = "T1", platform: str = "fake") -> ChannelRef:
    return ChannelRef(platform, workspace, name)
