"""A paper in, the subscriptions that it matches out."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from structlog import get_logger

from bot.errors import UserError
from bot.models import ChannelRef, Every, Paper, Subscription
from bot.query import Query, Reading, parse

_log = get_logger()


class Match(NamedTuple):
    """A subscription that a paper matches: whose it is, its number there, what it asked for, how it is told."""

    channel: ChannelRef
    number: int
    query: str
    every: Every


class Matcher:
    """Every subscription, asked about one paper at a time."""

    def __init__(self, subscriptions: Iterable[Subscription] = ()) -> None:
        self._queries: dict[str, Query] = {}
        self._followers: dict[str, dict[tuple[ChannelRef, int], Every]] = {}
        self._query_of: dict[tuple[ChannelRef, int], str] = {}
        for subscription in subscriptions:
            self.add(subscription)

    def __len__(self) -> int:
        return len(self._query_of)

    def add(self, subscription: Subscription) -> None:
        """Take a subscription in, or its new form. One whose query can't be read is logged and matches nothing."""
        self.remove(subscription.channel, subscription.number)
        text = subscription.query
        try:
            query = parse(text)
        except UserError as error:
            _log.warning(
                "unreadable_subscription", channel=str(subscription.channel), query=text, error=str(error)
            )
            return
        self._queries.setdefault(text, query)
        self._followers.setdefault(text, {})[subscription.channel, subscription.number] = subscription.every
        self._query_of[subscription.channel, subscription.number] = text

    def remove(self, channel: ChannelRef, number: int) -> None:
        """Let a subscription go; one that isn't there is no error."""
        text = self._query_of.pop((channel, number), None)
        if text is None:
            return
        del self._followers[text][channel, number]
        if not self._followers[text]:
            del self._followers[text], self._queries[text]

    def match(self, paper: Paper) -> Sequence[Match]:
        """The subscriptions that `paper` matches, as it stands now."""
        return self._of(self._holding(paper))

    def newly(self, paper: Paper, before: Paper | None) -> Sequence[Match]:
        """Those that `paper` matches and its former state `before` did not: None for a paper that is new."""
        return self._of(self._holding(paper) - (self._holding(before) if before else set()))

    def _holding(self, paper: Paper) -> set[str]:
        reading = Reading.of(paper)
        return {text for text, query in self._queries.items() if query.holds_for(reading)}

    def _of(self, texts: set[str]) -> list[Match]:
        return [
            Match(channel, number, text, every)
            for text in texts
            for (channel, number), every in self._followers[text].items()
        ]
