"""Holds all subscriptions, and finds those that a paper matches."""

from functools import cache

from structlog import get_logger

from bot.domain.errors import UserError
from bot.domain.models import ChannelRef, Paper, Subscription
from bot.matching.index import QueryIndex
from bot.matching.keys import keys_of
from bot.matching.normal_form import normal_form
from bot.matching.subscribers import Matches, SubscriberTable
from bot.query import Node, PaperView, parse
from bot.query.query import predicate_of

_log = get_logger()


class Matcher:
    """All subscriptions. A change takes microseconds and applies from the next paper on."""

    def __init__(self) -> None:
        self._index = QueryIndex()
        self._subscribers = SubscriberTable()
        self._ids: dict[str, int] = {}
        self._texts: dict[int, str] = {}
        self._next_id = 0

    def __len__(self) -> int:
        return len(self._subscribers)

    def add(self, subscription: Subscription) -> None:
        """Add or replace a subscription. One with an invalid query is logged and matches nothing."""
        self.remove(subscription.channel, subscription.number)
        query = self._id_of(subscription)
        if query is not None:
            self._subscribers.add(subscription.channel, subscription.number, subscription.every, query)

    def remove(self, channel: ChannelRef, number: int) -> None:
        """Remove a subscription, if it exists."""
        query = self._subscribers.remove(channel, number)
        if query is not None and not self._subscribers.has(query):
            text = self._texts.pop(query)
            del self._ids[text]
            self._index.remove(query, normal_form(parse(text).root))

    def match(self, paper: Paper) -> Matches:
        """Return the subscriptions that `paper` matches."""
        return self._matches(self._queries_for(paper))

    def newly(self, paper: Paper, before: Paper | None) -> Matches:
        """Return the subscriptions that `paper` matches and `before`, its previous state (None: new), didn't."""
        return self._matches(self._queries_for(paper) - (self._queries_for(before) if before else set()))

    def _id_of(self, subscription: Subscription) -> int | None:
        text = subscription.query
        if text in self._ids:
            return self._ids[text]
        try:
            query = parse(text)
        except UserError as error:
            channel = str(subscription.channel)
            _log.warning(
                "unreadable_subscription",
                channel=channel,
                number=subscription.number,
                query=text,
                why=str(error),
            )
            return None
        number = self._next_id
        self._next_id += 1
        self._ids[text] = number
        self._texts[number] = text
        self._index.add(number, normal_form(query.root))
        return number

    def _queries_for(self, paper: Paper) -> set[int]:
        @cache
        def view() -> PaperView:
            return PaperView.of(paper)

        def matches(node: Node) -> bool:
            return predicate_of(node)(view())

        return self._index.matching(keys_of(paper), matches)

    def _matches(self, queries: set[int]) -> Matches:
        return self._subscribers.of(sorted(queries), self._texts)
