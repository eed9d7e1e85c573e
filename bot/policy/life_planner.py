"""Plans the messages about papers' events: who is notified of which, and when. Pure.

A channel or person gets all events of a day in one message, at the hour of their digests. If the platform has
threads, there is one message for each paper, in the thread of its card. Withdrawals don't wait for that.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime

from bot.domain.deliveries import PaperWithReasons, PlannedDelivery
from bot.domain.life import LIFE, Event, Watch
from bot.domain.models import ChannelRef, ChannelSettings, Frequency, Reason
from bot.policy.schedule import due

WATCHED, POSTED = 1, 0
"""In place of a subscription's number: the channel watches the paper, or the paper was posted there."""

ChannelEvent = tuple[str, Event, int]
"""A paper's id, its event, and the reason for notifying the channel: WATCHED or POSTED."""


def events_by_channel(
    events: Mapping[str, Iterable[Event]],
    watchers: Mapping[str, Mapping[ChannelRef, Watch]],
    posted: Mapping[str, Collection[ChannelRef]],
) -> dict[ChannelRef, list[ChannelEvent]]:
    """Return each channel's and person's events: all that they watch for, and withdrawals of papers posted there."""
    found: dict[ChannelRef, list[ChannelEvent]] = {}
    for paper_id, paper_events in events.items():
        for event in paper_events:
            watching = [w for w, watch in watchers.get(paper_id, {}).items() if event.kind in watch.events]
            for channel in watching:
                found.setdefault(channel, []).append((paper_id, event, WATCHED))
            for channel in posted.get(paper_id, ()) if event.kind == "withdrawn" else ():
                if channel not in watching:
                    found.setdefault(channel, []).append((paper_id, event, POSTED))
    return found


def plan_events(
    channel: ChannelRef,
    channel_events: Iterable[ChannelEvent],
    settings: ChannelSettings,
    threaded: Collection[str],
    now: datetime,
) -> list[PlannedDelivery]:
    """Plan the messages for one channel or person. `threaded` holds the papers whose cards there have a thread."""
    channel_events = list(channel_events)
    urgent = {paper_id: event.key for paper_id, event, _ in channel_events if event.kind == "withdrawn"}
    messages: dict[tuple[str, datetime], list[PaperWithReasons]] = {}
    for paper_id, event, why in channel_events:
        later: Frequency = "weekly" if settings.every == "weekly" else "daily"
        at = due("now" if paper_id in urgent else later, settings, now)
        label = f"{LIFE}{at.astimezone(UTC):%Y-%m-%dT%H:%MZ}"
        if paper_id in urgent and at <= now:
            label = f"{LIFE}{urgent[paper_id]}@{paper_id}"
        elif paper_id in threaded:
            label += f"@{paper_id}"
        messages.setdefault((label, at), []).append(
            (event.entry(paper_id), (Reason(why, event.kind, event.text),))
        )
    return [
        PlannedDelivery(channel=channel, papers=tuple(papers), due=round(at.timestamp() * 1000), label=label)
        for (label, at), papers in messages.items()
    ]
