"""Papers, batches and channels for tests."""

from datetime import UTC, datetime
from typing import Any

from bot.models import ChannelRef, Paper

SPRING = datetime(2026, 3, 2, tzinfo=UTC)


def a_paper(paper_id: str = "2603.00001", **facts: Any) -> Paper:
    """A paper with whatever a test cares about."""
    usual: dict[str, Any] = {
        "title": f"On paper {paper_id}",
        "abstract": "We look at it closely.",
        "authors": ("Ada Lovelace",),
        "url": f"https://arxiv.org/abs/{paper_id}",
        "published": SPRING,
        "sources": ("huggingface",),
    }
    return Paper(id=paper_id, **(usual | facts))


def a_channel(name: str = "C1", workspace: str = "T1", platform: str = "fake") -> ChannelRef:
    return ChannelRef(platform, workspace, name)
