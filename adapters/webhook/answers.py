"""What an answer to a request, or its absence, means for a delivery. Pure; `client` does the I/O.

A webhook that fails is tried ever more seldom, paused after a day, and ended after two weeks. A refusal that may be about one post,
as a firewall's, makes only that post wait; if others get through meanwhile, it becomes a dead letter in the end.
"""

from datetime import timedelta
from typing import Literal

from bot.domain.errors import ChannelEnded, ChannelGone, DeliveryUncertain, RetryLater, SendError

GONE = 410
"""The one status that ends a webhook at once: its server says that this is for good."""
PASSING = frozenset({408, 425, 429})
"""The refusals that say that it is too slow, too early or too much."""
FIRST_WAIT, LONGEST_WAIT = 5.0, 3600.0
"""Seconds until the next attempt: at least, and at most unless the answer names a time."""
PAUSED_AFTER = timedelta(days=1)
"""Failing for so long pauses a webhook, and one person is notified."""
ENDED_AFTER = timedelta(days=14)
"""Failing for so long ends it: what waits for it would grow without a bound."""

Silence = Literal["connect", "answer"]
"""What did not come about: a connection, so that certainly nothing was sent, or the answer to what was sent."""


def confirms(status: int) -> bool:
    """Whether an answer says that the post was taken."""
    return 200 <= status < 300


def on_answer(status: int, retry_after: float | None, failing: timedelta, host: str) -> SendError:
    """The error for a complete answer that doesn't confirm the post."""
    if status == GONE:
        return ChannelEnded(f"The webhook at {host} has ended: its server answered 410, gone for good.")
    why = f"{host} answered {status}"
    if 300 <= status < 400:
        why = f"{why}, a redirect, which isn't followed"
    if given_up := _given_up(why, failing, host):
        return given_up
    after = max(wait(failing), retry_after or 0.0)
    if status >= 500:  # a proxy says that also after it has passed the request on
        return DeliveryUncertain(why, after=after)
    about_a_post = 400 <= status < 500 and status not in PASSING
    return RetryLater(why, after=after, counts=False, unexplained=about_a_post)


def on_silence(what: Silence, reason: str, failing: timedelta, host: str) -> SendError:
    """The error for a request without an answer. Other webhooks of a host that can't be connected to wait, too."""
    why = f"{host} {reason}"
    if given_up := _given_up(why, failing, host):
        return given_up
    if what == "connect":
        return RetryLater(why, after=wait(failing), scope="workspace", counts=False)
    return DeliveryUncertain(why, after=wait(failing))


def wait(failing: timedelta) -> float:
    """Seconds until the next attempt: half as long as it has been failing, so each wait is longer than the last."""
    return min(LONGEST_WAIT, max(FIRST_WAIT, failing.total_seconds() / 2))


def _given_up(why: str, failing: timedelta, host: str) -> SendError | None:
    if failing >= ENDED_AFTER:
        return ChannelEnded(f"The webhook at {host} has ended: it has failed for two weeks ({why}).")
    if failing >= PAUSED_AFTER:
        return ChannelGone(
            f"The webhook at {host} is paused: it has failed for a day ({why}). Posts wait for it, and it is tried again now "
            "and then. Check its address, or remove it."
        )
    return None
