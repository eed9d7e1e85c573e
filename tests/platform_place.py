"""What `tests/adapters/<name>/contract.py` gives the platforms' contract suite: a channel, and what is seen there.

Each has `place(redis)`, an asynchronous context manager that yields a `Place`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from bot.domain.models import ChannelRef
from bot.ports import Platform


@dataclass
class Place:
    """A channel of a platform, and what people see there."""

    platform: Platform
    to: ChannelRef
    posted: Callable[[], list[str]]
    lose: Callable[[], None] | None = None
    """Makes the next post succeed without an answer; None if that can't happen."""
    nowhere: str = "C0NOWHERE"
    """The id of a channel that doesn't exist."""
