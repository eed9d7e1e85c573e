"""The prompt of a terminal: completion, history, and the toolbar."""

import asyncio
from pathlib import Path

import pytest
from prompt_toolkit import PromptSession
from prompt_toolkit.application import create_app_session
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from adapters.console.prompt import TableCompleter, completions, prompted
from adapters.console.toolbar import Toolbar


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("su", ["subscribe"]),
        ("/paper su", ["subscribe"]),
        ("  UNS", ["unsubscribe"]),
        ("subscribe diffusion ev", ["every:now", "every:daily", "every:weekly"]),
        ("subscribe diffusion every:d", ["every:daily"]),
        ("subscribe diffusion s", []),
        ("help tr", ["trending"]),
        ("nonsense x", []),
    ],
)
def test_tab_completes_commands_and_options(typed: str, completed: list[str]) -> None:
    assert list(completions(typed)) == completed


def test_tab_on_an_empty_line_offers_every_command() -> None:
    assert "subscribe" in completions("")


async def type_in(text: str, history: Path | None = None) -> list[str]:
    with create_pipe_input() as keys, create_app_session(input=keys, output=DummyOutput()):
        keys.send_text(text)
        async with asyncio.timeout(20):
            return [line async for line in prompted(history)]


@pytest.mark.parametrize("leaving", ["exit\r", "QUIT\r", "\x04", "\x03"])
async def test_lines_are_read_until_the_person_leaves(leaving: str) -> None:
    assert await type_in(f"list\r/paper help\r{leaving}") == ["list", "/paper help"]


async def test_the_history_is_stored_for_the_next_start(tmp_path: Path) -> None:
    history = tmp_path / "data" / "history"
    await type_in("subscribe rag\rexit\r", history)
    assert await type_in("\x1b[A\x1b[A\rexit\r", history) == ["subscribe rag"]


def test_a_completion_replaces_the_word_before_the_cursor() -> None:
    [completion] = TableCompleter().get_completions(Document("/paper tren"), CompleteEvent())
    assert (completion.text, completion.start_position) == ("trending", -4)


async def test_the_toolbar_shows_background_work_while_it_lasts() -> None:
    with create_pipe_input() as keys, create_app_session(input=keys, output=DummyOutput()):
        toolbar, shown = Toolbar(), []
        toolbar.show("Building the search index: 5 of 20 papers")
        keys.send_text("list\rexit\r")
        session: PromptSession[str] = PromptSession()
        toolbar.attach(session)
        shown.append(session.bottom_toolbar)
        toolbar.show("")
        shown.append(session.bottom_toolbar)
        assert [line async for line in prompted(None, toolbar)] == ["list"]
    assert shown == ["Building the search index: 5 of 20 papers", None]
