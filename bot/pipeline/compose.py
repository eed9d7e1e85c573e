"""Composes a delivery's card: the best papers first, why they are here, and how many the budget folds. Pure."""

from collections.abc import Sequence
from datetime import datetime

from bot.cards import Card
from bot.cards.digest import Entry, delivery_card
from bot.domain.life import LIFE
from bot.domain.models import Rules
from bot.policy.planner import folded
from bot.policy.ranking import best_first, taste_of


def compose(
    entries: Sequence[Entry], rules: Rules, now: datetime, label: str = "", *, ordered: bool = False
) -> Card:
    """The card of the delivery `label` with these papers, in their order if they are `ordered` already."""
    if label.startswith(LIFE):  # news of papers, in the order in which they happened
        return delivery_card(entries, rules.settings, now, label)
    taste = taste_of(rules)
    best = list(entries) if ordered else best_first(entries, taste)
    counted = folded(best, rules, label)
    shown = [entry for entry in best if entry not in counted]
    because = {paper.id: why for paper, _ in shown if (why := taste.because(paper))}
    return delivery_card(shown, rules.settings, now, label, folded=counted, because=because)
