"""Cards of the terminal about itself: how to begin, and why no papers arrive."""

from collections.abc import Iterable, Sequence

from bot.cards import Block, Bullets, Button, Card, Span
from bot.cards.build import actions, bold, code, dim, paragraph, text

Connect = Iterable[tuple[str, str]]
"""Platforms that can be connected, as pairs: the title, and the settings to set, with their names in backquotes."""


def connect_lines(platforms: Connect) -> Bullets:
    """Explain how to connect each platform."""
    return Bullets(
        tuple(
            text(
                bold(f"{title}: "),
                "set ",
                *_with_code(how),
                " in the environment or in ",
                code(".env"),
                ", then restart.",
            )
            for title, how in platforms
        )
    )


def _with_code(words: str) -> Iterable[str | Span]:
    """Format text in backquotes as code."""
    return (code(part) if n % 2 else part for n, part in enumerate(words.split("`")) if part)


def welcome_card(platforms: Connect, offers: Sequence[Button] = ()) -> Card:
    """Welcome the person at a terminal without other platforms; `offers` are subscriptions to begin with."""
    begin: Sequence[Block] = (paragraph("Or begin with one of these:"), *actions(*offers)) if offers else ()
    return Card(
        "help",
        "Paperboy is running in this terminal. Try /paper subscribe diffusion",
        "Paperboy",
        (
            paragraph("New research papers appear here, as soon as they match what you subscribe to."),
            paragraph("Type ", code("subscribe diffusion"), " with your own words, ", code("trending"), " for today's papers, ",
                      code("help"), " for the rest, ", code("exit"), " to leave."),
            *begin,
            connect_lines(platforms),
        ),
    )  # fmt: skip


def starter_card() -> Card:
    """Say that a new terminal has been subscribed to trending papers."""
    message = "This terminal is subscribed to trending papers to begin with. /paper unsubscribe #1 ends that."
    return Card("help", message, blocks=(paragraph("This terminal is subscribed to ", code("trending"), " to begin with. ",
                                                   code("/paper unsubscribe #1"), " ends that."),))  # fmt: skip


def reading_card(source: str, done: int, total: int) -> Card:
    """Show the progress of a long fetch."""
    message = f"Reading {source}: {done} of {total} days …"
    return Card("help", message, blocks=(paragraph(dim(message)),))


def unreachable_card(*, sample: bool) -> Card:
    """Say that no upstream answers, and that the sample takes their place if `sample`."""
    message = "No source of papers can be reached right now. Paperboy keeps trying."
    meanwhile = paragraph(
        "Until then, here is a sample of papers from May 2026, each marked ", dim("sample"),
        ". You can try subscribe and preview with it: ", code("/paper preview diffusion"), ".",
    )  # fmt: skip
    return Card("reply", message, blocks=(paragraph(bold(message)), *((meanwhile,) if sample else ())))


def tour_card() -> Card:
    """Introduce the tour."""
    message = "A tour with a sample of real papers, offline. Nothing is stored."
    return Card("help", message, "A tour of Paperboy", (paragraph(message),))


def farewell_card(platforms: Connect) -> Card:
    """Say how to go on after the tour."""
    return Card(
        "help",
        "That was the tour. Next: paperboy run",
        "Now with today's papers",
        (
            paragraph("Run ", code("paperboy run"), ", or ", code("make run"), ", and type ", code("/paper subscribe"),
                      " with what you care about."),
            connect_lines(platforms),
        ),
    )  # fmt: skip
