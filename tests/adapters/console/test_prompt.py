"""The prompt of a terminal."""

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
    ("before", "offered"),
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
def test_tab_completes_from_the_table(before: str, offered: list[str]) -> None:
    assert list(completions(before)) == offered


def test_nothing_typed_offers_every_command() -> None:
    assert "subscribe" in completions("")


async def type_in(text: str, history: Path | None = None) -> list[str]:
    with create_pipe_input() as keys, create_app_session(input=keys, output=DummyOutput()):
        keys.send_text(text)
        async with asyncio.timeout(20):
            return [line async for line in prompted(history)]


@pytest.mark.parametrize("leaving", ["exit\r", "QUIT\r", "\x04", "\x03"])
async def test_a_person_types_and_leaves(leaving: str) -> None:
    assert await type_in(f"list\r/paper help\r{leaving}") == ["list", "/paper help"]


async def test_what_was_typed_is_remembered_for_the_next_time(tmp_path: Path) -> None:
    history = tmp_path / "data" / "history"
    await type_in("subscribe rag\rexit\r", history)
    assert await type_in("\x1b[A\x1b[A\rexit\r", history) == ["subscribe rag"]


def test_a_completion_replaces_the_word_before_the_cursor() -> None:
    [completion] = TableCompleter().get_completions(Document("/paper tren"), CompleteEvent())
    assert (completion.text, completion.start_position) == ("trending", -4)


async def test_work_in_the_background_is_shown_below_the_prompt_while_it_lasts() -> None:
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
