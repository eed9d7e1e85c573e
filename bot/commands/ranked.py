"""Papers in a channel's order, and the recent papers that its subscriptions match."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot.commands.services import Services
from bot.domain.models import ChannelRef, Paper, Reason
from bot.policy.channel_taste import ChannelTaste
from bot.policy.ranking import Entry, best_first, taste_of
from bot.query import parse


@dataclass(frozen=True, slots=True)
class Matched:
    """Papers that a channel's subscriptions matched lately."""

    entries: Sequence[Entry]
    """Each paper with its reasons."""
    counts: Mapping[int, int]
    """Number of a subscription -> number of papers that it matched."""


async def ranked(
    channel: ChannelRef, papers: Iterable[Paper], services: Services
) -> tuple[list[Entry], ChannelTaste]:
    """Return the papers with the subscriptions that match them, the best first, and the channel's taste."""
    taste = taste_of(await services.rules.of(channel))
    queries = [(s, parse(s.query)) for s in await services.subscriptions.of(channel)]
    entries: list[Entry] = [
        (paper, tuple(Reason(s.number, s.query) for s, query in queries if query.matches(paper)))
        for paper in papers
    ]
    return best_first(entries, taste), taste


async def matched(channel: ChannelRef, services: Services, most: int) -> Matched:
    """Return the latest papers of the last 14 days that the channel's subscriptions match, `most` at most."""
    reasons: dict[str, list[Reason]] = {}
    counts: dict[int, int] = {}
    for subscription in await services.subscriptions.of(channel):
        found = await services.recent.matching(parse(subscription.query))
        counts[subscription.number] = len(found)
        for paper_id in found:
            reasons.setdefault(paper_id, []).append(Reason(subscription.number, subscription.query))
    seen = await services.papers.first_seen(list(reasons))
    latest = sorted(seen, key=lambda paper_id: (seen[paper_id], paper_id), reverse=True)[:most]
    papers = await services.papers.get(latest)
    return Matched([(paper, tuple(reasons[paper_id])) for paper_id, paper in papers.items()], counts)
