"""The wall clock. Modules get the current time as an argument instead of reading it."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def wall_clock() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)
