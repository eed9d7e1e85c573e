"""The current time, where it enters the program. Everything else is given it."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def wall_clock() -> datetime:
    """The current time, in UTC."""
    return datetime.now(UTC)
