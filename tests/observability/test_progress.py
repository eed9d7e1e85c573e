"""Progress is a bar on a terminal, and a few log lines otherwise."""

from contextlib import suppress
from io import StringIO

from rich.console import Console
from structlog.testing import capture_logs

from bot.observability.progress import LINE_EVERY, progress, working

NO_TERMINAL = Console(file=StringIO(), force_terminal=False)


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_progress_on_a_terminal_is_a_bar() -> None:
    screen = StringIO()
    with progress("papers", 20, console=Console(file=screen, force_terminal=True, width=80)) as advance:
        advance(15)
        advance(5)
    assert "papers" in screen.getvalue()
    assert "20/20" in screen.getvalue()


def test_progress_without_a_terminal_is_logged_at_intervals_and_at_the_end() -> None:
    clock = Clock()
    with capture_logs() as lines, progress("papers", 1000, console=NO_TERMINAL, clock=clock) as advance:
        for _ in range(100):
            advance(10)
            clock.now += LINE_EVERY / 40
    assert [line["done"] for line in lines] == [410, 810, 1000]
    assert lines[-1]["event"] == "progress_ended"
    assert {line["of"] for line in lines} == {1000}


def test_failed_work_logs_its_progress() -> None:
    with capture_logs() as lines, suppress(OSError), progress("papers", console=NO_TERMINAL) as advance:
        advance(7)
        raise OSError("the disk is full")
    assert [line["done"] for line in lines] == [7]


def test_work_of_unknown_length_shows_a_line_and_erases_it() -> None:
    screen = StringIO()
    with working("Checking", console=Console(file=screen, force_terminal=True, width=80)):
        pass
    assert "Checking …" in screen.getvalue()
    assert screen.getvalue().endswith("\x1b[2K"), "its line is erased"


def test_work_of_unknown_length_logs_nothing() -> None:
    with capture_logs() as lines, working("Checking", console=NO_TERMINAL):
        pass
    assert lines == []
