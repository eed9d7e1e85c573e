"""Which subscription a person means by `#3`, by `3` or by its query."""

from collections.abc import Sequence
from difflib import get_close_matches

from bot.commands.line import number_in
from bot.commands.services import Services
from bot.domain.errors import UserError
from bot.domain.models import ChannelRef, Subscription
from bot.query import parse


async def which(text: str, channel: ChannelRef, services: Services) -> Subscription:
    """The channel's subscription that `text` names.

    Raises UserError with the nearest one that there is.
    """
    existing = await services.subscriptions.of(channel)
    number = number_in(text)
    if number is None:
        query = str(parse(text))
        found = next((s for s in existing if s.query == query), None)
    else:
        found = next((s for s in existing if s.number == number), None)
    if found is None:
        raise _missing(text, existing)
    return found


def _missing(text: str, existing: Sequence[Subscription]) -> UserError:
    if not existing:
        return UserError(
            "This channel has no subscriptions.", hint='/paper subscribe "language model" -survey'
        )
    near = get_close_matches(text, [s.query for s in existing], n=1)
    subscription = next((s for s in existing if s.query in near), None)
    if subscription is None:
        return UserError(f"This channel has no subscription {text}.", hint="/paper list")
    return UserError(
        f"This channel has no subscription {text}; the nearest is #{subscription.number}: {subscription.query}",
        hint=f"/paper unsubscribe #{subscription.number}",
    )
