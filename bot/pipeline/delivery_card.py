"""The card of a delivery, and the papers that it shows."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from math import inf
from time import monotonic

from bot.cards import Card
from bot.cards.digest import Entry, delivery_card
from bot.domain.deliveries import Delivery
from bot.domain.life import LIFE, paper_of
from bot.domain.models import Paper, Rules
from bot.policy.planner import folded
from bot.policy.ranking import best_first, taste_of
from bot.store.papers import Papers

CACHED_PAPERS = 500
"""Maximum number of cached papers."""
FRESH = 30.0
"""Seconds for which a cached paper is used."""


class PaperCache:
    """The papers of recent deliveries, since the same paper goes to many channels at once."""

    def __init__(self, papers: Papers) -> None:
        self._papers = papers
        self._reading = asyncio.Lock()
        self._cached: dict[str, tuple[float, Paper]] = {}

    async def entries(self, delivery: Delivery) -> list[Entry]:
        """Return the delivery's papers as they are now, with their reasons. Raises RedisError."""
        async with self._reading:  # others that wait for the same paper find it in the cache
            now = monotonic()
            wanted = [(paper_of(entry), why) for entry, why in delivery.papers]
            # News must show the paper's current state.
            oldest = inf if delivery.label.startswith(LIFE) else now - FRESH
            missing = [i for i, _ in wanted if self._cached.get(i, (-inf,))[0] < oldest]
            if missing:
                found = await self._papers.get(dict.fromkeys(missing))
                self._cached |= {paper_id: (now, paper) for paper_id, paper in found.items()}
        entries = [(self._cached[i][1], why) for i, why in wanted if i in self._cached]
        while len(self._cached) > CACHED_PAPERS:
            del self._cached[next(iter(self._cached))]
        return entries


def compose(
    entries: Sequence[Entry], rules: Rules, now: datetime, label: str = "", *, ordered: bool = False
) -> Card:
    """Compose the card of the delivery `label`: best papers first, why they are shown, and how many the budget folds.

    Papers that are `ordered` already stay in their order. Pure.
    """
    if label.startswith(LIFE):  # news of papers, in the order in which they happened
        return delivery_card(entries, rules.settings, now, label)
    taste = taste_of(rules)
    best = list(entries) if ordered else best_first(entries, taste)
    counted = folded(best, rules, label)
    shown = [entry for entry in best if entry not in counted]
    because = {paper.id: why for paper, _ in shown if (why := taste.because(paper))}
    return delivery_card(shown, rules.settings, now, label, folded=counted, because=because)
