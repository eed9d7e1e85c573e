"""What waits in a channel: when it comes, and how it follows a change of the channel's rules."""

from collections.abc import Sequence
from datetime import datetime

from bot.cards.say import count
from bot.commands.services import Services
from bot.domain.deliveries import OpenDelivery
from bot.domain.models import ChannelRef, ChannelSettings, Subscription
from bot.policy.planner import replan
from bot.policy.schedule import due, frequency_of, in_words, is_open


async def follow(channel: ChannelRef, services: Services) -> tuple[int, str]:
    """Let what waits follow the channel's rules and subscriptions as they are now.

    -> how many papers nobody wants any more, and in words what comes next.
    """
    now = await services.outbox.now()
    owed = await services.outbox.open_deliveries(channel)
    rules = await services.rules.of(channel)
    subscriptions = await services.subscriptions.of(channel)
    papers = await services.papers.get({paper for one in owed for paper, _ in one.papers})
    taken, offers = replan(owed, papers, subscriptions, rules, now)
    if taken:
        await services.outbox.replan(channel, taken, offers)
        owed = await services.outbox.open_deliveries(channel)
    dropped = sum(map(len, taken.values())) - sum(len(offer.papers) for offer in offers)
    return dropped, next_words(owed, subscriptions, rules.settings, now)


def next_words(
    owed: Sequence[OpenDelivery],
    subscriptions: Sequence[Subscription],
    settings: ChannelSettings,
    now: datetime,
) -> str:
    """`Next digest: Mon 24 Nov 09:00 Berlin, 3 papers waiting.`, or why there is none."""
    waiting = [one for one in owed if one.state == "pending" and one.due > now and not one.why]
    if waiting:
        papers = sum(len(one.papers) for one in waiting)
        return f"Next digest: {in_words(waiting[0].due, settings.zone)}, {count(papers, 'paper')} waiting."
    rhythms = {frequency_of((s.every,), settings) for s in subscriptions} or {settings.every}
    digests = [due(rhythm, settings, now) for rhythm in rhythms - {"now"}]
    if digests:
        return f"Next digest: {in_words(min(digests), settings.zone)}, nothing waiting yet."
    if not is_open(settings, now):
        return f"Nothing is posted until {in_words(due('now', settings, now), settings.zone)}."
    return "New papers are posted as they come."
