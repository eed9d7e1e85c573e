"""Decides what to do with a failed delivery; `bot/pipeline/outcomes.py` does it. Pure."""

import random
from collections.abc import Hashable
from typing import Literal

from bot.domain.deliveries import Outcome, Scope
from bot.domain.errors import CardRefused, ChannelGone, DeliveryUncertain, RetryLater, WorkspaceGone
from bot.domain.models import ChannelRef

RETRIES = (5.0, 300.0, 1800.0, 7200.0, 18_000.0, 36_000.0, 36_000.0)
"""Seconds until the next attempt, after one failure, two, …"""
LOOKUP_DELAY = 5.0
"""Seconds before looking up an uncertain post, so that one that is still in flight has arrived."""
FIRST_LIMIT, LONGEST_LIMIT = 5.0, 30.0
"""Pause in seconds after an answer that doesn't concern the delivery, such as a proxy's page: after the first in a row,
and the maximum. Once the platform answers again, posting resumes within that maximum."""
LONGEST_REFUSAL = 3600.0
"""Maximum pause in seconds after an unexplained refusal that may concern only this delivery; pauses double."""
DOWN_AFTER = 5
"""Number of channels that must fail, with no success in between, before the whole platform counts as down."""
MAX_LIMITED = 10_000
"""Maximum number of channels and workspaces whose consecutive failures are remembered."""


def on_failure(error: BaseException, tries: int, refusals: int = 0, *, alone: bool = False) -> Outcome:
    """Return the outcome of a delivery that failed with `error`, after `tries` failures and `refusals` before.

    `alone` means that it was refused before while other posts succeeded: then only this delivery waits.
    """
    why = _reason(error)
    match error:
        case RetryLater(counts=True):
            after = error.after or backoff(tries)
            return Outcome(state="pending", why=why, after=after, counts=True, named=error.after is not None)
        case RetryLater(unexplained=True) if error.scope == "channel" or alone:
            after = min(LONGEST_REFUSAL, (error.after or FIRST_LIMIT) * 2.0 ** min(refusals, 10))
            return Outcome(state="pending", why=why, after=after, refused=_scope_of(error))
        case RetryLater():
            limit: Scope = "channel" if error.scope == "channel" else "workspace"
            refused = _scope_of(error) if error.unexplained else None
            return Outcome(
                state="pending", why=why, after=error.after or FIRST_LIMIT, limit=limit, refused=refused
            )
        case ChannelGone() | WorkspaceGone():
            return Outcome(state="pending", why=why)
        case CardRefused():
            return Outcome(state="dead", why=why)
        case _:
            return _uncertain(error, why)


def _uncertain(error: BaseException, why: str) -> Outcome:
    """Return the outcome after a time-out, a dropped connection, or a bug of ours after the post was accepted."""
    if isinstance(error, DeliveryUncertain) and error.after is not None:
        return Outcome(state="unknown", why=why, after=error.after, limit="channel")
    return Outcome(state="unknown", why=why, after=LOOKUP_DELAY, counts=True)


def on_lookup_failure(error: BaseException, tries: int) -> Outcome:
    """Return the outcome of a failed look-up: it remains unknown whether the delivery was posted."""
    after = error.after if isinstance(error, RetryLater) else None
    counts = not isinstance(error, RetryLater | ChannelGone | WorkspaceGone)
    return Outcome(
        state="unknown", why=f"asking: {_reason(error)}", after=after or backoff(tries), counts=counts
    )


def _scope_of(error: RetryLater) -> Literal["channel", "platform"]:
    return "channel" if error.scope == "channel" else "platform"


def backoff(tries: int) -> float:
    """Return the seconds until the next attempt, after `tries` failures before this one."""
    return RETRIES[min(tries, len(RETRIES) - 1)]


class PlatformHealth:
    """This process's recent experience with a platform: whether it is down as a whole, and how long to pause it."""

    def __init__(self) -> None:
        self._limits: dict[Hashable, int] = {}
        self._failed: set[ChannelRef] = set()
        self.is_down = False
        """While the platform is down, one delivery at a time probes it, and failures don't count as attempts."""

    def limited(self, error: RetryLater, channel: ChannelRef) -> float:
        """Record a limit. Return the seconds to pause its scope: the platform's, else a backoff with jitter."""
        scope = self._scope(error.scope, channel)
        failures = self._limits.pop(scope, 0) + 1
        self._limits[scope] = failures
        while len(self._limits) > MAX_LIMITED:
            del self._limits[next(iter(self._limits))]
        if error.after is not None:
            return error.after
        if error.scope == "platform":
            self.is_down = True
        return _limit(failures)

    def failed(self, channel: ChannelRef) -> float:
        """Record a post or look-up without a usable answer. Return the seconds to pause the platform; 0 if it is up."""
        self._failed.add(channel)
        self.is_down = self.is_down or len(self._failed) >= DOWN_AFTER
        if not self.is_down:
            return 0.0
        failures = self._limits["platform"] = self._limits.get("platform", 0) + 1
        return _limit(failures)

    def answered(self, channel: ChannelRef) -> bool:
        """Record an answer about a delivery. Return whether the platform was down until now."""
        was_down, self.is_down = self.is_down, False
        self._failed.clear()
        for scope in ("platform", "workspace", "channel"):
            self._limits.pop(self._scope(scope, channel), None)
        return was_down

    def _scope(self, scope: str, channel: ChannelRef) -> Hashable:
        match scope:
            case "platform":
                return scope
            case "workspace":
                return scope, channel.workspace
            case _:
                return channel


def _limit(failures: int) -> float:
    doubled = min(LONGEST_LIMIT, FIRST_LIMIT * 2.0 ** min(failures - 1, 10))
    return float(doubled * random.uniform(0.75, 1.0))  # noqa: S311  # jitter


def _reason(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
