"""The interface of `tests/adapters/<name>/contract.py` for the platforms' contract suite.

Each has `place(redis)`, an asynchronous context manager that yields a `Place`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from bot.domain.models import ChannelRef
from bot.ports import Platform


@dataclass
class Place:
    """A channel of a platform, and what people see in it."""

    platform: Platform
    to: ChannelRef
    posted: Callable[[], list[str]]
    lose: Callable[[], None] | None = None
    """Makes the next post succeed without an answer; None if that can't happen on the platform."""
    nowhere: str = "C0NOWHERE"
    """Id of a channel that doesn't exist."""
