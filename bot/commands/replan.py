"""Plans a channel's waiting posts again after a change of its rules, and says when the next ones are due."""

from collections.abc import Sequence
from datetime import datetime

from bot.cards.build import count
from bot.commands.services import Services
from bot.domain.deliveries import OpenDelivery
from bot.domain.models import ChannelRef, ChannelSettings, Subscription
from bot.policy.planner import replan
from bot.policy.schedule import due, frequency_of, in_words, is_open


async def replan_waiting(channel: ChannelRef, services: Services) -> tuple[int, str]:
    """Plan the channel's waiting posts again, by its present rules and subscriptions.

    Returns the number of papers that are no longer wanted, and in words what is posted next.
    """
    now = await services.outbox.now()
    deliveries = await services.outbox.open_deliveries(channel)
    rules = await services.rules.of(channel)
    subscriptions = await services.subscriptions.of(channel)
    papers = await services.papers.get({paper for one in deliveries for paper, _ in one.papers})
    taken, offers = replan(deliveries, papers, subscriptions, rules, now)
    if taken:
        await services.outbox.replan(channel, taken, offers)
        deliveries = await services.outbox.open_deliveries(channel)
    dropped = sum(map(len, taken.values())) - sum(len(offer.papers) for offer in offers)
    return dropped, next_words(deliveries, subscriptions, rules.settings, now)


def next_words(
    deliveries: Sequence[OpenDelivery],
    subscriptions: Sequence[Subscription],
    settings: ChannelSettings,
    now: datetime,
) -> str:
    """Say what is posted next: `Next digest: Mon 24 Nov 09:00 Berlin, 3 papers waiting.`, or why there is no digest."""
    waiting = [one for one in deliveries if one.state == "pending" and one.due > now and not one.why]
    if waiting:
        papers = sum(len(one.papers) for one in waiting)
        return f"Next digest: {in_words(waiting[0].due, settings.zone)}, {count(papers, 'paper')} waiting."
    frequencies = {frequency_of((s.every,), settings) for s in subscriptions} or {settings.every}
    digests = [due(frequency, settings, now) for frequency in frequencies - {"now"}]
    if digests:
        return f"Next digest: {in_words(min(digests), settings.zone)}, nothing waiting yet."
    if not is_open(settings, now):
        return f"Nothing is posted until {in_words(due('now', settings, now), settings.zone)}."
    return "New papers are posted as they come."
