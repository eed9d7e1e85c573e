"""Shared by tests of posting: a channel, a card, and a moment before the post."""

from datetime import UTC, datetime, timedelta
from typing import Any

from bot.cards import Card, Posting
from bot.cards.paper import paper_card
from bot.domain.models import ChannelRef, Reason
from tests.adapters.discord.double.payloads import GUILD
from tests.papers import a_paper

NOW = datetime(2026, 10, 5, tzinfo=UTC)
HERE = ChannelRef("discord", str(GUILD), "2000")
KEY = f"{HERE}/2603.00001"
A_MINUTE_AGO = timedelta(minutes=1)


def a_card(**posting: Any) -> Card:
    card = paper_card(a_paper(categories=("cs.CL", "cs.LG")), [Reason(1, "paper")], NOW)
    return Card(card.kind, card.notice, card.heading, card.blocks, Posting(**posting))


def lately() -> datetime:
    return datetime.now(UTC) - A_MINUTE_AGO
