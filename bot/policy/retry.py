"""What becomes of a delivery that failed: decided here, and carried out in `delivery.py`."""

from bot.domain.deliveries import Outcome, Scope
from bot.domain.errors import CardRefused, ChannelGone, RetryLater, WorkspaceGone

RETRIES = (5.0, 300.0, 1800.0, 7200.0, 18_000.0, 36_000.0, 36_000.0)
"""Seconds until the next attempt, after one failure, two, …"""
ASK_AFTER = 5.0
"""Seconds before the platform is asked about an unclear post: one that is still under way must have arrived."""


def on_failure(error: BaseException, tries: int) -> Outcome:
    """What becomes of a delivery that has failed `tries` times before, and now with `error`."""
    why = _said(error)
    match error:
        case RetryLater(counts=True):
            after = error.after or backoff(tries)
            return Outcome(state="pending", why=why, after=after, counts=True, named=error.after is not None)
        case RetryLater():
            limit: Scope = "channel" if error.scope == "channel" else "workspace"
            return Outcome(state="pending", why=why, after=error.after or RETRIES[0], limit=limit)
        case ChannelGone() | WorkspaceGone():
            return Outcome(state="pending", why=why)
        case CardRefused():
            return Outcome(state="dead", why=why)
        case _:  # a time-out, a dropped connection, or a mistake of ours after the platform took it
            return Outcome(state="unknown", why=why, after=ASK_AFTER, counts=True)


def on_lookup_failure(error: BaseException, tries: int) -> Outcome:
    """The same where it could not be found out whether it was posted: the question stays."""
    after = error.after if isinstance(error, RetryLater) else None
    counts = not isinstance(error, RetryLater | ChannelGone | WorkspaceGone)
    return Outcome(
        state="unknown", why=f"asking: {_said(error)}", after=after or backoff(tries), counts=counts
    )


def backoff(tries: int) -> float:
    """Seconds until the next attempt, after `tries` failures before this one."""
    return RETRIES[min(tries, len(RETRIES) - 1)]


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
