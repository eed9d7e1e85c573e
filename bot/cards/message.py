"""What a delivery says: one paper's card or a digest of several, as its channel wants it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from bot.cards import Card, Posting
from bot.cards.digest import Entry, digest_card
from bot.cards.paper import paper_card
from bot.domain.models import ChannelSettings


def message(entries: Sequence[Entry], settings: ChannelSettings, now: datetime, label: str = "") -> Card:
    """The card for `entries`; `label` is what a digest is called in its channel."""
    if len(entries) == 1:
        paper, reasons = entries[0]
        card = paper_card(paper, reasons, now, settings.detail)
    else:
        card = digest_card(entries, now, label)
    return replace(card, posting=posting(entries, settings))


def posting(entries: Sequence[Entry], settings: ChannelSettings) -> Posting:
    """What the channel asks of the platform."""
    topics = Counter(category for paper, _ in entries for category in paper.categories)
    return Posting(
        ping=settings.ping,
        threads=settings.threads,
        embeds=settings.embeds,
        publish=settings.publish,
        topics=tuple(topic for topic, _ in topics.most_common()),
        papers=tuple(paper.id for paper, _ in entries),
    )
