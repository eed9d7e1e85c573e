"""The result of a poll, and the time of the next poll after a failure. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from bot.domain.errors import SourceError
from bot.domain.polls import PollResult

FIRST_RETRY = 60.0
"""Seconds until a source that failed is polled again; doubles with each further failure."""
LONGEST_RETRY = 3600.0
"""Maximum seconds until a failing source is polled again."""
REFUSED_FOR = 86400.0
"""Seconds for which a source that refused us (HTTP 403) is not polled."""


def backoff(failures: int, jitter: float) -> float:
    """Return the seconds to wait after consecutive `failures`; `jitter`, from 0 to 1, spreads replicas and sources."""
    doubled = FIRST_RETRY * 2.0 ** min(failures - 1, 10)
    return float(min(doubled, LONGEST_RETRY / 1.5) * (1 + jitter / 2))


def pause_after(error: SourceError, failures: int, jitter: float) -> float:
    """Return the seconds until the next poll after `error`: never before the time that the source named."""
    if error.refused:
        return REFUSED_FOR
    if error.retry_after is None:
        return backoff(failures, jitter)
    repeated = backoff(failures - 1, jitter) if failures > 1 else 1.0
    return max(error.retry_after, repeated)


def failed(
    source: str, now: datetime, error: SourceError, previous: PollResult | None, jitter: float
) -> PollResult:
    """Return the result of a poll that failed."""
    failures = (previous.failures if previous else 0) + 1
    return PollResult(
        source=source,
        at=now,
        next_at=now + timedelta(seconds=pause_after(error, failures, jitter)),
        error=str(error),
        refused=error.refused,
        failures=failures,
        found=previous.found if previous else 0,
        alarm=previous.alarm if previous else None,
        skipped=previous.skipped if previous else 0,
        skipped_reason=previous.skipped_reason if previous else "",
        succeeded_at=previous.succeeded_at if previous else None,
        new_at=previous.new_at if previous else None,
    )


def skipped_rows(rows: Mapping[str, int] | None, previous: PollResult | None) -> dict[str, Any]:
    """Count the rows that can't be read. If `rows` is None, the list is unchanged and has not been read again."""
    if rows is None:
        return {"skipped": previous.skipped, "skipped_reason": previous.skipped_reason} if previous else {}
    reason = max(rows, key=lambda reason: rows[reason], default="")
    return {"skipped": sum(rows.values()), "skipped_reason": reason}
