"""What happens to a delivery that failed: decided here, carried out in `bot/pipeline/outcomes.py`. Pure."""

import random
from collections.abc import Hashable
from typing import Literal

from bot.domain.deliveries import Outcome, Scope
from bot.domain.errors import CardRefused, ChannelGone, DeliveryUncertain, RetryLater, WorkspaceGone
from bot.domain.models import ChannelRef

RETRIES = (5.0, 300.0, 1800.0, 7200.0, 18_000.0, 36_000.0, 36_000.0)
"""Seconds until the next attempt, after one failure, two, …"""
LOOKUP_DELAY = 5.0
"""Seconds before the platform is asked about an uncertain post, so that one that is still in flight has arrived."""
FIRST_LIMIT, LONGEST_LIMIT = 5.0, 30.0
"""Seconds of pause after an answer that says nothing about the delivery, such as a proxy's page: of the first in a row,
and at most. Posts go on within the longest one once the platform answers again."""
LONGEST_REFUSAL = 3600.0
"""Seconds of pause at most after an unexplained refusal that may be about this delivery alone; the pause doubles."""
DOWN_AFTER = 5
"""Different channels that must fail in a row, none succeeding, before the platform as a whole counts as down."""
MAX_LIMITED = 10_000
"""Channels and workspaces whose failures in a row are remembered."""


def on_failure(error: BaseException, tries: int, refusals: int = 0, *, alone: bool = False) -> Outcome:
    """The outcome of a delivery that failed with `error`, after `tries` failures and `refusals` before.

    `alone` means that it was refused before while other posts got through: only this delivery waits.
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
    """After a time-out, a dropped connection, or a bug of ours after the platform took the post."""
    if isinstance(error, DeliveryUncertain) and error.after is not None:
        return Outcome(state="unknown", why=why, after=error.after, limit="channel")
    return Outcome(state="unknown", why=why, after=LOOKUP_DELAY, counts=True)


def on_lookup_failure(error: BaseException, tries: int) -> Outcome:
    """The outcome of a look-up that failed: whether the delivery was posted stays unknown."""
    after = error.after if isinstance(error, RetryLater) else None
    counts = not isinstance(error, RetryLater | ChannelGone | WorkspaceGone)
    return Outcome(
        state="unknown", why=f"asking: {_reason(error)}", after=after or backoff(tries), counts=counts
    )


def _scope_of(error: RetryLater) -> Literal["channel", "platform"]:
    return "channel" if error.scope == "channel" else "platform"


def backoff(tries: int) -> float:
    """Seconds until the next attempt, after `tries` failures before this one."""
    return RETRIES[min(tries, len(RETRIES) - 1)]


class PlatformHealth:
    """How a platform answered this process lately: whether it is down as a whole, and how long to leave it alone."""

    def __init__(self) -> None:
        self._limits: dict[Hashable, int] = {}
        self._failed: set[ChannelRef] = set()
        self.is_down = False
        """While it is, one delivery at a time probes the platform, and failures don't count as attempts."""

    def limited(self, error: RetryLater, channel: ChannelRef) -> float:
        """Seconds to leave the error's scope alone: those that the platform named, else ever longer, with jitter."""
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
        """A post or a look-up got no usable answer. Returns the seconds to leave the platform alone: 0 if it is up."""
        self._failed.add(channel)
        self.is_down = self.is_down or len(self._failed) >= DOWN_AFTER
        if not self.is_down:
            return 0.0
        failures = self._limits["platform"] = self._limits.get("platform", 0) + 1
        return _limit(failures)

    def answered(self, channel: ChannelRef) -> bool:
        """The platform gave an answer about a delivery. Returns whether it was down until now."""
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
