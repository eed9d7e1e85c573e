"""Papers in a channel's order, for lists that a command shows."""

from collections.abc import Iterable

from bot.commands.services import Services
from bot.domain.models import ChannelRef, Paper, Reason
from bot.policy.channel_taste import ChannelTaste
from bot.policy.ranking import Entry, best_first, taste_of
from bot.query import parse


async def ranked(
    channel: ChannelRef, papers: Iterable[Paper], services: Services
) -> tuple[list[Entry], ChannelTaste]:
    """The papers with the subscriptions that match them, the best first, and the channel's taste."""
    taste = taste_of(await services.rules.of(channel))
    queries = [(s, parse(s.query)) for s in await services.subscriptions.of(channel)]
    entries: list[Entry] = [
        (paper, tuple(Reason(s.number, s.query) for s, query in queries if query.matches(paper)))
        for paper in papers
    ]
    return best_first(entries, taste), taste
