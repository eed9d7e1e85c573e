"""How far a fetch of many days has come: on the terminal, if there is one, and in the log."""

import asyncio

import structlog

from bot.cards.terminal import reading_card
from bot.ports import Interactive

LONG_FETCH = 3
"""Days of a source's list. A fetch of more days reports its progress."""

log = structlog.get_logger(__name__)


class FetchProgress:
    """Reports each long fetch. A source that has sent one day has been reached."""

    def __init__(self, reached: asyncio.Event, interactive: Interactive | None) -> None:
        self._reached = reached
        self._interactive = interactive

    def __call__(self, source: str, done: int, total: int) -> None:
        """The source has sent `done` of `total` days."""
        self._reached.set()
        if total > LONG_FETCH:
            log.info("fetch_progress", source=source, days=done, of=total)
            if self._interactive and done % (total // 2) == 1:
                self._interactive.screen.note(reading_card(source, done, total))
