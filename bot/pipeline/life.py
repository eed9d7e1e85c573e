"""News of watched papers: turns the events of a poll into deliveries."""

from collections.abc import Callable, Sequence
from itertools import islice

from bot.domain.life import Event
from bot.domain.models import ChannelRef
from bot.domain.polls import Poll
from bot.observability import metrics
from bot.policy.life import new_events
from bot.policy.life_planner import ChannelEvent, events_by_channel, plan_events
from bot.store.channel_rules import ChannelRules
from bot.store.outbox.outbox import Outbox
from bot.store.watches import Watches

CHANNELS_AT_ONCE = 300
"""Maximum number of channels whose deliveries are enqueued by one call."""


class LifeFanout:
    """Enqueues the events of papers for their watchers, and withdrawals for the channels where they were posted.

    `has_threads` says whether a platform's messages have threads. Repeating a call changes nothing: the outbox
    recognises an event by its name.
    """

    def __init__(
        self, watches: Watches, outbox: Outbox, rules: ChannelRules, *, has_threads: Callable[[str], bool]
    ) -> None:
        self._watches = watches
        self._outbox = outbox
        self._rules = rules
        self._has_threads = has_threads

    async def enqueue(self, poll: Poll) -> dict[str, set[ChannelRef]]:
        """Enqueue the events of a poll's papers. Returns the channels that get each paper's news."""
        events: dict[str, list[Event]] = {}
        for new in poll.news:
            if some := new_events(new.before, new.paper):
                events.setdefault(new.paper.id, []).extend(some)
        if not events:
            return {}
        for event in (event for some in events.values() for event in some):
            metrics.life_events.labels(event.kind).inc()
        channel_events = events_by_channel(
            events, await self._watches.watchers(events), await self._posted(events)
        )
        channels = iter(channel_events.items())
        while part := dict(islice(channels, CHANNELS_AT_ONCE)):
            await self._enqueue_for(part)
        by_paper: dict[str, set[ChannelRef]] = {}
        for channel, news in channel_events.items():
            for paper_id, _, _ in news:
                by_paper.setdefault(paper_id, set()).add(channel)
        return by_paper

    async def _posted(self, events: dict[str, list[Event]]) -> dict[str, set[ChannelRef]]:
        withdrawn = [i for i, some in events.items() if any(event.kind == "withdrawn" for event in some)]
        return await self._outbox.posted_in(withdrawn)

    async def _enqueue_for(self, channel_events: dict[ChannelRef, list[ChannelEvent]]) -> None:
        now, rules = await self._outbox.now(), await self._rules.of_each(channel_events)
        planned = []
        for channel, news in channel_events.items():
            threaded = await self._threaded(channel, [paper_id for paper_id, _, _ in news])
            planned += plan_events(channel, news, rules[channel].settings, threaded, now)
        await self._outbox.enqueue(planned)

    async def _threaded(self, channel: ChannelRef, papers: Sequence[str]) -> set[str]:
        """Return the papers whose card in the channel has a thread."""
        if channel.person or not self._has_threads(channel.platform):
            return set()
        return {paper_id for paper_id in dict.fromkeys(papers) if await self._outbox.sent(channel, paper_id)}
