"""The only source of the current time. All other modules get it as an argument."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def wall_clock() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)
