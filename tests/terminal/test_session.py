"""Progress of background work in a terminal."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import pytest

from bot.search.index_updater import IndexProgress
from bot.terminal import session
from bot.terminal.session import show_indexing

if TYPE_CHECKING:
    from bot.ports import Interactive
    from bot.search.search import Search


class FakeTerminal:
    """A terminal that records the lines below its prompt."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def working(self, line: str) -> None:
        self.lines.append(line)


class FakeSearch:
    """A search that reports these states of its index, one per call."""

    def __init__(self, states: Sequence[IndexProgress | None]) -> None:
        self._states = list(states)

    async def progress(self) -> IndexProgress | None:
        return self._states.pop(0)


async def test_an_index_that_is_being_built_is_shown_until_it_is_complete(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(session, "INDEXING_SHOWN_EVERY", 0.0)
    terminal, search = (
        FakeTerminal(),
        FakeSearch([IndexProgress(200, 75_000), IndexProgress(70_000, 75_000), None]),
    )
    async with asyncio.timeout(5):
        await show_indexing(cast("Interactive", terminal), cast("Search", search))
    assert terminal.lines == [
        "Building the search index: 200 of 75,000 papers",
        "Building the search index: 70,000 of 75,000 papers",
        "",
    ]
