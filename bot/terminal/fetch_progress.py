"""Progress of a fetch of many days: on the terminal, if there is one, and in the log."""

import asyncio

import structlog

from bot.cards.terminal import reading_card
from bot.ports import Interactive

LONG_FETCH = 3
"""Number of days above which a fetch reports its progress."""

log = structlog.get_logger(__name__)


class FetchProgress:
    """Reports each long fetch. A source is reached once it has sent one day."""

    def __init__(self, reached: asyncio.Event, interactive: Interactive | None) -> None:
        self._reached = reached
        self._interactive = interactive

    def __call__(self, source: str, done: int, total: int) -> None:
        """Report that the source has sent `done` of `total` days."""
        self._reached.set()
        if total > LONG_FETCH:
            log.info("fetch_progress", source=source, days=done, of=total)
            if self._interactive and done % (total // 2) == 1:
                self._interactive.screen.note(reading_card(source, done, total))
