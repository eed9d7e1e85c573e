"""Learns a channel's taste again, at each signal: a 👍 or 👎, a saved paper, an example, or a change by a person."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.commands.ranked import Matched, matched
from bot.commands.services import Services
from bot.domain.models import ChannelRef, Paper
from bot.policy.channel_taste import ChannelTaste
from bot.policy.ranking import fit, taste_of
from bot.policy.taste import ENOUGH, Background, idf_among, learn

SIGNALS = 50
"""Liked papers, and disliked ones, that are learned from."""
BACKGROUND = 300
"""Papers of the last 14 days that say what isn't taste; to read one takes about a millisecond."""

Change = Callable[[ChannelTaste], ChannelTaste]


@dataclass(frozen=True, slots=True)
class Signals:
    """What people said about papers in a channel."""

    liked: Sequence[Paper]
    disliked: Sequence[Paper]

    @property
    def enough(self) -> bool:
        """Whether a taste can be learned from them."""
        return min(len(self.liked), len(self.disliked)) >= ENOUGH


async def relearn(
    channel: ChannelRef, services: Services, change: Change = lambda taste: taste
) -> ChannelTaste:
    """Learn the channel's taste from all signals, store it and return it; after what a person changed about it."""
    while True:  # until no other process changed it meanwhile: neither change may be lost
        rules = await services.rules.of(channel)
        stored = taste_of(rules)
        taste = change(stored)
        signals = await signals_of(channel, taste, services)
        fits = None
        if signals.enough or rules.settings.most:
            recent = await matched(channel, services, BACKGROUND)
            taste = await asyncio.to_thread(_learned, taste, signals, recent)
            fits = await _fits(recent, taste, services)
        else:
            taste = taste.learn(None, (), {})
        unchanged = fits is None and taste == stored
        if unchanged or await services.rules.put_taste(channel, rules.taste, taste.dump(), fits):
            return taste


async def signals_of(channel: ChannelRef, taste: ChannelTaste, services: Services) -> Signals:
    """The liked and disliked papers: by votes and saves, then by examples; without those to forget."""
    verdicts: dict[str, int] = {}
    for vote in await services.votes.of(channel):
        verdicts[vote.paper] = verdicts.get(vote.paper, 0) + (1 if vote.liked else -1)
    verdicts |= {paper_id: 1 if liked else -1 for paper_id, liked in taste.examples.items()}
    known = await services.papers.get(paper_id for paper_id in verdicts if paper_id not in taste.forgotten)
    liked = [paper for paper_id, paper in known.items() if verdicts[paper_id] > 0]
    disliked = [paper for paper_id, paper in known.items() if verdicts[paper_id] < 0]
    return Signals(_latest(liked), _latest(disliked))


def _learned(taste: ChannelTaste, signals: Signals, recent: Matched) -> ChannelTaste:
    papers = [paper for paper, _ in recent.entries]
    if not signals.enough:
        return taste.learn(None, (), recent.counts)
    idf = idf_among([*papers, *signals.liked, *signals.disliked])
    learned = learn(signals.liked, signals.disliked, Background.of(papers, idf))
    return taste.learn(learned, signals.liked, recent.counts)


async def _fits(recent: Matched, taste: ChannelTaste, services: Services) -> list[tuple[float, float]]:
    """When each recent paper was seen, and how well it fits."""
    seen = await services.papers.first_seen([paper.id for paper, _ in recent.entries])
    return [
        (seen[paper.id], fit(paper, reasons, taste)) for paper, reasons in recent.entries if paper.id in seen
    ]


def _latest(papers: Sequence[Paper]) -> list[Paper]:
    return sorted(papers, key=lambda paper: paper.published, reverse=True)[:SIGNALS]
