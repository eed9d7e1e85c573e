"""Maps the answer to a request, or a missing answer, to a delivery error. Pure; `client` does the I/O.

A failing webhook is retried with increasing waits, paused after a day, and ended after two weeks. A refusal that can be
about a single post, such as a firewall's, delays only that post; if others get through in the meantime, it becomes a
dead letter in the end.
"""

from datetime import timedelta
from typing import Literal

from bot.domain.errors import ChannelEnded, ChannelGone, DeliveryUncertain, RetryLater, SendError

GONE = 410
"""The only status that ends a webhook at once, since it means "gone for good"."""
PASSING = frozenset({408, 425, 429})
"""Temporary refusals: request timeout, too early, too many requests."""
FIRST_WAIT, LONGEST_WAIT = 5.0, 3600.0
"""Minimum and maximum seconds until the next attempt. An answer's Retry-After can exceed the maximum."""
PAUSED_AFTER = timedelta(days=1)
"""Time of continuous failure after which a webhook is paused and one person is notified."""
ENDED_AFTER = timedelta(days=14)
"""Time of continuous failure after which a webhook is ended, so that its backlog can't grow without bound."""

Silence = Literal["connect", "answer"]
"""What is missing: the connection (so nothing was sent), or the answer to a request that may have been sent."""


def confirms(status: int) -> bool:
    """Return whether an answer confirms the post."""
    return 200 <= status < 300


def on_answer(status: int, retry_after: float | None, failing: timedelta, host: str) -> SendError:
    """Return the error for a complete answer that doesn't confirm the post."""
    if status == GONE:
        return ChannelEnded(f"The webhook at {host} has ended: its server answered 410, gone for good.")
    why = f"{host} answered {status}"
    if 300 <= status < 400:
        why = f"{why}, a redirect, which isn't followed"
    if error := _after_long_failure(why, failing, host):
        return error
    after = max(wait(failing), retry_after or 0.0)
    if status >= 500:  # a proxy can answer this even after it has forwarded the request
        return DeliveryUncertain(why, after=after)
    about_a_post = 400 <= status < 500 and status not in PASSING
    return RetryLater(why, after=after, counts=False, unexplained=about_a_post)


def on_silence(what: Silence, reason: str, failing: timedelta, host: str) -> SendError:
    """Return the error for a request without an answer. If a host is unreachable, all of its webhooks wait."""
    why = f"{host} {reason}"
    if error := _after_long_failure(why, failing, host):
        return error
    if what == "connect":
        return RetryLater(why, after=wait(failing), scope="workspace", counts=False)
    return DeliveryUncertain(why, after=wait(failing))


def wait(failing: timedelta) -> float:
    """Return the seconds until the next attempt: half the time of continuous failure, so each wait is longer."""
    return min(LONGEST_WAIT, max(FIRST_WAIT, failing.total_seconds() / 2))


def _after_long_failure(why: str, failing: timedelta, host: str) -> SendError | None:
    if failing >= ENDED_AFTER:
        return ChannelEnded(f"The webhook at {host} has ended: it has failed for two weeks ({why}).")
    if failing >= PAUSED_AFTER:
        return ChannelGone(
            f"The webhook at {host} is paused: it has failed for a day ({why}). Posts wait for it, and it is tried again now "
            "and then. Check its address, or remove it."
        )
    return None
