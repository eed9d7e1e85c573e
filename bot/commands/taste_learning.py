"""Relearns a channel's taste at each signal: a 👍 or 👎, a saved paper, an example, or a change by a person."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.commands.ranked import Matched, matched
from bot.commands.services import Services
from bot.domain.models import ChannelRef, Paper
from bot.policy.channel_taste import ChannelTaste
from bot.policy.ranking import fit, taste_of
from bot.policy.taste import ENOUGH, Background, idf_among, learn

MAX_SIGNALS = 50
"""Maximum number of liked papers, and of disliked ones, that a taste is learned from."""
BACKGROUND = 300
"""Maximum number of papers of the last 14 days that show what isn't taste; reading one takes about a millisecond."""

Change = Callable[[ChannelTaste], ChannelTaste]


@dataclass(frozen=True, slots=True)
class Signals:
    """Papers that people liked and disliked in a channel."""

    liked: Sequence[Paper]
    disliked: Sequence[Paper]

    @property
    def enough(self) -> bool:
        """Whether a taste can be learned from them."""
        return min(len(self.liked), len(self.disliked)) >= ENOUGH


async def relearn(
    channel: ChannelRef, services: Services, change: Change = lambda taste: taste
) -> ChannelTaste:
    """Apply `change` to the channel's taste, learn it from all signals, store it and return it."""
    while True:  # retry if another process changed it meanwhile, so that no change is lost
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
    """Return the liked and disliked papers by votes and saves, which examples override; without the forgotten ones."""
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
    """Return when each recent paper was seen, and how well it fits."""
    seen = await services.papers.first_seen([paper.id for paper, _ in recent.entries])
    return [
        (seen[paper.id], fit(paper, reasons, taste)) for paper, reasons in recent.entries if paper.id in seen
    ]


def _latest(papers: Sequence[Paper]) -> list[Paper]:
    return sorted(papers, key=lambda paper: paper.published, reverse=True)[:MAX_SIGNALS]
