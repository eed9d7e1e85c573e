"""Progress of long-running work: a bar on a terminal, log lines elsewhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from time import monotonic

import structlog
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

log = structlog.get_logger(__name__)

LINE_EVERY = 10.0
"""Minimum seconds between two log lines."""

Advance = Callable[[int], None]
"""Called with the number of further items that are done."""
Say = Callable[[str], None]
"""Prints a line."""


@contextmanager
def progress(
    what: str,
    total: int | None = None,
    *,
    console: Console | None = None,
    clock: Callable[[], float] = monotonic,
) -> Iterator[Advance]:
    """Show the progress of `what` while the block runs; `total` is None if it isn't known in advance.

    On a terminal this is a bar on standard error; otherwise a log line every `LINE_EVERY` seconds and one at the end,
    even if the work fails.
    """
    console = console or Console(file=sys.stderr)
    if not console.is_terminal:
        with _lines(what, total, clock) as advance:
            yield advance
        return
    with _bar(console, what, total) as advance:
        yield advance


@contextmanager
def working(what: str, *, console: Console | None = None) -> Iterator[Say]:
    """On a terminal, show a spinner on standard error while the block runs, then remove it.

    Yields a function that prints a line of the command's output: above the spinner if both are on the same terminal.
    """
    console = console or Console(file=sys.stderr)
    if not console.is_terminal:
        yield _print
        return
    columns = (SpinnerColumn(), TextColumn("{task.description} …"), TimeElapsedColumn())
    with Progress(
        *columns, console=console, transient=True, redirect_stdout=_prints_to_terminal()
    ) as spinner:
        spinner.add_task(what, total=None)
        above = partial(console.print, soft_wrap=True, markup=False, highlight=False, emoji=False)
        yield above if _prints_to_terminal() else _print


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _prints_to_terminal() -> bool:
    """Whether output appears on a terminal, so that it must be printed above the bar or spinner."""
    return sys.stdout.isatty()


@contextmanager
def _bar(console: Console, what: str, total: int | None) -> Iterator[Advance]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, redirect_stdout=_prints_to_terminal()) as bars:
        task = bars.add_task(what, total=total)
        yield lambda more: bars.advance(task, more)


@contextmanager
def _lines(what: str, total: int | None, clock: Callable[[], float]) -> Iterator[Advance]:
    began = logged = clock()
    done = 0
    of = {} if total is None else {"of": total}

    def advance(more: int) -> None:
        nonlocal done, logged
        done += more
        if clock() - logged >= LINE_EVERY:
            logged = clock()
            log.info("progress", what=what, done=done, **of)

    try:
        yield advance
    finally:
        log.info("progress_ended", what=what, done=done, **of, seconds=round(clock() - began, 1))
